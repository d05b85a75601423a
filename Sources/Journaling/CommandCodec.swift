// A command in the journal: a header of 24 bytes, then the payload of its kind. Everything is
// little-endian; a record's length is a multiple of 8, so fields lie on their natural boundaries.
//
//   offset  size  field            check made on reading
//        0     2  kind             one of the list below
//        2     2  length           24 + the payload length of that kind
//        4     4  session          -
//        8     8  clientSequence   -
//       16     8  time             ns since 1970 (the reader of a block checks that it never falls)
//       24     -  payload
//
// The sequence number is not stored: it is the block's first sequence plus the record's place.
//
//   kind  name                 payload: fields in order, `.n` = n reserved bytes that must be zero
//      1  enter                account 4, instrument 4, side 1, type 1, timeInForce 1,
//                              selfTradePrevention 1, postOnly 1, .3, clientOrderId 8, price 8,
//                              quantity 8, minimumQuantity 8, expireTime 8                      = 56
//      2  replace              account 4, .4, order 8, clientOrderId 8, price 8, quantity 8     = 40
//      3  cancel               account 4, .4, order 8, clientOrderId 8                          = 24
//      4  massCancel           account 4, instrument 4, sides 1, .7                             = 16
//      5  setAgent             account 4, instrument 4, sells 1, buys 1, .6, sellPrice 8,
//                              sellAbove 8, buyPrice 8, buyBelow 8, target 8                    = 56
//      6  transfer             from 4, to 4, amount 8, clientOrderId 8, currency 2, area 2,
//                              asset 1, .3                                                      = 32
//      7  meterReading         meter 4, .4, registerSequence 8, intervalStart 8, intervalEnd 8,
//                              produced 8, consumed 8                                           = 48
//      8  deposit              account 4, currency 2, .2, amount 8, reference 8                 = 24
//      9  withdraw             account 4, currency 2, .2, amount 8, reference 8                 = 24
//     10  createParticipant    participant 4, .4, name 16                                       = 24
//     11  registerSession      session 4, participant 4, roles 1, .7, publicKey 32              = 48
//     12  createAccount        account 4, participant 4                                         =  8
//     13  setCap               account 4, area 2, .2, cap 8                                     = 16
//     14  createArea           area 2, currency 2, lossFactor 4, code 16, storageCost 8,
//                              storagePrice 8, feedInPrice 8, retailPrice 8                     = 56
//     15  setTariff            area 2, .6, feedInPrice 8, retailPrice 8                         = 24
//     16  createInstrument     instrument 4, area 2, kind 1, .1, symbol 16, tick 8, lot 8,
//                              lowestPrice 8, highestPrice 8, makerFee 4, takerFee 4            = 64
//     17  setInstrumentState   instrument 4, state 1, .3                                        =  8
//     18  registerMeter        meter 4, account 4, area 2, .6, publicKey 32                     = 48
//     19  tick                                                                                  =  0
//     20  settlementConfirmed  batch 8, lastSequence 8                                          = 16
//     21  checkpoint           eventHash 8, stateHash 8                                         = 16
//     22  beginSession         session 4, cancelAfter 4, version 8                              = 16
//     23  endSession           session 4, .4, version 8                                         = 16
//     24  enterIceberg         as enter, then displayQuantity 8, not 0                          = 64
//     25  enterOnBehalf        as enter, then displayQuantity 8, onBehalfOf 4, not 0, .4        = 72
//     26  setRules             version 4, .4                                                    =  8
//
// One-byte enums hold a value of their list, flags 0 or 1; a command has one encoding only, so equal
// commands are equal bytes.

import MarketModel

/// Turns commands into the journal's bytes and back. No state; any thread.
public enum CommandCodec {
  /// Bytes before the payload.
  public static let headerLength = 24
  /// The longest record, header included.
  public static let longestRecord = 96

  /// The kinds of records. Numbers are never reused.
  public enum Kind: UInt16, Sendable, CaseIterable {
    case enter = 1
    case replace = 2
    case cancel = 3
    case massCancel = 4
    case setAgent = 5
    case transfer = 6
    case meterReading = 7
    case deposit = 8
    case withdraw = 9
    case createParticipant = 10
    case registerSession = 11
    case createAccount = 12
    case setCap = 13
    case createArea = 14
    case setTariff = 15
    case createInstrument = 16
    case setInstrumentState = 17
    case registerMeter = 18
    case tick = 19
    case settlementConfirmed = 20
    case checkpoint = 21
    case beginSession = 22
    case endSession = 23
    case enterIceberg = 24
    case enterOnBehalf = 25
    case setRules = 26

    /// Bytes after the header.
    public var payloadLength: Int {
      switch self {
      case .enter, .setAgent, .createArea: 56
      case .enterOnBehalf: 72
      case .createInstrument, .enterIceberg: 64
      case .meterReading, .registerSession, .registerMeter: 48
      case .replace: 40
      case .transfer: 32
      case .cancel, .deposit, .withdraw, .createParticipant, .setTariff: 24
      case .massCancel, .setCap, .settlementConfirmed, .checkpoint, .beginSession, .endSession: 16
      case .createAccount, .setInstrumentState, .setRules: 8
      case .tick: 0
      }
    }

    /// Bytes of the whole record.
    public var recordLength: Int { CommandCodec.headerLength + payloadLength }
  }

  /// Why bytes are not a command.
  public enum Failure: Error, Sendable, Equatable, CustomStringConvertible {
    /// Fewer bytes than the header, or than the header announces.
    case truncated(available: Int)
    /// No kind has this number.
    case unknownKind(UInt16)
    /// The announced length is not that of the kind.
    case wrongLength(Kind, length: UInt16)
    /// A one-byte field holds a value outside its list.
    case unknownValue(Kind, payloadOffset: Int, value: UInt8)
    /// A reserved byte is not zero.
    case reservedNotZero(Kind, payloadOffset: Int)
    /// It puts rules in force that this program does not know: a newer one wrote it.
    case newerRules(UInt32)

    /// What is wrong, in a sentence.
    public var description: String {
      switch self {
      case .truncated(let available): "the record ends early, after \(available) bytes"
      case .unknownKind(let kind): "no kind of command has the number \(kind)"
      case .wrongLength(let kind, let length): "\(kind) cannot be \(length) bytes long"
      case .unknownValue(let kind, let offset, let value):
        "\(kind) has the unknown value \(value) at payload byte \(offset)"
      case .reservedNotZero(let kind, let offset):
        "\(kind) has a reserved byte that is not zero from payload byte \(offset)"
      case .newerRules(let version):
        "it needs version \(version) of the market rules, and this program knows "
          + "\(RulesVersion.newest): start the program that wrote it, or a newer one"
      }
    }
  }

  /// The kind of a command.
  public static func kind(of body: Command.Body) -> Kind {
    switch body {
    case .enter(let order):
      order.onBehalfOf != .exchange
        ? .enterOnBehalf : order.displayQuantity == .zero ? .enter : .enterIceberg
    case .replace: .replace
    case .cancel: .cancel
    case .order(.massCancel): .massCancel
    case .order(.setAgent): .setAgent
    case .cash(.transfer): .transfer
    case .meterReading: .meterReading
    case .cash(.deposit): .deposit
    case .cash(.withdraw): .withdraw
    case .reference(.createParticipant): .createParticipant
    case .reference(.registerSession): .registerSession
    case .reference(.createAccount): .createAccount
    case .reference(.setCap): .setCap
    case .reference(.createArea): .createArea
    case .reference(.setTariff): .setTariff
    case .reference(.createInstrument): .createInstrument
    case .reference(.setInstrumentState): .setInstrumentState
    case .reference(.registerMeter): .registerMeter
    case .control(.tick): .tick
    case .control(.settlementConfirmed): .settlementConfirmed
    case .control(.checkpoint): .checkpoint
    case .session(.beginSession): .beginSession
    case .session(.endSession): .endSession
    case .control(.setRules): .setRules
    }
  }

  /// Writes `command`, but for its sequence number.
  /// - Parameter bytes: Room for at least `longestRecord` bytes.
  /// - Returns: How many bytes were written.
  public static func encode(_ command: Command, into bytes: UnsafeMutableRawPointer) -> Int {
    let kind = kind(of: command.body)
    let length = kind.recordLength
    var header = RecordWriter(bytes)
    header.put(kind.rawValue)
    header.put(UInt16(length))
    header.put(command.session.rawValue)
    header.put(command.clientSequence)
    header.put(command.time.nanoseconds)
    invariant(header.offset == headerLength, "a header as long as its drawing")
    invariant(
      length % 8 == 0 && length <= longestRecord, "a record that keeps what follows aligned")
    var payload = RecordWriter(bytes + headerLength)
    write(command.body, to: &payload)
    invariant(payload.offset == kind.payloadLength, "a record as long as its drawing")
    return length
  }

  /// Reads the record at `offset` and moves `offset` behind it.
  /// - Parameters:
  ///   - bytes: Any bytes; nothing outside is touched and nothing traps.
  ///   - offset: 0 to `bytes.count`; unchanged when an error is thrown.
  ///   - sequence: The command's sequence number, which the record does not hold.
  /// - Throws: what is wrong with the first record that is not exactly as drawn.
  public static func decode(
    _ bytes: UnsafeRawBufferPointer, at offset: inout Int, sequence: SequenceNumber
  ) throws(Failure) -> Command {
    precondition(offset >= 0 && offset <= bytes.count, "a record begins within its bytes")
    let available = bytes.count - offset
    guard available >= headerLength, let base = bytes.baseAddress else {
      throw .truncated(available: available)
    }
    var header = RecordReader(base + offset, .tick)
    let kindNumber = header.u16()
    let length = header.u16()
    guard let kind = Kind(rawValue: kindNumber) else { throw .unknownKind(kindNumber) }
    guard Int(length) == kind.recordLength else { throw .wrongLength(kind, length: length) }
    guard available >= Int(length) else { throw .truncated(available: available) }
    let session = SessionId(header.u32())
    let clientSequence = header.u64()
    let time = Timestamp(nanoseconds: header.u64())
    invariant(header.offset == headerLength, "a header read as long as its drawing")
    var payload = RecordReader(base + offset + headerLength, kind)
    let body = try readBody(kind, from: &payload)
    invariant(payload.offset == kind.payloadLength, "a record read as long as its drawing")
    offset += Int(length)
    return Command(
      session: session, clientSequence: clientSequence, body: body, sequence: sequence, time: time)
  }
}

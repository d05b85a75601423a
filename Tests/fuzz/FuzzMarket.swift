// A small exchange with people on it, made anew for every input: an operator (session 1), two traders
// (sessions 2 and 3) with an account, a meter, cash and energy each, an area and two instruments.

import Crypto
import ExchangeCore
import Glibc
import JoulebookClient
import Journaling
import MarketModel
import Wire

/// The real exchange, small.
struct FuzzMarket: ~Copyable {
  /// The time of the first command.
  static let beginning: UInt64 = 1_780_272_000_000_000_000
  private static let capacity = Capacity(
    participants: 6, sessions: 8, accounts: 6, areas: 3, instruments: 4, meters: 4, positions: 12,
    orders: 24, priceLevels: 24, cascadeSteps: 200)

  /// Keys of the sessions 1 to 4, which are also the meters'.
  static let keys: [Curve25519.Signing.PrivateKey] = (UInt8(1)...4).map { number in
    do {
      return try Curve25519.Signing.PrivateKey(
        rawRepresentation: [UInt8](repeating: number, count: 32))
    } catch {
      fatalError("the library makes no key: \(error)")
    }
  }

  /// Whether commands and events are printed: TELL=1, to see what an input does.
  private static let tells = getenv("TELL") != nil
  private static let foundation = FuzzMarket.foundationCommands()

  var exchange = Exchange(capacity: capacity)
  /// Number of the last command.
  private(set) var last = SequenceNumber.none
  /// The exchange's time, ns.
  var now = FuzzMarket.beginning

  init() {}

  /// Founds the market.
  /// - Parameter tell: Is shown each event of the foundation.
  mutating func found(_ tell: (Event, SequenceNumber) -> Void) {
    for command in Self.foundation { apply(command, tell) }
  }

  /// Applies a command after a look at the journal's copy of it.
  mutating func apply(_ command: Command, _ tell: (Event, SequenceNumber) -> Void) {
    var stamped = command
    last = SequenceNumber(last.rawValue + 1)
    if case .tick = command.body { now = max(now, min(command.time.nanoseconds, 1 << 62)) }
    (stamped.sequence, stamped.time) = (last, Timestamp(nanoseconds: now))
    if Self.tells { print("\(last.rawValue) session \(command.session.rawValue): \(command.body)") }
    for event in exchange.execute(Self.journaled(stamped)) {
      if Self.tells { print("  \(event)") }
      tell(event, last)
    }
  }

  /// Ends the process when the exchange is not sound.
  func check() {
    if let broken = exchange.invariantViolations().first { fatalError(broken) }
  }

  /// The command as the journal gives it back, which must be the same bytes again.
  private static func journaled(_ command: Command) -> Command {
    let kind = CommandCodec.kind(of: command.body)
    let first = record(command, kind.recordLength)
    let copy = ExactCopy(first)
    var offset = 0
    do throws(CommandCodec.Failure) {
      let read = try CommandCodec.decode(copy.bytes, at: &offset, sequence: command.sequence)
      require(offset == kind.recordLength, "\(kind) is read as \(offset) bytes")
      require(record(read, kind.recordLength) == first, "\(kind) is not journaled as it is")
      return read
    } catch {
      fatalError("the journal does not read what it wrote: \(error)")
    }
  }

  private static func record(_ command: Command, _ length: Int) -> [UInt8] {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 1)
    defer { memory.deallocate() }
    memory.initializeMemory(as: UInt8.self, repeating: 0xA5)
    if let base = memory.baseAddress {
      require(CommandCodec.encode(command, into: base) == length, "not as long as its kind")
    }
    return Array(memory)
  }

  // MARK: The foundation

  private static func foundationCommands() -> [Command] {
    var bodies: [Command.Body] = [
      .createParticipant(CreateParticipant(participant: ParticipantId(1), name: .empty)),
      session(1, .administration), area(1), instrument(1), instrument(2),
    ]
    for number in UInt32(2)...3 { bodies += trader(number) }
    return bodies.map { Command(session: .exchange, body: $0) }
  }

  private static func trader(_ number: UInt32) -> [Command.Body] {
    let account = AccountId(number)
    return [
      .createParticipant(CreateParticipant(participant: ParticipantId(number), name: .empty)),
      session(number, [.trading, .metering]),
      .createAccount(CreateAccount(account: account, participant: ParticipantId(number))),
      .registerMeter(
        RegisterMeter(
          meter: MeterId(number), account: account, area: AreaId(1),
          publicKey: PublicKey(keys[Int(number) - 1].publicKey))),
      .deposit(
        CashMovement(
          account: account, currency: .eur, amount: Money(units: 40_000_000_000), reference: 1)),
      .meterReading(
        MeterReading(
          meter: MeterId(number), registerSequence: 1,
          intervalStart: Timestamp(nanoseconds: beginning - 1_800_000_000_000),
          intervalEnd: Timestamp(nanoseconds: beginning - 900_000_000_000),
          produced: Energy(wattHours: 5_000), consumed: .zero)),
    ]
  }

  private static func session(_ number: UInt32, _ roles: Roles) -> Command.Body {
    .registerSession(
      RegisterSession(
        session: SessionId(number), participant: ParticipantId(number), roles: roles,
        publicKey: PublicKey(keys[Int(number) - 1].publicKey)))
  }

  private static func area(_ number: UInt16) -> Command.Body {
    .createArea(
      CreateArea(
        area: AreaId(number), currency: .eur, code: .empty, storageCost: Money(units: 300),
        storagePrice: Money(units: 20), feedInPrice: Price(ticks: 8_000),
        retailPrice: Price(ticks: 32_000), lossFactor: Rate(partsPerMillion: 20_000)))
  }

  private static func instrument(_ number: UInt32) -> Command.Body {
    .createInstrument(
      CreateInstrument(
        instrument: InstrumentId(number), area: AreaId(1), symbol: .empty, tick: Price(ticks: 100),
        lot: Energy(wattHours: 100), lowestPrice: .zero, highestPrice: Price(ticks: 40_000),
        makerFee: Rate(partsPerMillion: 1_000), takerFee: Rate(partsPerMillion: 2_000)))
  }
}

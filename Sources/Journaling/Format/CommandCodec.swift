// A command in the journal: a header of 24 bytes and the payload of its kind. Everything is
// little-endian; the length of a record is a multiple of 8, so fields are naturally aligned.
//
//   offset  size  field            check made on reading
//        0     2  kind             one of the list below
//        2     2  length           24 + a payload length of that kind
//        4     4  session          -
//        8     8  clientSequence   -
//       16     8  time             ns since 1970 (the block's reader checks that it never falls)
//       24     -  payload
//
// The sequence number is not stored: it is the block's first sequence number plus the record's
// index.
//
// The payloads are listed in docs/journal-records.md and declared in proto/; sbegen generates their
// codec. A field that is appended to a command makes its record longer. A record is written with
// the fewest bytes that contain every field without its default value, and is read in every length
// that was ever written; one that is longer than its command needs is refused.
//
// One-byte enumerations have a defined value, flags are 0 or 1. Every command has exactly one
// encoding, so equal commands are equal bytes.

import MarketModel

/// Encodes and decodes commands for the journal. Stateless; any thread.
public enum CommandCodec {
  /// Number of bytes before the payload.
  public static let headerLength = 24

  /// The reason why bytes are not a command.
  public enum Failure: Error, Sendable, Equatable, CustomStringConvertible {
    /// There are fewer bytes than the header, or than the header announces.
    case truncated(available: Int)
    /// No kind of command has this number.
    case unknownKind(UInt16)
    /// The announced length is not one of this kind.
    case wrongLength(Kind, length: UInt16)
    /// A one-byte enumeration has an undefined value.
    case unknownValue(Kind, payloadOffset: Int, value: UInt8)
    /// A reserved byte is not zero.
    case reservedNotZero(Kind, payloadOffset: Int)
    /// It puts rules in force that this program does not know, so a newer program wrote it.
    case newerRules(UInt32)

    /// The reason, in a sentence.
    public var description: String {
      switch self {
      case .truncated(let available): "the record ends early, after \(available) bytes"
      case .unknownKind(let kind): "no kind of command has the number \(kind)"
      case .wrongLength(let kind, let length):
        "\(kind) cannot be \(length) bytes long"
          + (Failure.mayBeNewer(kind, length) ? ": a newer program may have written it" : "")
      case .unknownValue(let kind, let offset, let value):
        "\(kind) has the unknown value \(value) at payload byte \(offset)"
      case .reservedNotZero(let kind, let offset):
        "\(kind) has a reserved byte that is not zero from payload byte \(offset)"
      case .newerRules(let version):
        "it needs version \(version) of the market rules, and this program knows "
          + "\(RulesVersion.newest): start the program that wrote it, or a newer one"
      }
    }

    /// Whether records of `kind` may have this length in a later version of the schema.
    private static func mayBeNewer(_ kind: Kind, _ length: UInt16) -> Bool {
      let known = kind.payloadLengths.max() ?? 0
      return kind.canGrow && length % 8 == 0 && Int(length) > headerLength + known
    }
  }

  /// Encodes `command` without its sequence number.
  /// - Parameter bytes: Memory for at least `longestRecord` bytes.
  /// - Returns: the number of bytes written.
  public static func encode(_ command: Command, into bytes: UnsafeMutableRawPointer) -> Int {
    let kind = kind(of: command.body)
    let length = recordLength(of: command.body)
    var header = RecordWriter(bytes)
    header.put(kind.rawValue)
    header.put(UInt16(length))
    header.put(command.session.rawValue)
    header.put(command.clientSequence)
    header.put(command.time.nanoseconds)
    invariant(header.offset == headerLength, "a header has its documented length")
    invariant(
      length % 8 == 0 && length <= longestRecord, "the next record is aligned")
    var payload = RecordWriter(bytes + headerLength)
    write(command.body, to: &payload)
    invariant(payload.offset == length - headerLength, "a record has its documented length")
    return length
  }

  /// Rules of an unknown version are an error: they show that a newer program wrote the journal.
  static func checked(_ rules: SetRules) throws(Failure) -> SetRules {
    guard rules.version <= RulesVersion.newest else { throw .newerRules(rules.version) }
    return rules
  }

  /// Decodes the record at `offset` and moves `offset` after it.
  /// - Parameters:
  ///   - bytes: Any bytes; nothing outside is accessed and no value traps.
  ///   - offset: 0 to `bytes.count`; unchanged if an error is thrown.
  ///   - sequence: The command's sequence number, which the record does not contain.
  /// - Throws: the reason why the record is invalid.
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
    let payloadLength = Int(length) - headerLength
    guard kind.allows(payloadLength: payloadLength) else {
      throw .wrongLength(kind, length: length)
    }
    guard available >= Int(length) else { throw .truncated(available: available) }
    let session = SessionId(header.u32())
    let clientSequence = header.u64()
    let time = Timestamp(nanoseconds: header.u64())
    invariant(header.offset == headerLength, "a header is read to its documented length")
    var payload = RecordReader(base + offset + headerLength, kind)
    let body = try readBody(kind, payloadLength: payloadLength, from: &payload)
    invariant(payload.offset == payloadLength, "a record is read to its documented length")
    offset += Int(length)
    return Command(
      session: session, clientSequence: clientSequence, body: body, sequence: sequence, time: time)
  }
}

// Everything that can change the exchange. Meter readings, timer ticks, settlement confirmations and
// operator acts are commands like orders: replaying the commands rebuilds the state, byte for byte.
// Every payload is BitwiseCopyable: it crosses rings and is written to the journal field by field. What can be
// asked, `Command.Body` and its structs, is declared in proto/ and generated.

/// One input of the exchange, stamped by the sequencer.
public struct Command: Sendable, BitwiseCopyable {
  /// Position in the journal. Stamped by the sequencer.
  public var sequence: SequenceNumber
  /// When it was sequenced; never decreases. Stamped by the sequencer.
  public var time: Timestamp
  /// Who sent it; decides what it may do. `.exchange` for the exchange's own.
  public var session: SessionId
  /// The client's message sequence number, echoed in a reject. 0 for the exchange's own.
  public var clientSequence: UInt64
  /// What is asked.
  public var body: Body

  /// A command as a gateway makes it; the sequencer stamps the rest.
  @inlinable public init(
    session: SessionId, clientSequence: UInt64 = 0, body: Body,
    sequence: SequenceNumber = .none, time: Timestamp = Timestamp(nanoseconds: 0)
  ) {
    (self.sequence, self.time, self.session) = (sequence, time, session)
    (self.clientSequence, self.body) = (clientSequence, body)
  }
}

extension MassCancel {
  /// Which sides.
  public enum Sides: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    case buy = 0
    case sell = 1
    case both = 2
    /// Whether orders of `side` pass.
    @inlinable public func contains(_ side: Side) -> Bool {
      self == .both || rawValue == side.rawValue
    }
  }
}

/// Versions of the rules. Every change that makes other events of the same commands takes a number, so that
/// old journals replay as they were: docs/MARKET-RULES.md says what each changed.
public enum RulesVersion {
  /// What a journal without `SetRules` is replayed with.
  public static let first: UInt32 = 1
  /// What a new market begins with.
  public static let newest: UInt32 = 2
}

extension BeginSession {
  /// Never cancels on disconnect.
  public static let never = UInt32.max
}

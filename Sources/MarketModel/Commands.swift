// The inputs of the exchange. Meter readings, timer ticks, settlement confirmations and operator
// actions are commands like orders, so that replaying the commands rebuilds the state byte for
// byte. Every payload is BitwiseCopyable, because it passes through rings and is journaled field by
// field. `Command.Body` and its structs are generated from proto/joulebook.xml and
// proto/journal.xml.

/// One input of the exchange, stamped by the sequencer.
public struct Command: Sendable, BitwiseCopyable {
  /// Position in the journal. Stamped by the sequencer.
  public var sequence: SequenceNumber
  /// The time of sequencing; never decreases. Stamped by the sequencer.
  public var time: Timestamp
  /// The sender, whose roles determine the permissions. `.exchange` for commands of the exchange
  /// itself.
  public var session: SessionId
  /// The sequence number of the client's message, repeated in rejects and acknowledgements. 0 for
  /// commands of the exchange itself.
  public var clientSequence: UInt64
  /// The kind of command and its payload.
  public var body: Body

  /// A command of a gateway. The sequencer stamps `sequence` and `time`.
  @inlinable public init(
    session: SessionId, clientSequence: UInt64 = 0, body: Body,
    sequence: SequenceNumber = .none, time: Timestamp = Timestamp(nanoseconds: 0)
  ) {
    (self.sequence, self.time, self.session) = (sequence, time, session)
    (self.clientSequence, self.body) = (clientSequence, body)
  }
}

extension MassCancel {
  /// The sides of the book to which a cancel applies.
  public enum Sides: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    case buy = 0
    case sell = 1
    case both = 2
    /// Whether orders on `side` pass the filter.
    @inlinable public func contains(_ side: Side) -> Bool {
      self == .both || rawValue == side.rawValue
    }
  }
}

/// What a limit bounds, and of what (market rules 14).
public enum LimitKind: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Of a session: messages per second, cancels excepted.
  case messagesPerSecond = 0
  /// Of an account: the quantity of an order, Wh.
  case orderQuantity = 1
  /// Of an account: its open orders.
  case openOrders = 2
  /// Of an account: the notional of the orders that it enters in a day (UTC), 1e-8 currency.
  case dailyNotional = 3
  /// Of an account: the cash of one currency that its open orders reserve, 1e-8.
  case cashAtRisk = 4
  /// Of a participant: the accounts to which its administrator may bring it.
  case accounts = 5
  /// Of a participant: the sessions to which its administrator may bring it.
  case sessions = 6
}

/// Versions of the market rules. A change of the rules that gives other events for equal commands
/// gets a new version, so that old journals replay unchanged. docs/MARKET-RULES.md lists the
/// changes of each version.
public enum RulesVersion {
  /// The version for a journal without `SetRules`.
  public static let first: UInt32 = 1
  /// The version of a new market.
  public static let newest: UInt32 = 8
}

extension BeginSession {
  /// The value of `cancelAfter` that disables cancel on disconnect.
  public static let never = UInt32.max
}

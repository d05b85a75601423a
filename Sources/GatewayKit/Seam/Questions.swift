import MarketModel

/// What a client may ask the exchange.
public enum Question: Equatable, Sendable {
  /// How an order is.
  case orderState(OrderId)
  /// Why an order does not trade.
  case explanation(OrderId)
  /// What an account has.
  case balance(AccountId, AreaId)
  /// How the server is.
  case status(withStateHash: Bool)
}

/// What the exchange says to a question.
public struct Answer: Sendable {
  /// What was found.
  public enum Finding: Sendable {
    /// The order; `nil` when it is not open.
    case orderState(OrderState?)
    /// Why it does not trade; `nil` when it is not open.
    case explanation(OrderExplanation?)
    /// The balances; `nil` when the account has none in that area, or one of them is unknown.
    case balance(Balance?)
    /// What the gateway knows is filled in by it; see `ServerStatus.fill`.
    case status(ServerStatus)
  }

  /// What was found.
  public var finding: Finding
  /// The last command that was applied then: the answer is true of the exchange as that left it. Never
  /// below that of an answer before.
  public var through: SequenceNumber

  /// Both fields.
  public init(_ finding: Finding, through: SequenceNumber) {
    (self.finding, self.through) = (finding, through)
  }
}

/// Reports that a session asks for again.
public struct RetransmitQuery: Equatable, Sendable {
  /// Whose.
  public var session: SessionId
  /// In which version.
  public var version: UInt64
  /// The first.
  public var from: UInt64
  /// How many.
  public var count: UInt32
  /// Comes back in the answer.
  public var timestamp: Timestamp
  /// Who asks.
  public var gateway: GatewayNumber
  /// Of its connections; nowhere once that is lost: the session's next one asks itself.
  public var connection: UInt64

  /// All fields.
  public init(
    session: SessionId, version: UInt64, from: UInt64, count: UInt32, timestamp: Timestamp,
    gateway: GatewayNumber = .first, connection: UInt64
  ) {
    (self.session, self.version, self.from, self.count) = (session, version, from, count)
    (self.timestamp, self.gateway, self.connection) = (timestamp, gateway, connection)
  }
}

/// What happened to a session, for the log.
public enum GatewayNotice: Equatable, Sendable {
  /// It did not read and was cut when so many bytes waited.
  case slowReader(SessionId, bytes: Int)
  /// Its key was locked after bad signatures.
  case keyLocked(SessionId)
  /// It sends more than it may; said once a connection.
  case throttled(SessionId, Refusal)
  /// Its connection is gone; its orders are cancelled in so many ms.
  case disconnected(SessionId, cancelAfter: UInt32)
}

/// What became of a command that was submitted.
public enum SubmitResult: Equatable, Sendable {
  /// It is in the intake and will be applied.
  case taken
  /// The intake is full: the gateway stops reading from this client and shows the message again at
  /// the end of the turn, and then each turn until it is taken.
  case full
  /// It is not taken at all; the client gets a Rejected with this code: 1012, 9001, 9002.
  case refused(Refusal)
}

/// How the server is; the fields of the protocol's Status message.
public struct ServerStatus: Equatable, Sendable {
  /// The exchange's time.
  public var time = Timestamp(nanoseconds: 0)
  /// Last command applied.
  public var lastSequence = SequenceNumber.none
  /// Last command that is durable in the journal.
  public var durableSequence = SequenceNumber.none
  /// Rolling hash over all events.
  public var eventHash: UInt64 = 0
  /// Hash of the whole state; 0 when it was not asked for.
  public var stateHash: UInt64 = 0
  /// Last command that the ledger has confirmed.
  public var settledSequence = SequenceNumber.none
  /// Last settlement batch that the ledger has confirmed.
  public var settledBatch: UInt64 = 0
  /// Trades so far.
  public var tradeCount: UInt64 = 0
  /// Open orders.
  public var openOrderCount: UInt32 = 0
  /// Established sessions; the gateway knows.
  public var connectionCount: UInt32 = 0
  /// Participants.
  public var participantCount: UInt32 = 0
  /// Participants' accounts.
  public var accountCount: UInt32 = 0
  /// Areas.
  public var areaCount: UInt32 = 0
  /// Instruments.
  public var instrumentCount: UInt32 = 0
  /// Meters.
  public var meterCount: UInt32 = 0
  /// The version of the rules in force.
  public var rulesVersion: UInt32 = 0
  /// Commands of the journal that an operator had left out.
  public var refusedCommandCount: UInt32 = 0

  /// All zero.
  public init() {}

  /// Fills in what gateways know: how many there are of each kind, and who is connected.
  public mutating func fill(_ counts: ReferenceData.Counts, connections: Int) {
    (participantCount, accountCount) = (counts.participants, counts.accounts)
    (areaCount, instrumentCount, meterCount) = (counts.areas, counts.instruments, counts.meters)
    connectionCount = UInt32(connections)
  }
}

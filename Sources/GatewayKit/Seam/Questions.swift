import MarketModel

/// A client's query to the exchange.
public enum Question: Equatable, Sendable {
  /// The state of an order, if the asker may know it.
  case orderState(OrderId, Asker)
  /// The reason why an order does not trade, if the asker may know it.
  case explanation(OrderId, Asker)
  /// The balance of an account in an area.
  case balance(AccountId, AreaId)
  /// The status of the server; the state hash takes time linear in the state.
  case status(withStateHash: Bool)
  /// A page of a list. The gateway has checked that the asker may see it.
  case list(ListQuery)
}

/// Who asks about an order. The exchange compares it with the order's owner before it looks
/// further, so that a question without permission costs as little as one about an unknown order.
public enum Asker: Equatable, Sendable {
  /// An administrator, who may ask about every order, or a gateway that checks the answer itself.
  case anyOwner
  /// A session of the participant, which may ask about the orders of the participant's accounts.
  case participant(ParticipantId)

  /// Whether it may ask about an order of an account of `owner`; `nil`: there is no such account.
  public func mayAsk(of owner: ParticipantId?) -> Bool {
    switch self {
    case .anyOwner: true
    case .participant(let participant): participant == owner
    }
  }
}

/// The exchange's answer to a question.
public struct Answer: Sendable {
  /// The content of an answer.
  public enum Finding: Sendable {
    /// The order; `nil` if it is not open or the asker may not know it.
    case orderState(OrderState?)
    /// The reasons; `nil` if the order is not open or the asker may not know it.
    case explanation(OrderExplanation?)
    /// The balance; `nil` if account or area is unknown.
    case balance(Balance?)
    /// The status. The gateway fills in the counts that it knows; see `ServerStatus.fill`.
    case status(ServerStatus)
    /// The rows that the exchange keeps.
    case list(ListPage)
  }

  /// The content.
  public var finding: Finding
  /// The last command applied before the question, so the answer describes the state after it. It
  /// never falls from one answer to the next.
  public var through: SequenceNumber

  /// An answer that is valid after the command `through`.
  public init(_ finding: Finding, through: SequenceNumber) {
    (self.finding, self.through) = (finding, through)
  }
}

/// A session's request to receive reports again.
public struct RetransmitQuery: Equatable, Sendable {
  /// The session.
  public var session: SessionId
  /// Its version.
  public var version: UInt64
  /// Number of the first report requested.
  public var from: UInt64
  /// Number of reports requested.
  public var count: UInt32
  /// Timestamp of the request, repeated in the answer.
  public var timestamp: Timestamp
  /// The gateway that asks.
  public var gateway: GatewayNumber
  /// The gateway's connection that asks. If it is lost, the answer is dropped; the client asks
  /// again on its next connection.
  public var connection: UInt64

  /// A request for `count` reports starting at number `from`.
  public init(
    session: SessionId, version: UInt64, from: UInt64, count: UInt32, timestamp: Timestamp,
    gateway: GatewayNumber = .first, connection: UInt64
  ) {
    (self.session, self.version, self.from, self.count) = (session, version, from, count)
    (self.timestamp, self.gateway, self.connection) = (timestamp, gateway, connection)
  }
}

/// A session's request for a page of settled trades. The gateway has checked that the session may see
/// the rows of `list`, which it selects from the answer.
public struct TradesRequest: Equatable, Sendable {
  /// The list of which a page is asked for.
  public var list: ListQuery
  /// Trades at or after the lower bound and before the upper one.
  public var period: Range<Timestamp>
  /// The last command whose trades are asked for: what was delivered at the request.
  public var through: SequenceNumber
  /// The session that asks.
  public var session: SessionId
  /// Its version.
  public var version: UInt64
  /// Sequence number of the request.
  public var reference: UInt64
  /// The gateway that asks.
  public var gateway: GatewayNumber
  /// The gateway's connection that asks. If it is lost, the answer is dropped.
  public var connection: UInt64

  /// A request for a page.
  public init(
    _ list: ListQuery, in period: Range<Timestamp>, through: SequenceNumber, session: SessionId,
    version: UInt64, reference: UInt64, gateway: GatewayNumber, connection: UInt64
  ) {
    (self.list, self.period, self.through) = (list, period, through)
    (self.session, self.version, self.reference) = (session, version, reference)
    (self.gateway, self.connection) = (gateway, connection)
  }

  /// What is asked of the ledger: all sides of the trades that a page passes over, unless all of them
  /// are wanted.
  public var query: TradesQuery {
    let isOfAll = list.participant == nil && list.account == .null
    return TradesQuery(
      period, cursor: list.cursor, count: isOfAll ? list.count : .max, through: through)
  }
}

/// The answer to a request for trades.
public enum TradesAnswer: Sendable {
  /// A page.
  case page(TradesPage)
  /// The ledger cannot be read now.
  case unavailable
  /// The server keeps no ledger.
  case noLedger
}

/// Something about a session that is logged for operators.
public enum GatewayNotice: Equatable, Sendable {
  /// The client did not read and was terminated with this many bytes queued.
  case slowReader(SessionId, bytes: Int)
  /// A log-on in the name of this session was refused.
  case logOnRefused(SessionId, LogOnFailure, from: LogOnAddress?)
  /// The session exceeds a rate limit. Reported once per connection.
  case throttled(SessionId, Refusal)
  /// The session lost its connection; its orders are cancelled after `cancelAfter` ms, unless it
  /// returns.
  case disconnected(SessionId, cancelAfter: UInt32)
  /// The client ended the session in order; its orders are cancelled after `cancelAfter` ms, unless
  /// it returns.
  case ended(SessionId, cancelAfter: UInt32)
  /// The gateway ends the connection of a session that has proved who it is, because its client broke
  /// the protocol: it sent a bad frame (2001 and so on), flooded (9004), was silent (1010), or its
  /// numbers cannot go on.
  case brokeProtocol(SessionId, Refusal, from: LogOnAddress?)
  /// An operator's command ended the session's connection.
  case cutOff(SessionId, Refusal)
}

/// The result of submitting a command.
public enum SubmitResult: Equatable, Sendable {
  /// The command is in the intake and will be applied.
  case taken
  /// The intake is full. The gateway stops reading from this client and submits the message again
  /// at the end of each turn until it is accepted.
  case full
  /// The command is not accepted; the client receives Rejected with this code: 1012, 9001 or 9002.
  case refused(Refusal)
}

/// The status of the server; the fields of the protocol's Status message.
public struct ServerStatus: Equatable, Sendable {
  /// Present time of the exchange.
  public var time = Timestamp(nanoseconds: 0)
  /// The last command applied.
  public var lastSequence = SequenceNumber.none
  /// The last command that is durable.
  public var durableSequence = SequenceNumber.none
  /// Rolling hash over all events.
  public var eventHash: UInt64 = 0
  /// Hash of the whole state; 0 if it was not requested.
  public var stateHash: UInt64 = 0
  /// The last command whose settlement the ledger has confirmed.
  public var settledSequence = SequenceNumber.none
  /// The last settlement batch that the ledger has confirmed.
  public var settledBatch: UInt64 = 0
  /// Number of trades since the first command.
  public var tradeCount: UInt64 = 0
  /// Number of open orders.
  public var openOrderCount: UInt32 = 0
  /// Number of established sessions; filled in by the gateway.
  public var connectionCount: UInt32 = 0
  /// Number of participants.
  public var participantCount: UInt32 = 0
  /// Number of participants' accounts.
  public var accountCount: UInt32 = 0
  /// Number of areas.
  public var areaCount: UInt32 = 0
  /// Number of instruments.
  public var instrumentCount: UInt32 = 0
  /// Number of meters.
  public var meterCount: UInt32 = 0
  /// Version of the rules in force.
  public var rulesVersion: UInt32 = 0
  /// Number of commands in the journal that an operator refused.
  public var refusedCommandCount: UInt32 = 0
  /// Transfers of the ledger that the history of accounts lacks; the highest number: none is filled.
  public var historyLag: UInt64 = .max

  /// Creates a status in which every field is 0.
  public init() {}

  /// Fills in the number of reference data and of connections, which only gateways know.
  public mutating func fill(_ counts: ReferenceData.Counts, connections: Int) {
    (participantCount, accountCount) = (counts.participants, counts.accounts)
    (areaCount, instrumentCount, meterCount) = (counts.areas, counts.instruments, counts.meters)
    connectionCount = UInt32(connections)
  }
}

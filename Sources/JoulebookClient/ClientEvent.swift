import MarketModel

/// A decoded message from the server.
public struct ClientMessage: Sendable {
  /// Number of the report in this session version, or of the market-data message in its area; 0 for
  /// an answer or a part of a snapshot, which are not numbered.
  public var sequence: UInt64
  /// Time of the event, by the exchange's clock; `.never` if the message has no time.
  public var time: Timestamp
  /// Monotonic time (`Client.monotonicNow`) in ns when its bytes arrived: for latencies.
  public var receivedAt: UInt64
  /// Whether `sequence` numbers the session's reports rather than an area's market data.
  public var isReport: Bool
  /// Whether it was requested again; it may then arrive before or after newer ones.
  public var isRetransmitted = false
  /// The content of the message.
  public var event: ClientEvent
}

/// The content of a message from the server.
public enum ClientEvent: Sendable {
  /// A new order, before it was matched.
  case accepted(OrderReport)
  /// An order was replaced.
  case replaced(OrderReport)
  /// The cover of an open order changed. `quantity`, `type` and `timeInForce` are not sent: 0, limit,
  /// good till cancelled.
  case restated(OrderReport)
  /// Open quantity left the book without a trade.
  case canceled(CancelReport)
  /// One of the session's orders traded.
  case trade(TradeReport)
  /// One of the session's messages was rejected and changed nothing.
  case rejected(Rejection)
  /// A mass cancel is complete.
  case massCanceled(MassCancelReport)
  /// An account's balance; `reference` is 0 unless it answers a request.
  case balance(Balance, reference: UInt64)
  /// A transfer was made.
  case transferred(Transfer, reference: UInt64)
  /// A standing instruction was set or removed.
  case agentSet(SetAgent, reference: UInt64)
  /// What a note said about an order; its `accepted` or `replaced` follows.
  case noted(NoteReport)
  /// An administrative command or a subscription took effect, or an order on behalf of another
  /// session was entered.
  case acknowledged(reference: UInt64)
  /// The effect of a meter reading.
  case metered(MeterReport)
  /// The effect of a later version of a reading.
  case corrected(CorrectionReport)
  /// The reading that was just rejected is kept in quarantine.
  case quarantined(QuarantineReport)
  /// The answer to `requestOrderStatus`.
  case orderStatus(OrderReport, reference: UInt64)
  /// The answer to `requestExplanation`.
  case explanation(OrderExplanationReport)
  /// One area of the reference data.
  case area(AreaState, reference: UInt64)
  /// One instrument of the reference data.
  case instrument(CreateInstrument, InstrumentState, reference: UInt64)
  /// All requested reference data were sent.
  case referenceDataEnd(areas: UInt32, instruments: UInt32, reference: UInt64)
  /// An instrument changed its state (market data of `area`).
  case stateChanged(InstrumentId, InstrumentState, area: AreaId)
  /// An order was added to the published book.
  case bookAdd(BookOrder)
  /// A published order changed.
  case bookModify(BookOrder)
  /// An order left the published book; its quantities are 0.
  case bookDelete(BookOrder)
  /// A trade on the market.
  case marketTrade(MarketTradeReport)
  /// The published depth of an instrument, or a part of it.
  case levels(LevelsReport)
  /// A changed level of the published depth (`subscribe` with `.levels`).
  case level(LevelReport)
  /// The best prices of an instrument, conflated (`subscribe` with `.top`).
  case top(TopReport)
  /// A snapshot is complete; it contains all messages of the channel up to the message's
  /// `sequence`.
  case snapshotEnd(area: AreaId, reference: UInt64)
  /// The next report is a copy of the given report of a version of another session (roles dropCopy
  /// and surveillance).
  case copied(of: SessionId, version: UInt64, report: UInt64)
  /// The ledger has settled a batch; everything up to this command is final (role dropCopy).
  case settled(batch: UInt64, through: SequenceNumber)
  /// Requested reports are not sent, with the reason; the session continues.
  case retransmissionRejected(code: RejectCode, limit: Int64)
  /// The status of the server.
  case status(StatusReport)
  /// A row of a list that no other message tells: an account, cash, a meter, a participant or a
  /// session.
  case listRow(ListRow, reference: UInt64)
  /// A page of a list is complete.
  case listEnd(ListEnd)
  /// Messages of this session that the server did not receive. Impossible on an unbroken
  /// connection.
  case notApplied(from: UInt64, count: UInt64)
}

/// One of the session's orders after a change.
public struct OrderReport: Equatable, Sendable, BitwiseCopyable {
  /// The exchange's order id.
  public var order: OrderId
  /// The client order id.
  public var clientOrderId: ClientOrderId
  /// The account that owns the order.
  public var account: AccountId
  /// The instrument.
  public var instrument: InstrumentId
  /// Bid or ask.
  public var side: Side
  /// Limit or market.
  public var type: OrderType
  /// How long the order stays open.
  public var timeInForce: TimeInForce
  /// The reason why `waiting` is not covered.
  public var waitReason: WaitReason
  /// Limit price.
  public var price: Price
  /// Total quantity, including what has been executed.
  public var quantity: Energy
  /// Open quantity: covered + waiting.
  public var leaves: Energy
  /// Quantity that can be executed now.
  public var covered: Energy
  /// Open quantity that is published but not covered.
  public var waiting: Energy { Energy(wattHours: leaves.wattHours - covered.wattHours) }
}

/// A quantity of one of the session's orders that left the book without a trade.
public struct CancelReport: Equatable, Sendable, BitwiseCopyable {
  /// The exchange's order id.
  public var order: OrderId
  /// The client order id.
  public var clientOrderId: ClientOrderId
  /// The account that owns the order.
  public var account: AccountId
  /// The instrument.
  public var instrument: InstrumentId
  /// Bid or ask.
  public var side: Side
  /// Quantity cancelled.
  public var quantity: Energy
  /// Remaining open quantity; 0 if the order has ended.
  public var leaves: Energy
  /// Remaining covered quantity.
  public var covered: Energy
  /// Reason for the cancel.
  public var reason: CancelReason
  /// The reason why the remaining uncovered quantity waits.
  public var waitReason: WaitReason
}

/// The session's side of a trade.
public struct TradeReport: Equatable, Sendable, BitwiseCopyable {
  /// Trade id; equal on both sides.
  public var trade: TradeId
  /// The exchange's id of the session's order; null: a reading of the account traded without one.
  public var order: OrderId
  /// The client order id.
  public var clientOrderId: ClientOrderId
  /// The account that owns the order.
  public var account: AccountId
  /// The instrument.
  public var instrument: InstrumentId
  /// Side of the session's order.
  public var side: Side
  /// Whether the session's order was the taker; otherwise it was resting.
  public var isTaker: Bool
  /// Trade price, which is the resting order's.
  public var price: Price
  /// Quantity traded.
  public var quantity: Energy
  /// Fee paid by the account.
  public var fee: Money
  /// Remaining open quantity of the session's order.
  public var leaves: Energy
  /// Whether the taker is a meter's account that had no order.
  public var isLocal = false
}

/// The result of a mass cancel.
public struct MassCancelReport: Equatable, Sendable, BitwiseCopyable {
  /// Sequence number of the MassCancel.
  public var reference: UInt64
  /// The request.
  public var request: MassCancel
  /// Number of orders cancelled.
  public var count: UInt64
}

/// The reason why an open order does not trade.
public struct OrderExplanationReport: Equatable, Sendable {
  /// Sequence number of the request.
  public var reference: UInt64
  /// The exchange's order id.
  public var order: OrderId
  /// The account that owns the order.
  public var account: AccountId
  /// The instrument.
  public var instrument: InstrumentId
  /// Bid or ask.
  public var side: Side
  /// Reason code of the protocol: 0 no crossing price, 1 awaiting energy, 2 awaiting headroom, 3
  /// halted, 4 closed, 5 own order.
  public var reason: UInt8
  /// Open quantity: covered + waiting.
  public var leaves: Energy
  /// Quantity that can be executed now.
  public var covered: Energy
  /// Energy or headroom that the order waits for.
  public var waiting: Energy
  /// Best live price on the other side; `nil` if there is none.
  public var bestOpposite: Price?
  /// Orders of the account with better prices that use the energy or headroom, by order id; at most
  /// 64. Of an order that waits for neither, its own order on the other side.
  public var blockers: [OrderExplanation.Blocker]
  /// Whether there are further ones.
  public var hasMoreBlockers: Bool
  /// Live quantity on its side that has priority over it; zero from servers before schema 8.
  public var ahead: Energy
  /// Whether more may be ahead.
  public var isAheadPartial: Bool
  /// The account's own order that it would meet; null if there is none.
  public var ownOrder: OrderId
}

/// An order in the published book.
public struct BookOrder: Equatable, Sendable, BitwiseCopyable {
  /// The exchange's order id.
  public var order: OrderId
  /// The instrument.
  public var instrument: InstrumentId
  /// The area of the market-data channel.
  public var area: AreaId
  /// Bid or ask.
  public var side: Side
  /// Limit price.
  public var price: Price
  /// Open quantity, including the waiting part.
  public var total: Energy
  /// Quantity that can be traded now.
  public var live: Energy
}

/// A published trade.
public struct MarketTradeReport: Equatable, Sendable, BitwiseCopyable {
  /// Trade id.
  public var trade: TradeId
  /// Id of the resting (maker) order.
  public var resting: OrderId
  /// The instrument.
  public var instrument: InstrumentId
  /// The area of the market-data channel.
  public var area: AreaId
  /// Side of the aggressor (taker).
  public var aggressor: Side
  /// Trade price, which is the resting order's.
  public var price: Price
  /// Quantity traded.
  public var quantity: Energy
  /// Whether the taker is a meter's account that had no order.
  public var isLocal = false
}

/// The published depth of one instrument, or a part of it.
public struct LevelsReport: Equatable, Sendable {
  /// One price level.
  public struct Level: Equatable, Sendable {
    /// Bids or asks.
    public var side: Side
    /// Price of the level.
    public var price: Price
    /// Open quantity at the price, including the waiting part.
    public var total: Energy
    /// Quantity at the price that can be traded now.
    public var live: Energy
    /// Number of orders at the price.
    public var orders: UInt32
  }

  /// The instrument.
  public var instrument: InstrumentId
  /// The area of the market-data channel.
  public var area: AreaId
  /// State of the instrument.
  public var state: InstrumentState
  /// Bids first, best price first on each side.
  public var levels: [Level]
}

/// One price level of the published depth, after a change.
public struct LevelReport: Equatable, Sendable, BitwiseCopyable {
  /// The instrument.
  public var instrument: InstrumentId
  /// The area of the market-data channel.
  public var area: AreaId
  /// Bids or asks.
  public var side: Side
  /// Price of the level.
  public var price: Price
  /// Open quantity at the price, including the waiting part.
  public var total: Energy
  /// Quantity at the price that can be traded now.
  public var live: Energy
  /// Number of orders at the price; 0 if the level is removed.
  public var orders: UInt32
}

/// The best prices of one instrument's book.
public struct TopReport: Equatable, Sendable {
  /// The best level of one side.
  public struct Best: Equatable, Sendable {
    /// Price of the level.
    public var price: Price
    /// Open quantity at the price, including the waiting part.
    public var total: Energy
    /// Quantity at the price that can be traded now.
    public var live: Energy
  }

  /// The instrument.
  public var instrument: InstrumentId
  /// The area of the market-data channel.
  public var area: AreaId
  /// The highest displayed bid, waiting orders included; its price is the selling price (market
  /// rules 4). `nil` if there is none.
  public var bid: Best?
  /// The lowest displayed ask, waiting orders included; its price is the buying price. `nil` if there
  /// is none.
  public var ask: Best?
  /// The live bid: the highest price of a bid that can trade now; `nil` if there is none.
  public var liveBid: Price?
  /// The live ask: the lowest price of an ask that can trade now; `nil` if there is none.
  public var liveAsk: Price?
}

/// The status of the server.
public struct StatusReport: Equatable, Sendable, BitwiseCopyable {
  /// Sequence number of the request.
  public var reference: UInt64
  /// The last command applied.
  public var lastSequence: SequenceNumber
  /// The last command that is durable.
  public var durableSequence: SequenceNumber
  /// Rolling hash over all events.
  public var eventHash: UInt64
  /// Hash of the whole state; 0 if it was not requested.
  public var stateHash: UInt64
  /// The last command whose settlement the ledger has confirmed.
  public var settledSequence: SequenceNumber
  /// The last settlement batch that the ledger has confirmed.
  public var settledBatch: UInt64
  /// Number of trades since the first command.
  public var tradeCount: UInt64
  /// Number of open orders.
  public var openOrderCount: UInt32
  /// Number of established sessions.
  public var connectionCount: UInt32
  /// Number of participants.
  public var participantCount: UInt32
  /// Number of participants' accounts.
  public var accountCount: UInt32
  /// Number of areas.
  public var areaCount: UInt32
  /// Number of instruments.
  public var instrumentCount: UInt32
  /// Number of meters.
  public var meterCount: UInt32
  /// Version of the rules in force; 0 if the server is older than this field.
  public var rulesVersion: UInt32
  /// Number of commands in the journal that an operator refused.
  public var refusedCommandCount: UInt32
  /// Transfers of the ledger that the history of accounts lacks; the highest number: none is filled, and
  /// of a server older than this field.
  public var historyLag: UInt64
}

/// What a note said about an order.
public struct NoteReport: Sendable, Equatable {
  /// The order.
  public var order: OrderId
  /// Its client order id.
  public var clientOrderId: ClientOrderId
  /// Its owner.
  public var account: AccountId
  /// What was said.
  public var text: NoteText
}

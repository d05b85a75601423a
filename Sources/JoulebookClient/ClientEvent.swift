import MarketModel

/// What the server said, decoded.
public struct ClientMessage: Sendable {
  /// Number of the report in this session version, or of the market-data message in its area; 0: an
  /// answer or a part of a snapshot, outside the sequence.
  public var sequence: UInt64
  /// When it happened; `.never` where the message carries no time.
  public var time: Timestamp
  /// Monotonic ns when its bytes arrived here (`Client.monotonicNow`): for latencies.
  public var receivedAt: UInt64
  /// Whether `sequence` counts in the session's reports rather than in an area's market data.
  public var isReport: Bool
  /// Whether it was asked for again, and came before or instead of newer ones.
  public var isRetransmitted = false
  /// What happened.
  public var event: ClientEvent
}

/// What can happen.
public enum ClientEvent: Sendable {
  /// An order entered, as it stood before it matched.
  case accepted(OrderReport)
  /// An order was changed.
  case replaced(OrderReport)
  /// The cover of an open order changed. `quantity`, `type` and `timeInForce` are not sent: 0, limit,
  /// good till cancelled.
  case restated(OrderReport)
  /// Quantity left the book without a trade.
  case canceled(CancelReport)
  /// One of our orders traded.
  case trade(TradeReport)
  /// A message of ours changed nothing.
  case rejected(Rejection)
  /// The end of a mass cancel.
  case massCanceled(MassCancelReport)
  /// An account's balances; `reference` 0 unless it answers a request.
  case balance(Balance, reference: UInt64)
  /// A transfer took place.
  case transferred(Transfer, reference: UInt64)
  /// A standing instruction was left or removed.
  case agentSet(SetAgent, reference: UInt64)
  /// An operator's command or a subscription took effect, or an order on behalf of another session entered.
  case acknowledged(reference: UInt64)
  /// What a meter reading did.
  case metered(MeterReport)
  /// The answer to `requestOrderStatus`.
  case orderStatus(OrderReport, reference: UInt64)
  /// The answer to `requestExplanation`.
  case explanation(OrderExplanationReport)
  /// One area of the reference data.
  case area(AreaState, reference: UInt64)
  /// One instrument of the reference data.
  case instrument(CreateInstrument, InstrumentState, reference: UInt64)
  /// The reference data are complete.
  case referenceDataEnd(areas: UInt32, instruments: UInt32, reference: UInt64)
  /// An instrument was opened, halted or closed (market data of `area`).
  case stateChanged(InstrumentId, InstrumentState, area: AreaId)
  /// An order rests in the published book.
  case bookAdd(BookOrder)
  /// A resting order changed.
  case bookModify(BookOrder)
  /// An order left the published book; its quantities are 0.
  case bookDelete(BookOrder)
  /// A trade on the market.
  case marketTrade(MarketTradeReport)
  /// The published depth of an instrument, or part of it.
  case levels(LevelsReport)
  /// A level of the published depth as it is now (`subscribe` with `.levels`).
  case level(LevelReport)
  /// The best prices of an instrument, conflated (`subscribe` with `.top`).
  case top(TopReport)
  /// A snapshot is complete; it contains what the channel said up to the message's `sequence`.
  case snapshotEnd(area: AreaId, reference: UInt64)
  /// The next report is a copy of this one of another session of the participant (role dropCopy).
  case copied(of: SessionId, report: UInt64)
  /// The ledger has settled a batch: everything up to this command is final (role dropCopy).
  case settled(batch: UInt64, through: SequenceNumber)
  /// Reports are not sent again, and why; the session goes on.
  case retransmissionRejected(code: RejectCode, limit: Int64)
  /// How the server is.
  case status(StatusReport)
  /// Messages of ours that the server never got. Cannot happen on an unbroken connection.
  case notApplied(from: UInt64, count: UInt64)
}

/// An order of ours after a change.
public struct OrderReport: Equatable, Sendable, BitwiseCopyable {
  /// The exchange's number for it.
  public var order: OrderId
  /// Our number for it.
  public var clientOrderId: ClientOrderId
  /// Owner.
  public var account: AccountId
  /// What it trades.
  public var instrument: InstrumentId
  /// Buy or sell.
  public var side: Side
  /// Limit or market.
  public var type: OrderType
  /// How long it stands.
  public var timeInForce: TimeInForce
  /// Why `waiting` waits.
  public var waitReason: WaitReason
  /// Limit price.
  public var price: Price
  /// Total quantity, what has executed included.
  public var quantity: Energy
  /// Open quantity = covered + waiting.
  public var leaves: Energy
  /// Executable now.
  public var covered: Energy
  /// Published but not executable.
  public var waiting: Energy { Energy(wattHours: leaves.wattHours - covered.wattHours) }
}

/// Quantity of an order of ours that left the book without a trade.
public struct CancelReport: Equatable, Sendable, BitwiseCopyable {
  /// The order.
  public var order: OrderId
  /// Our number for it.
  public var clientOrderId: ClientOrderId
  /// Owner.
  public var account: AccountId
  /// What it trades.
  public var instrument: InstrumentId
  /// Buy or sell.
  public var side: Side
  /// What was cancelled.
  public var quantity: Energy
  /// Open quantity that remains; 0: the order is gone.
  public var leaves: Energy
  /// Executable quantity that remains.
  public var covered: Energy
  /// Why.
  public var reason: CancelReason
  /// Why what remains uncovered waits.
  public var waitReason: WaitReason
}

/// Our side of a trade.
public struct TradeReport: Equatable, Sendable, BitwiseCopyable {
  /// The trade; the same on both sides.
  public var trade: TradeId
  /// Our order.
  public var order: OrderId
  /// Our number for it.
  public var clientOrderId: ClientOrderId
  /// Owner.
  public var account: AccountId
  /// What was traded.
  public var instrument: InstrumentId
  /// Side of our order.
  public var side: Side
  /// Whether our order was entering; otherwise it rested.
  public var isTaker: Bool
  /// The resting order's price.
  public var price: Price
  /// How much.
  public var quantity: Energy
  /// Fee that we paid.
  public var fee: Money
  /// Open quantity of our order that remains.
  public var leaves: Energy
}

/// The end of a mass cancel.
public struct MassCancelReport: Equatable, Sendable, BitwiseCopyable {
  /// Sequence number of our MassCancel.
  public var reference: UInt64
  /// What was asked.
  public var request: MassCancel
  /// How many orders it cancelled.
  public var count: UInt64
}

/// What a meter reading did: produced = credited + lost; consumed = burned + imported.
public struct MeterReport: Equatable, Sendable, BitwiseCopyable {
  /// Sequence number of our MeterReading.
  public var reference: UInt64
  /// The meter.
  public var meter: MeterId
  /// As in the reading.
  public var registerSequence: UInt64
  /// Whose energy.
  public var account: AccountId
  /// Where.
  public var area: AreaId
  /// As in the reading.
  public var produced: Energy
  /// As in the reading.
  public var consumed: Energy
  /// Produced energy lost on its way into the storage.
  public var lost: Energy
  /// What was above the cap after trading, sold to the grid.
  public var exported: Energy
  /// What the grid paid for it.
  public var exportRevenue: Money
  /// Taken from the account's balance.
  public var burned: Energy
  /// What its balance lacked, bought from the grid.
  public var imported: Energy
  /// What the grid charged for it.
  public var importCost: Money
}

/// Why an open order does not trade.
public struct OrderExplanationReport: Equatable, Sendable {
  /// Sequence number of our request.
  public var reference: UInt64
  /// The order.
  public var order: OrderId
  /// Owner.
  public var account: AccountId
  /// What it trades.
  public var instrument: InstrumentId
  /// Buy or sell.
  public var side: Side
  /// Why, as on the wire: 0 no crossing price, 1 awaiting energy, 2 awaiting headroom, 3 halted,
  /// 4 closed, 5 own order.
  public var reason: UInt8
  /// Open quantity = covered + waiting.
  public var leaves: Energy
  /// Executable now.
  public var covered: Energy
  /// How much energy or headroom it waits for.
  public var waiting: Energy
  /// Best live price on the other side, if there is one.
  public var bestOpposite: Price?
  /// Better-priced orders of the same account, best first; 64 at most.
  public var blockers: [OrderExplanation.Blocker]
  /// Whether there are more.
  public var hasMoreBlockers: Bool
}

/// A resting order of the market.
public struct BookOrder: Equatable, Sendable, BitwiseCopyable {
  /// The order.
  public var order: OrderId
  /// What it trades.
  public var instrument: InstrumentId
  /// The channel.
  public var area: AreaId
  /// Buy or sell.
  public var side: Side
  /// Its limit.
  public var price: Price
  /// Open quantity, waiting included.
  public var total: Energy
  /// What can be had now.
  public var live: Energy
}

/// A trade on the market.
public struct MarketTradeReport: Equatable, Sendable, BitwiseCopyable {
  /// The trade.
  public var trade: TradeId
  /// The maker's order.
  public var resting: OrderId
  /// What was traded.
  public var instrument: InstrumentId
  /// The channel.
  public var area: AreaId
  /// Side of the taker.
  public var aggressor: Side
  /// The resting order's price.
  public var price: Price
  /// How much.
  public var quantity: Energy
}

/// The published depth of one instrument, or a part of it.
public struct LevelsReport: Equatable, Sendable {
  /// One level.
  public struct Level: Equatable, Sendable {
    /// Bids or asks.
    public var side: Side
    /// The level.
    public var price: Price
    /// Open quantity there, waiting included.
    public var total: Energy
    /// What can be had now.
    public var live: Energy
    /// How many orders.
    public var orders: UInt32
  }

  /// What is traded.
  public var instrument: InstrumentId
  /// The channel.
  public var area: AreaId
  /// Open, halted or closed.
  public var state: InstrumentState
  /// Bids first, best first on each side.
  public var levels: [Level]
}

/// One level of the published depth after a change.
public struct LevelReport: Equatable, Sendable, BitwiseCopyable {
  /// What is traded.
  public var instrument: InstrumentId
  /// The channel.
  public var area: AreaId
  /// Bids or asks.
  public var side: Side
  /// The level.
  public var price: Price
  /// Open quantity there, waiting included.
  public var total: Energy
  /// What can be had now.
  public var live: Energy
  /// How many orders; 0: the level is gone.
  public var orders: UInt32
}

/// The top of one instrument's book.
public struct TopReport: Equatable, Sendable {
  /// The best level of one side.
  public struct Best: Equatable, Sendable {
    /// Its price.
    public var price: Price
    /// Open quantity there, waiting included.
    public var total: Energy
    /// What of it can be had now.
    public var live: Energy
  }

  /// What is traded.
  public var instrument: InstrumentId
  /// The channel.
  public var area: AreaId
  /// Best bid of all resting orders; `nil`: there is none.
  public var bid: Best?
  /// Best ask of all resting orders; `nil`: there is none.
  public var ask: Best?
  /// Best bid that can be had now.
  public var liveBid: Price?
  /// Best ask that can be had now.
  public var liveAsk: Price?
}

/// How the server is.
public struct StatusReport: Equatable, Sendable, BitwiseCopyable {
  /// Sequence number of our request.
  public var reference: UInt64
  /// Last command applied.
  public var lastSequence: SequenceNumber
  /// Last command that is durable in the journal.
  public var durableSequence: SequenceNumber
  /// Rolling hash over all events.
  public var eventHash: UInt64
  /// Hash of the whole state; 0 when it was not asked for.
  public var stateHash: UInt64
  /// Last command that the ledger has confirmed.
  public var settledSequence: SequenceNumber
  /// Last settlement batch that the ledger has confirmed.
  public var settledBatch: UInt64
  /// Trades so far.
  public var tradeCount: UInt64
  /// Open orders.
  public var openOrderCount: UInt32
  /// Established sessions.
  public var connectionCount: UInt32
  /// Participants.
  public var participantCount: UInt32
  /// Participants' accounts.
  public var accountCount: UInt32
  /// Areas.
  public var areaCount: UInt32
  /// Instruments.
  public var instrumentCount: UInt32
  /// Meters.
  public var meterCount: UInt32
  /// The version of the rules in force; 0: the server is older than the field.
  public var rulesVersion: UInt32
  /// Commands of the journal that an operator had left out.
  public var refusedCommandCount: UInt32
}

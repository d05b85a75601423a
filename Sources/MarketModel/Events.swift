// What the exchange says. Each event belongs to the command being applied: readers receive it with
// that command's sequence number and may act on it only when the command is durable.

/// Receives the events of the command being applied, in order. Owned by the exchange thread.
public protocol EventSink: ~Copyable {
  /// Takes one event. Must not call back into the exchange.
  mutating func emit(_ event: Event)
}

/// One consequence of a command. The frequent events are cases of their own and are written and read where
/// they stand (`EventKind`); the others belong to a family, so that a reader passes over a whole family.
public enum Event: Sendable, BitwiseCopyable, Equatable {
  case accepted(OrderState)
  case replaced(OrderState)
  case restated(OrderState)
  case canceled(OrderCanceled)
  case trade(Trade)
  case balance(Balance)
  case rejected(Rejected)
  case metered(Metered)
  case order(OrderEvent)
  case cash(CashEvent)
  case reference(ReferenceEvent)
  case session(SessionEvent)
  case control(ControlEvent)
}

/// An open order after a change: accepted, replaced or restated.
///
/// In `accepted`, `leaves`, `covered` are those on entry, before it matched; trades follow as events
/// of their own and carry the leaves they left.
public struct OrderState: Sendable, BitwiseCopyable, Equatable {
  /// The order.
  public var order: OrderId
  /// Its owner.
  public var account: AccountId
  /// What it trades.
  public var instrument: InstrumentId
  /// Where its reports go: the session that entered it, or on whose behalf it was entered.
  public var session: SessionId
  /// The client's id; 0 when the engine made it.
  public var clientOrderId: ClientOrderId
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
  /// Executable now: stands in the live book.
  public var covered: Energy

  /// Published but not executable.
  @inlinable public var waiting: Energy {
    Energy(wattHours: leaves.wattHours - covered.wattHours)
  }

  /// All fields, in order.
  @inlinable public init(
    order: OrderId, account: AccountId, instrument: InstrumentId, session: SessionId,
    clientOrderId: ClientOrderId, side: Side, type: OrderType, timeInForce: TimeInForce,
    waitReason: WaitReason, price: Price, quantity: Energy, leaves: Energy, covered: Energy
  ) {
    (self.order, self.account, self.instrument) = (order, account, instrument)
    (self.session, self.clientOrderId, self.side) = (session, clientOrderId, side)
    (self.type, self.timeInForce, self.waitReason) = (type, timeInForce, waitReason)
    (self.price, self.quantity) = (price, quantity)
    (self.leaves, self.covered) = (leaves, covered)
  }
}

/// What the market sees of an iceberg that rests: follows every event that changes such an order and
/// leaves it in the book.
public struct OrderDisplayed: Sendable, BitwiseCopyable, Equatable {
  /// The order.
  public var order: OrderId
  /// What is seen of its open quantity, waiting included.
  public var total: Energy
  /// What of that can be had now.
  public var live: Energy
  /// What was seen of it had traded: this is its next part, at the back of its price.
  public var isRefilled: Bool

  /// All fields, in order.
  @inlinable public init(order: OrderId, total: Energy, live: Energy, isRefilled: Bool) {
    (self.order, self.total, self.live) = (order, total, live)
    self.isRefilled = isRefilled
  }
}

/// Quantity left the book without a trade.
public struct OrderCanceled: Sendable, BitwiseCopyable, Equatable {
  /// The order after it; `leaves` 0 when it is gone.
  public var state: OrderState
  /// What was cancelled.
  public var quantity: Energy
  /// Why.
  public var reason: CancelReason

  /// A cancel of `quantity`.
  @inlinable public init(state: OrderState, quantity: Energy, reason: CancelReason) {
    (self.state, self.quantity, self.reason) = (state, quantity, reason)
  }
}

/// One side of a trade.
public struct TradeParty: Sendable, BitwiseCopyable, Equatable {
  /// Its order.
  public var order: OrderId
  /// Its account.
  public var account: AccountId
  /// Where its report goes.
  public var session: SessionId
  /// Its client order id.
  public var clientOrderId: ClientOrderId
  /// Fee paid, rounded against it.
  public var fee: Money
  /// Open quantity after the trade.
  public var leaves: Energy
  /// Executable quantity after the trade.
  public var covered: Energy

  /// All fields, in order.
  @inlinable public init(
    order: OrderId, account: AccountId, session: SessionId, clientOrderId: ClientOrderId,
    fee: Money, leaves: Energy, covered: Energy
  ) {
    (self.order, self.account, self.session) = (order, account, session)
    (self.clientOrderId, self.fee) = (clientOrderId, fee)
    (self.leaves, self.covered) = (leaves, covered)
  }
}

/// A trade, at the resting order's price.
public struct Trade: Sendable, BitwiseCopyable, Equatable {
  /// Its number.
  public var trade: TradeId
  /// What was traded.
  public var instrument: InstrumentId
  /// Side of the order that was entering (the taker).
  public var aggressor: Side
  /// The resting order's price.
  public var price: Price
  /// How much.
  public var quantity: Energy
  /// price x quantity: what the buyer pays the seller (negative: the seller pays).
  public var notional: Money
  /// Who bought.
  public var buyer: TradeParty
  /// Who sold.
  public var seller: TradeParty

  /// All fields, in order.
  @inlinable public init(
    trade: TradeId, instrument: InstrumentId, aggressor: Side, price: Price, quantity: Energy,
    notional: Money, buyer: TradeParty, seller: TradeParty
  ) {
    (self.trade, self.instrument, self.aggressor) = (trade, instrument, aggressor)
    (self.price, self.quantity, self.notional) = (price, quantity, notional)
    (self.buyer, self.seller) = (buyer, seller)
  }
}

/// A command that changed nothing, and why.
public struct Rejected: Sendable, BitwiseCopyable, Equatable {
  /// Why; see `proto/reject-codes.csv`.
  public var code: RejectCode
  /// The limit broken, in the unit the code names; 0 where there is none.
  public var limit: Int64
  /// Who asked.
  public var session: SessionId
  /// Sequence number of the client's message; 0 when the engine made the order itself.
  public var clientSequence: UInt64
  /// The account named, if any.
  public var account: AccountId
  /// The client order id named, if any.
  public var clientOrderId: ClientOrderId
  /// The order named, if any.
  public var order: OrderId

  /// All fields, in order.
  @inlinable public init(
    code: RejectCode, limit: Int64, session: SessionId, clientSequence: UInt64,
    account: AccountId = .null, clientOrderId: ClientOrderId = .engine, order: OrderId = .null
  ) {
    (self.code, self.limit, self.session) = (code, limit, session)
    (self.clientSequence, self.account) = (clientSequence, account)
    (self.clientOrderId, self.order) = (clientOrderId, order)
  }
}

/// The end of a mass cancel; each order had its own `canceled` before.
public struct MassCanceled: Sendable, BitwiseCopyable, Equatable {
  /// Who asked.
  public var session: SessionId
  /// Sequence number of the client's message.
  public var clientSequence: UInt64
  /// What was asked.
  public var request: MassCancel
  /// How many orders it cancelled.
  public var count: UInt32

  /// The end of `request`.
  @inlinable public init(
    session: SessionId, clientSequence: UInt64, request: MassCancel, count: UInt32
  ) {
    (self.session, self.clientSequence) = (session, clientSequence)
    (self.request, self.count) = (request, count)
  }
}

/// An account's balances in one area, after all that the command caused.
public struct Balance: Sendable, BitwiseCopyable, Equatable {
  /// Whose.
  public var account: AccountId
  /// Where.
  public var area: AreaId
  /// In what.
  public var currency: Currency
  /// Cash not reserved; below zero by import only.
  public var free: Money
  /// Cash reserved by open orders.
  public var reserved: Money
  /// Stored energy.
  public var energy: Energy
  /// Bmax.
  public var cap: Energy
  /// Energy that covers asks.
  public var coveredAsks: Energy
  /// Headroom that covers bids.
  public var coveredBids: Energy
  /// Open ask quantity, waiting included.
  public var openAsks: Energy
  /// Open bid quantity, waiting included.
  public var openBids: Energy

  /// All fields, in order.
  @inlinable public init(
    account: AccountId, area: AreaId, currency: Currency, free: Money, reserved: Money,
    energy: Energy, cap: Energy, coveredAsks: Energy, coveredBids: Energy, openAsks: Energy,
    openBids: Energy
  ) {
    (self.account, self.area, self.currency) = (account, area, currency)
    (self.free, self.reserved, self.energy, self.cap) = (free, reserved, energy, cap)
    (self.coveredAsks, self.coveredBids) = (coveredAsks, coveredBids)
    (self.openAsks, self.openBids) = (openAsks, openBids)
  }

  /// How much more energy the account may hold.
  @inlinable public var headroom: Energy {
    Energy(wattHours: max(0, cap.wattHours - energy.wattHours))
  }
}

/// What a meter reading did (market rules 7). Energy is conserved: produced = credited + lost;
/// consumed = burned + imported.
public struct Metered: Sendable, BitwiseCopyable, Equatable {
  /// The reading.
  public var reading: MeterReading
  /// Who sent it.
  public var session: SessionId
  /// Sequence number of the client's message.
  public var clientSequence: UInt64
  /// Whose energy.
  public var account: AccountId
  /// Where.
  public var area: AreaId
  /// Produced energy that was lost on its way into the storage.
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

  /// All fields, in order.
  @inlinable public init(
    reading: MeterReading, session: SessionId, clientSequence: UInt64, account: AccountId,
    area: AreaId, lost: Energy, exported: Energy, exportRevenue: Money, burned: Energy,
    imported: Energy, importCost: Money
  ) {
    (self.reading, self.session, self.clientSequence) = (reading, session, clientSequence)
    (self.account, self.area, self.lost) = (account, area, lost)
    (self.exported, self.exportRevenue) = (exported, exportRevenue)
    (self.burned, self.imported, self.importCost) = (burned, imported, importCost)
  }
}

/// A transfer that took place.
public struct Transferred: Sendable, BitwiseCopyable, Equatable {
  /// What moved.
  public var transfer: Transfer
  /// Who asked.
  public var session: SessionId
  /// Sequence number of the client's message.
  public var clientSequence: UInt64

  /// A transfer that took place.
  @inlinable public init(transfer: Transfer, session: SessionId, clientSequence: UInt64) {
    (self.transfer, self.session, self.clientSequence) = (transfer, session, clientSequence)
  }
}

/// A deposit or withdrawal that took place.
public struct CashMoved: Sendable, BitwiseCopyable, Equatable {
  /// What moved.
  public var movement: CashMovement
  /// Who asked.
  public var session: SessionId
  /// Sequence number of the client's message.
  public var clientSequence: UInt64

  /// A movement that took place.
  @inlinable public init(movement: CashMovement, session: SessionId, clientSequence: UInt64) {
    (self.movement, self.session, self.clientSequence) = (movement, session, clientSequence)
  }
}

/// A standing instruction that was left or removed.
public struct SetAgentDone: Sendable, BitwiseCopyable, Equatable {
  /// The instruction.
  public var agent: SetAgent
  /// Who asked.
  public var session: SessionId
  /// Sequence number of the client's message.
  public var clientSequence: UInt64

  /// An instruction that took effect.
  @inlinable public init(agent: SetAgent, session: SessionId, clientSequence: UInt64) {
    (self.agent, self.session, self.clientSequence) = (agent, session, clientSequence)
  }
}

/// An operator's command took effect. Comes after the events that say what it did.
public struct Acknowledged: Sendable, BitwiseCopyable, Equatable {
  /// Who asked.
  public var session: SessionId
  /// Sequence number of the client's message.
  public var clientSequence: UInt64

  /// The command `clientSequence` of `session` took effect.
  @inlinable public init(session: SessionId, clientSequence: UInt64) {
    (self.session, self.clientSequence) = (session, clientSequence)
  }
}

/// An area as it was opened.
public struct AreaState: Sendable, BitwiseCopyable, Equatable {
  /// What was asked.
  public var definition: CreateArea
  /// Default cap: 2 Cu / (1.5 P), in whole Wh, rounded down.
  public var defaultCap: Energy

  /// An area as it was opened.
  @inlinable public init(definition: CreateArea, defaultCap: Energy) {
    (self.definition, self.defaultCap) = (definition, defaultCap)
  }
}

/// The end of a cancel on disconnect; each order had its own `canceled` before.
public struct SessionEnded: Sendable, BitwiseCopyable, Equatable {
  /// What was asked.
  public var request: EndSession
  /// How many orders it cancelled.
  public var count: UInt32

  /// The end of `request`.
  @inlinable public init(request: EndSession, count: UInt32) {
    (self.request, self.count) = (request, count)
  }
}

/// Something an operator must know. None of these occurs in a healthy run.
public struct Alarm: Sendable, BitwiseCopyable, Equatable {
  /// What happened.
  public enum Kind: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    /// A command's consequences reached the bound on re-cover steps; the rest is done with the next.
    case cascadeBound = 1
    /// A checkpoint in the journal differs from the replayed history.
    case checkpointMismatch = 2
  }
  /// What happened.
  public var kind: Kind
  /// A number that belongs to it: steps taken, or the expected hash's bits.
  public var value: Int64

  /// An alarm.
  @inlinable public init(kind: Kind, value: Int64) {
    (self.kind, self.value) = (kind, value)
  }
}

// The outputs of the exchange. Each event belongs to the command being applied. Readers receive it
// with the command's sequence number and may act on it only when the command is durable.

/// Receives the events of the command being applied, in order. Owned by the exchange thread.
public protocol EventSink: ~Copyable {
  /// Receives one event. Must not call the exchange.
  mutating func emit(_ event: Event)
}

/// A result of a command. Each frequent event is a separate case that is written and read in place
/// (`EventKind`). The others are grouped into families, so that a reader can skip a whole family.
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
  case metering(MeteringEvent)
  case session(SessionEvent)
  case control(ControlEvent)
}

/// An open order after a change: accepted, replaced or restated.
///
/// In `accepted`, `leaves` and `covered` are those on entry, before matching. Each trade follows as
/// a separate event with the leaves after it.
public struct OrderState: Sendable, BitwiseCopyable, Equatable {
  /// The order.
  public var order: OrderId
  /// The owner's account.
  public var account: AccountId
  /// The instrument.
  public var instrument: InstrumentId
  /// The session that receives the reports: the one that entered the order or on whose behalf it
  /// was entered.
  public var session: SessionId
  /// The client order id; 0 when the engine made the order.
  public var clientOrderId: ClientOrderId
  /// Buy or sell.
  public var side: Side
  /// Limit or market.
  public var type: OrderType
  /// How long the order stays open.
  public var timeInForce: TimeInForce
  /// Why the waiting quantity waits.
  public var waitReason: WaitReason
  /// Limit price.
  public var price: Price
  /// Total quantity, including what has executed.
  public var quantity: Energy
  /// Open quantity: covered + waiting.
  public var leaves: Energy
  /// The quantity that can execute; it is in the live book.
  public var covered: Energy

  /// The open quantity that cannot execute now.
  @inlinable public var waiting: Energy {
    Energy(wattHours: leaves.wattHours - covered.wattHours)
  }

  /// The state of an order from its parts.
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

/// The displayed quantity of a resting iceberg. Follows every event that changes the iceberg and
/// leaves it in the book.
public struct OrderDisplayed: Sendable, BitwiseCopyable, Equatable {
  /// The order.
  public var order: OrderId
  /// The displayed part of its leaves.
  public var total: Energy
  /// The part of `total` that can execute now.
  public var live: Energy
  /// Whether the former slice has traded, so that the order now displays its next slice at the back
  /// of its price.
  public var isRefilled: Bool

  /// A displayed quantity from its parts.
  @inlinable public init(order: OrderId, total: Energy, live: Energy, isRefilled: Bool) {
    (self.order, self.total, self.live) = (order, total, live)
    self.isRefilled = isRefilled
  }
}

/// A cancel of the whole or a part of an order's open quantity.
public struct OrderCanceled: Sendable, BitwiseCopyable, Equatable {
  /// The order after the cancel; `leaves` is 0 when the order has ended.
  public var state: OrderState
  /// The cancelled quantity.
  public var quantity: Energy
  /// The reason.
  public var reason: CancelReason

  /// A cancel of `quantity`.
  @inlinable public init(state: OrderState, quantity: Energy, reason: CancelReason) {
    (self.state, self.quantity, self.reason) = (state, quantity, reason)
  }
}

/// One side of a trade.
public struct TradeParty: Sendable, BitwiseCopyable, Equatable {
  /// The party's order.
  public var order: OrderId
  /// The party's account.
  public var account: AccountId
  /// The session that receives the report.
  public var session: SessionId
  /// The client order id of the order.
  public var clientOrderId: ClientOrderId
  /// The fee that the party pays, rounded up.
  public var fee: Money
  /// Open quantity after the trade.
  public var leaves: Energy
  /// Executable quantity after the trade.
  public var covered: Energy

  /// A party from its parts; `leaves` and `covered` are those after the trade.
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
  /// The trade's number.
  public var trade: TradeId
  /// The instrument.
  public var instrument: InstrumentId
  /// The side of the entering order (the taker).
  public var aggressor: Side
  /// The price of the resting order.
  public var price: Price
  /// The traded quantity.
  public var quantity: Energy
  /// price x quantity: the amount that the buyer pays to the seller; negative: the seller pays.
  public var notional: Money
  /// The buyer.
  public var buyer: TradeParty
  /// The seller.
  public var seller: TradeParty

  /// Whether the taker is a meter's account that had no order (market rules 7, "Local before grid");
  /// its party has no order, no session and leaves of 0.
  @inlinable public var isLocal: Bool { buyer.order == .null || seller.order == .null }

  /// A trade from its parts; `notional` is price x quantity.
  @inlinable public init(
    trade: TradeId, instrument: InstrumentId, aggressor: Side, price: Price, quantity: Energy,
    notional: Money, buyer: TradeParty, seller: TradeParty
  ) {
    (self.trade, self.instrument, self.aggressor) = (trade, instrument, aggressor)
    (self.price, self.quantity, self.notional) = (price, quantity, notional)
    (self.buyer, self.seller) = (buyer, seller)
  }
}

/// The reject of a command, which changed nothing.
public struct Rejected: Sendable, BitwiseCopyable, Equatable {
  /// The reason; proto/reject-codes.csv lists all codes.
  public var code: RejectCode
  /// The field whose value is not allowed, where the code alone does not say which. Not a part of
  /// the event hash.
  public var field: RejectField
  /// The limit that was exceeded, in the unit that the code names; 0 when there is none.
  public var limit: Int64
  /// The session that sent the command.
  public var session: SessionId
  /// Sequence number of the client's message; 0 when the engine made the order.
  public var clientSequence: UInt64
  /// The account that the command named, if any.
  public var account: AccountId
  /// The client order id that the command named, if any.
  public var clientOrderId: ClientOrderId
  /// The order that the command named, if any.
  public var order: OrderId

  /// A reject; account, client order id and order are those that the command named.
  @inlinable public init(
    code: RejectCode, limit: Int64, session: SessionId, clientSequence: UInt64,
    account: AccountId = .null, clientOrderId: ClientOrderId = .engine, order: OrderId = .null,
    field: RejectField = RejectField.none
  ) {
    (self.code, self.field, self.limit, self.session) = (code, field, limit, session)
    (self.clientSequence, self.account) = (clientSequence, account)
    (self.clientOrderId, self.order) = (clientOrderId, order)
  }
}

/// The end of a mass cancel. A `canceled` event of each order precedes it.
public struct MassCanceled: Sendable, BitwiseCopyable, Equatable {
  /// The session that sent the command.
  public var session: SessionId
  /// Sequence number of the client's message.
  public var clientSequence: UInt64
  /// The filter of the mass cancel.
  public var request: MassCancel
  /// The number of cancelled orders.
  public var count: UInt32

  /// The end of a mass cancel that cancelled `count` orders.
  @inlinable public init(
    session: SessionId, clientSequence: UInt64, request: MassCancel, count: UInt32
  ) {
    (self.session, self.clientSequence) = (session, clientSequence)
    (self.request, self.count) = (request, count)
  }
}

/// An account's balances in one area at the end of the command.
public struct Balance: Sendable, BitwiseCopyable, Equatable {
  /// The account.
  public var account: AccountId
  /// The area.
  public var area: AreaId
  /// The currency of the area.
  public var currency: Currency
  /// Cash that is not reserved. Only the cost of imported energy makes it negative.
  public var free: Money
  /// Cash reserved by open orders.
  public var reserved: Money
  /// Stored energy.
  public var energy: Energy
  /// The cap, Bmax.
  public var cap: Energy
  /// Energy that covers asks.
  public var coveredAsks: Energy
  /// Headroom that covers bids.
  public var coveredBids: Energy
  /// Open ask quantity, including the waiting part.
  public var openAsks: Energy
  /// Open bid quantity, including the waiting part.
  public var openBids: Energy

  /// The balances of an account in an area from their parts.
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

  /// The energy that the account may still add: the cap less the stored energy, at least 0.
  @inlinable public var headroom: Energy {
    Energy(wattHours: max(0, cap.wattHours - energy.wattHours))
  }
}

/// A transfer took effect.
public struct Transferred: Sendable, BitwiseCopyable, Equatable {
  /// The transfer.
  public var transfer: Transfer
  /// The session that sent it.
  public var session: SessionId
  /// Sequence number of the client's message.
  public var clientSequence: UInt64

  /// The event of a transfer of `session`.
  @inlinable public init(transfer: Transfer, session: SessionId, clientSequence: UInt64) {
    (self.transfer, self.session, self.clientSequence) = (transfer, session, clientSequence)
  }
}

/// A deposit or withdrawal took effect.
public struct CashMoved: Sendable, BitwiseCopyable, Equatable {
  /// The deposit or withdrawal.
  public var movement: CashMovement
  /// The session that sent it.
  public var session: SessionId
  /// Sequence number of the client's message.
  public var clientSequence: UInt64

  /// The event of a deposit or withdrawal that `session` sent.
  @inlinable public init(movement: CashMovement, session: SessionId, clientSequence: UInt64) {
    (self.movement, self.session, self.clientSequence) = (movement, session, clientSequence)
  }
}

/// A standing instruction was set or removed.
public struct SetAgentDone: Sendable, BitwiseCopyable, Equatable {
  /// The instruction.
  public var agent: SetAgent
  /// The session that sent it.
  public var session: SessionId
  /// Sequence number of the client's message.
  public var clientSequence: UInt64

  /// The event of an instruction of `session`.
  @inlinable public init(agent: SetAgent, session: SessionId, clientSequence: UInt64) {
    (self.agent, self.session, self.clientSequence) = (agent, session, clientSequence)
  }
}

/// What a note said about an order; the order's `accepted` or `replaced` follows.
public struct Noted: Sendable, BitwiseCopyable, Equatable {
  /// The order.
  public var order: OrderId
  /// The client order id that it has now.
  public var clientOrderId: ClientOrderId
  /// Its owner.
  public var account: AccountId
  /// The session whose order it is.
  public var session: SessionId
  /// What the note says.
  public var text: NoteText

  /// The note `text` about an order.
  @inlinable public init(
    order: OrderId, clientOrderId: ClientOrderId, account: AccountId, session: SessionId,
    text: NoteText
  ) {
    (self.order, self.clientOrderId, self.account) = (order, clientOrderId, account)
    (self.session, self.text) = (session, text)
  }
}

/// An operator's command took effect. Follows the events of its effects.
public struct Acknowledged: Sendable, BitwiseCopyable, Equatable {
  /// The session that sent the command.
  public var session: SessionId
  /// Sequence number of the client's message.
  public var clientSequence: UInt64

  /// The command `clientSequence` of `session` took effect.
  @inlinable public init(session: SessionId, clientSequence: UInt64) {
    (self.session, self.clientSequence) = (session, clientSequence)
  }
}

/// A new area.
public struct AreaState: Sendable, BitwiseCopyable, Equatable {
  /// The definition.
  public var definition: CreateArea
  /// Default cap: 2 Cu / (1.5 P), rounded down to whole Wh.
  public var defaultCap: Energy
  /// What its readings do.
  public var readings: AreaReadings

  /// A new area with the cap that follows from its definition.
  @inlinable public init(
    definition: CreateArea, defaultCap: Energy, readings: AreaReadings = AreaReadings()
  ) {
    (self.definition, self.defaultCap, self.readings) = (definition, defaultCap, readings)
  }
}

/// A limit was set or removed.
public struct LimitSet: Sendable, BitwiseCopyable, Equatable {
  /// The command.
  public var request: SetLimit
  /// The lower of the operator's and the participant administrator's value, in the unit of the
  /// kind; 0: none.
  public var inForce: Int64

  /// The event of a command after which the limit is `inForce`.
  @inlinable public init(request: SetLimit, inForce: Int64) {
    (self.request, self.inForce) = (request, inForce)
  }
}

/// A changed parameter took effect.
public struct ParameterSet: Sendable, BitwiseCopyable, Equatable {
  /// The change.
  public var change: SetParameter
  /// For a parameter of an area, its default cap afterwards; otherwise zero.
  public var defaultCap: Energy

  /// A change after which the area has `defaultCap`.
  @inlinable public init(change: SetParameter, defaultCap: Energy) {
    (self.change, self.defaultCap) = (change, defaultCap)
  }
}

/// The end of a cancel on disconnect. A `canceled` event of each order precedes it.
public struct SessionEnded: Sendable, BitwiseCopyable, Equatable {
  /// The command.
  public var request: EndSession
  /// The number of cancelled orders.
  public var count: UInt32

  /// The end of a cancel on disconnect that cancelled `count` orders.
  @inlinable public init(request: EndSession, count: UInt32) {
    (self.request, self.count) = (request, count)
  }
}

/// A condition that an operator must know. None occurs in normal operation.
public struct Alarm: Sendable, BitwiseCopyable, Equatable {
  /// The kinds of alarms.
  public enum Kind: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    /// A command's cascade reached `Capacity.cascadeSteps`; the next command continues it.
    case cascadeBound = 1
    /// A checkpoint in the journal differs from the hashes of the replay.
    case checkpointMismatch = 2
  }
  /// The kind of the alarm.
  public var kind: Kind
  /// For `cascadeBound` the number of steps; for `checkpointMismatch` the bits of the expected
  /// event hash.
  public var value: Int64

  /// An alarm; `kind` determines the meaning of `value`.
  @inlinable public init(kind: Kind, value: Int64) {
    (self.kind, self.value) = (kind, value)
  }
}

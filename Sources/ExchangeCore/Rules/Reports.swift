// What the exchange says of orders, trades and balances: written where it is read, and folded into the
// history's hash on the way.

import MarketModel

extension Exchange {
  /// Which event an order's state goes into.
  enum StateEvent: UInt64 {
    case accepted = 1
    case replaced = 2
    case restated = 3
  }

  @inline(__always) mutating func emitState(
    _ order: OpenOrder, _ kind: StateEvent, _ reason: WaitReason
  ) {
    write(order, reason, to: events.state(kind))
    history.fold(kind.rawValue, order)
  }

  /// Says that `quantity` of an order was cancelled; the order's own numbers are what it left.
  @inline(__always) mutating func emitCanceled(
    _ order: OpenOrder, _ quantity: Int64, _ reason: CancelReason
  ) {
    let event = events.canceled()
    // The state is the payload's first field.
    let state = UnsafeMutableRawPointer(event).assumingMemoryBound(to: OrderState.self)
    write(order, waitReason(order), to: state)
    event.pointee.quantity = Energy(wattHours: quantity)
    event.pointee.reason = reason
    history.fold(
      EventHash.canceled | UInt64(reason.rawValue) << 8, order, UInt64(bitPattern: quantity))
  }

  @inline(__always) private func write(
    _ order: OpenOrder, _ reason: WaitReason, to state: UnsafeMutablePointer<OrderState>
  ) {
    state.pointee.order = order.id
    state.pointee.account = AccountId(order.account)
    state.pointee.instrument = InstrumentId(order.pointee.instrument)
    state.pointee.session = SessionId(order.pointee.session)
    state.pointee.clientOrderId = ClientOrderId(order.pointee.clientOrderId)
    state.pointee.side = order.pointee.side
    state.pointee.type = order.pointee.marks.type
    state.pointee.timeInForce = order.pointee.timeInForce
    state.pointee.waitReason = reason
    state.pointee.price = Price(ticks: order.price)
    state.pointee.quantity = Energy(wattHours: order.pointee.quantity)
    state.pointee.leaves = Energy(wattHours: order.pointee.leaves)
    state.pointee.covered = Energy(wattHours: order.pointee.covered)
  }

  /// Says that two orders traded; their own numbers are what the trade left.
  @inline(__always) mutating func emitTrade(
    _ aggressor: Side, _ price: Int64, _ quantity: Int64, _ notional: Int64,
    _ buyer: (order: OpenOrder, fee: Int64), _ seller: (order: OpenOrder, fee: Int64)
  ) {
    let event = events.trade()
    event.pointee.trade = TradeId(tradeCount)
    event.pointee.instrument = InstrumentId(buyer.order.pointee.instrument)
    event.pointee.aggressor = aggressor
    event.pointee.price = Price(ticks: price)
    event.pointee.quantity = Energy(wattHours: quantity)
    event.pointee.notional = Money(units: notional)
    event.pointee.buyer.order = buyer.order.id
    event.pointee.buyer.account = AccountId(buyer.order.account)
    event.pointee.buyer.session = SessionId(buyer.order.pointee.session)
    event.pointee.buyer.clientOrderId = ClientOrderId(buyer.order.pointee.clientOrderId)
    event.pointee.buyer.fee = Money(units: buyer.fee)
    event.pointee.buyer.leaves = Energy(wattHours: buyer.order.pointee.leaves)
    event.pointee.buyer.covered = Energy(wattHours: buyer.order.pointee.covered)
    event.pointee.seller.order = seller.order.id
    event.pointee.seller.account = AccountId(seller.order.account)
    event.pointee.seller.session = SessionId(seller.order.pointee.session)
    event.pointee.seller.clientOrderId = ClientOrderId(seller.order.pointee.clientOrderId)
    event.pointee.seller.fee = Money(units: seller.fee)
    event.pointee.seller.leaves = Energy(wattHours: seller.order.pointee.leaves)
    event.pointee.seller.covered = Energy(wattHours: seller.order.pointee.covered)
    history.fold(
      trade: tradeCount, buyer.order.id.rawValue, seller.order.id.rawValue, price,
      quantity,
      buyer.fee, seller.fee)
  }

  @inline(__always) mutating func emitBalance(
    _ position: PositionRow, asks: OwnedRow, bids: OwnedRow
  ) {
    let holding = holdings.address(of: position.pointee.holding)
    let event = events.balance()
    event.pointee.account = AccountId(position.pointee.account)
    event.pointee.area = AreaId(position.pointee.area)
    event.pointee.currency = Currency(holding.pointee.currency)
    event.pointee.free = Money(units: holding.pointee.free)
    event.pointee.reserved = Money(units: holding.pointee.reserved)
    event.pointee.energy = Energy(wattHours: position.pointee.energy)
    event.pointee.cap = Energy(wattHours: position.pointee.cap)
    event.pointee.coveredAsks = Energy(wattHours: asks.pointee.covered)
    event.pointee.coveredBids = Energy(wattHours: bids.pointee.covered)
    event.pointee.openAsks = Energy(wattHours: asks.pointee.eligible + asks.pointee.halted)
    event.pointee.openBids = Energy(wattHours: bids.pointee.eligible + bids.pointee.halted)
    history.fold(
      balance: position.pointee.account, holding.pointee.free, holding.pointee.reserved,
      position.pointee.energy)
  }
}

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
    // Unsigned: what is negative is too much.
    let (covered, leaves) = (
      UInt64(bitPattern: order.pointee.covered), UInt64(bitPattern: order.pointee.leaves)
    )
    invariant(covered <= leaves, "no more covered than open")
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
    _ taker: (order: OpenOrder, fee: Int64), _ maker: (order: OpenOrder, fee: Int64)
  ) {
    let event = events.trade()
    event.pointee.trade = TradeId(tradeCount)
    event.pointee.instrument = InstrumentId(taker.order.pointee.instrument)
    event.pointee.aggressor = aggressor
    event.pointee.price = Price(ticks: price)
    event.pointee.quantity = Energy(wattHours: quantity)
    event.pointee.notional = Money(units: notional)
    write(taker.order, taker.fee, to: party(aggressor, of: event))
    write(maker.order, maker.fee, to: party(aggressor.opposite, of: event))
    let (takerId, makerId) = (
      Int64(bitPattern: taker.order.id.rawValue), Int64(bitPattern: maker.order.id.rawValue)
    )
    history.fold(
      trade: tradeCount,
      UInt64(bitPattern: aggressor.pick(sell: makerId, buy: takerId)),
      UInt64(bitPattern: aggressor.pick(sell: takerId, buy: makerId)), price, quantity,
      aggressor.pick(sell: maker.fee, buy: taker.fee),
      aggressor.pick(sell: taker.fee, buy: maker.fee))
  }

  /// Where a trade says who was on `side`.
  @inline(__always) private func party(
    _ side: Side, of trade: UnsafeMutablePointer<Trade>
  ) -> UnsafeMutablePointer<TradeParty> {
    let (buyer, seller) = (
      MemoryLayout<Trade>.offset(of: \.buyer), MemoryLayout<Trade>.offset(of: \.seller)
    )
    guard let buyer, let seller else { preconditionFailure("stored fields have an offset") }
    let offset = side.pick(sell: Int64(seller), buy: Int64(buyer))
    return (UnsafeMutableRawPointer(trade) + Int(offset)).assumingMemoryBound(to: TradeParty.self)
  }

  @inline(__always) private func write(
    _ order: OpenOrder, _ fee: Int64, to party: UnsafeMutablePointer<TradeParty>
  ) {
    party.pointee.order = order.id
    party.pointee.account = AccountId(order.account)
    party.pointee.session = SessionId(order.pointee.session)
    party.pointee.clientOrderId = ClientOrderId(order.pointee.clientOrderId)
    party.pointee.fee = Money(units: fee)
    party.pointee.leaves = Energy(wattHours: order.pointee.leaves)
    party.pointee.covered = Energy(wattHours: order.pointee.covered)
  }

  @inline(__always) mutating func emitBalance(
    _ position: PositionRow, asks: OwnedRow, bids: OwnedRow
  ) {
    let holding = holdings.address(of: position.pointee.holding)
    let event = events.balance()
    let (unused, room) = (
      position.pointee.energy &- asks.pointee.covered,
      position.pointee.headroom &- bids.pointee.covered
    )
    invariant(unused | room >= 0, "the same energy backs no two live quantities")
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

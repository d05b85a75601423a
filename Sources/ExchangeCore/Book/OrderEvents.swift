// Events of orders and trades: written in place in the event buffer and folded into the event hash.

import MarketModel

extension Exchange {
  /// Reports the current note about an order.
  @inline(never) mutating func emitNoted(_ order: OpenOrder) {
    emit(
      .order(
        .noted(
          Noted(
            order: order.id, clientOrderId: ClientOrderId(order.clientOrderId),
            account: AccountId(order.account), session: SessionId(order.session),
            text: notes.current))))
  }

  @inline(__always) mutating func emitState(
    _ order: OpenOrder, _ kind: OrderStateEvent, _ reason: WaitReason
  ) {
    // The comparison is unsigned, so that a negative quantity counts as too large.
    let (covered, leaves) = (
      UInt64(bitPattern: order.covered), UInt64(bitPattern: order.leaves)
    )
    invariant(covered <= leaves, "covered is at most leaves")
    write(order, reason, to: events.state(kind))
    fold(kind.rawValue, order)
  }

  /// Reports that `quantity` Wh of an order were cancelled. The order's fields have the state after
  /// it.
  @inline(__always) mutating func emitCanceled(
    _ order: OpenOrder, _ quantity: Int64, _ reason: CancelReason
  ) {
    let event = events.canceled()
    // The state is the payload's first field.
    let state = UnsafeMutableRawPointer(event.address).assumingMemoryBound(to: OrderState.self)
    write(order, waitReason(order), to: Row(state))
    event.quantity = Energy(wattHours: quantity)
    event.reason = reason
    fold(EventHash.canceled | UInt64(reason.rawValue) << 8, order, UInt64(bitPattern: quantity))
  }

  @inline(__always) private mutating func fold(
    _ tag: UInt64, _ order: OpenOrder, _ word: UInt64 = 0
  ) {
    progress.history.fold(
      state: tag, account: order.account, order: order.id.rawValue, price: order.price,
      leaves: order.leaves, covered: order.covered, word)
  }

  @inline(__always) private func write(
    _ order: OpenOrder, _ reason: WaitReason, to state: Row<OrderState>
  ) {
    state.order = order.id
    state.account = AccountId(order.account)
    state.instrument = InstrumentId(order.row.instrument)
    state.session = SessionId(order.session)
    state.clientOrderId = ClientOrderId(order.clientOrderId)
    state.side = order.side
    state.type = order.marks.type
    state.timeInForce = order.timeInForce
    state.waitReason = reason
    state.price = Price(ticks: order.price)
    state.quantity = Energy(wattHours: order.quantity)
    state.leaves = Energy(wattHours: order.leaves)
    state.covered = Energy(wattHours: order.covered)
  }

  /// Reports a trade. The fields of both orders have the state after it.
  @inline(__always) mutating func emitTrade(
    _ aggressor: Side, _ price: Int64, _ quantity: Int64, _ notional: Int64,
    _ taker: (order: OpenOrder, fee: Int64), _ maker: (order: OpenOrder, fee: Int64)
  ) {
    let event = events.trade()
    event.trade = TradeId(progress.trades)
    event.instrument = InstrumentId(taker.order.row.instrument)
    event.aggressor = aggressor
    event.price = Price(ticks: price)
    event.quantity = Energy(wattHours: quantity)
    event.notional = Money(units: notional)
    write(taker.order, taker.fee, to: party(aggressor, of: event))
    write(maker.order, maker.fee, to: party(aggressor.opposite, of: event))
    let (takerId, makerId) = (
      Int64(bitPattern: taker.order.id.rawValue), Int64(bitPattern: maker.order.id.rawValue)
    )
    progress.history.fold(
      trade: progress.trades,
      UInt64(bitPattern: aggressor.select(sell: makerId, buy: takerId)),
      UInt64(bitPattern: aggressor.select(sell: takerId, buy: makerId)), price, quantity,
      aggressor.select(sell: maker.fee, buy: taker.fee),
      aggressor.select(sell: taker.fee, buy: maker.fee))
  }

  /// Reports a trade of an account without an order, on `side`, at the price of a maker's order.
  mutating func emitLocalTrade(
    _ side: Side, _ quantity: Int64, _ notional: Int64, account: UInt32, fee: Int64,
    _ maker: (order: OpenOrder, fee: Int64)
  ) {
    let event = events.trade()
    event.trade = TradeId(progress.trades)
    event.instrument = InstrumentId(maker.order.row.instrument)
    event.aggressor = side
    event.price = Price(ticks: maker.order.price)
    event.quantity = Energy(wattHours: quantity)
    event.notional = Money(units: notional)
    let taker = party(side, of: event)
    taker.order = .null
    taker.account = AccountId(account)
    taker.session = .exchange
    taker.clientOrderId = .engine
    taker.fee = Money(units: fee)
    taker.leaves = .zero
    taker.covered = .zero
    write(maker.order, maker.fee, to: party(side.opposite, of: event))
    let id = Int64(bitPattern: maker.order.id.rawValue)
    progress.history.fold(
      trade: progress.trades, UInt64(bitPattern: side.select(sell: id, buy: 0)),
      UInt64(bitPattern: side.select(sell: 0, buy: id)), maker.order.price, quantity,
      side.select(sell: maker.fee, buy: fee), side.select(sell: fee, buy: maker.fee))
  }

  /// The party on `side` in a trade event.
  @inline(__always) private func party(_ side: Side, of trade: Row<Trade>) -> Row<TradeParty> {
    let (buyer, seller) = (
      MemoryLayout<Trade>.offset(of: \.buyer), MemoryLayout<Trade>.offset(of: \.seller)
    )
    guard let buyer, let seller else { preconditionFailure("stored fields have an offset") }
    let offset = side.select(sell: Int64(seller), buy: Int64(buyer))
    return Row(
      (UnsafeMutableRawPointer(trade.address) + Int(offset)).assumingMemoryBound(
        to: TradeParty.self))
  }

  @inline(__always) private func write(_ order: OpenOrder, _ fee: Int64, to party: Row<TradeParty>)
  {
    party.order = order.id
    party.account = AccountId(order.account)
    party.session = SessionId(order.session)
    party.clientOrderId = ClientOrderId(order.clientOrderId)
    party.fee = Money(units: fee)
    party.leaves = Energy(wattHours: order.leaves)
    party.covered = Energy(wattHours: order.covered)
  }

  @inline(__always) func waitReason(_ order: OpenOrder) -> WaitReason {
    if order.leaves == order.covered { return .none }
    if isHalted(order) { return .halted }
    return order.side == .sell ? .awaitingEnergy : .awaitingHeadroom
  }
}

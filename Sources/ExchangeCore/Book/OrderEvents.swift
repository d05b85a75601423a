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
    let event = beginTrade(maker.order, aggressor, price, quantity, notional)
    write(taker.order, taker.fee, to: party(aggressor, of: event))
    write(maker.order, maker.fee, to: party(aggressor.opposite, of: event))
    foldTrade(
      aggressor, price, quantity, (Int64(bitPattern: taker.order.id.rawValue), taker.fee),
      (Int64(bitPattern: maker.order.id.rawValue), maker.fee))
  }

  /// Reports a trade of an account without an order, on `side`, at the price of a maker's order.
  mutating func emitLocalTrade(
    _ side: Side, _ quantity: Int64, _ notional: Int64, account: UInt32, fee: Int64,
    _ maker: (order: OpenOrder, fee: Int64)
  ) {
    let price = maker.order.price
    let event = beginTrade(maker.order, side, price, quantity, notional)
    let taker = party(side, of: event)
    taker.order = .null
    taker.account = AccountId(account)
    taker.session = .exchange
    taker.clientOrderId = .engine
    taker.fee = Money(units: fee)
    taker.leaves = .zero
    taker.covered = .zero
    write(maker.order, maker.fee, to: party(side.opposite, of: event))
    foldTrade(
      side, price, quantity, (0, fee), (Int64(bitPattern: maker.order.id.rawValue), maker.fee))
  }

  /// Writes what a trade event says beside its parties.
  @inline(__always) private mutating func beginTrade(
    _ maker: OpenOrder, _ aggressor: Side, _ price: Int64, _ quantity: Int64, _ notional: Int64
  ) -> Row<Trade> {
    let event = events.trade()
    event.trade = TradeId(progress.trades)
    event.instrument = InstrumentId(maker.row.instrument)
    event.aggressor = aggressor
    event.price = Price(ticks: price)
    event.quantity = Energy(wattHours: quantity)
    event.notional = Money(units: notional)
    return event
  }

  /// Folds a trade into the hash of all events; a taker without an order has the id 0.
  @inline(__always) private mutating func foldTrade(
    _ aggressor: Side, _ price: Int64, _ quantity: Int64, _ taker: (id: Int64, fee: Int64),
    _ maker: (id: Int64, fee: Int64)
  ) {
    progress.history.fold(
      trade: progress.trades,
      UInt64(bitPattern: aggressor.select(sell: maker.id, buy: taker.id)),
      UInt64(bitPattern: aggressor.select(sell: taker.id, buy: maker.id)), price, quantity,
      aggressor.select(sell: maker.fee, buy: taker.fee),
      aggressor.select(sell: taker.fee, buy: maker.fee))
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

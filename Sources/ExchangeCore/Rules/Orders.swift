// What every order operation needs: reservations, states for events, and leaving the exchange.

import MarketModel

extension Exchange {
  // MARK: Reservations (section 6)

  /// What each lot of an order at `price` reserves.
  /// - Returns: `nil` when it does not fit.
  @inline(__always) func reservePerLot(
    _ instrument: InstrumentRow, _ side: Side, _ price: Int64
  ) -> Int64? {
    let pays = max(side.pick(sell: -price, buy: price), 0)
    let lot = instrument.pointee.lot
    // price x lot fits, as was checked at the band's edges when listed; its magnitude is at most 2^63, which
    // fits without a sign, and so does that with the fee, which is less.
    let cost = UInt64(bitPattern: pays &* lot)
    guard let fee = instrument.pointee.highestFee.roundedUp(of: price &* lot) else { return nil }
    let sum = cost &+ UInt64(bitPattern: fee)
    // A seller who is paid reserves nothing: -pays >> 63 has all bits where he pays, else none.
    return sum > UInt64(Int64.max)
      ? nil : Int64(bitPattern: sum) & side.pick(sell: -pays >> 63, buy: -1)
  }

  /// What an order reserves in all.
  /// - Returns: `nil` when it, or its notional with the highest fee, does not fit.
  @inline(__always) func reservation(
    _ instrument: InstrumentRow, _ price: Int64, _ quantity: Int64, _ perLot: Int64, lots: Int64
  ) -> Int64? {
    // Both below 2^30: the notional is below 2^60 and so is the fee, which is less than the notional.
    if (price.magnitude | quantity.magnitude) < 1 << 30 { return perLot * lots }
    let (notional, overflow) = price.multipliedReportingOverflow(by: quantity)
    let (reserve, wide) = perLot.multipliedReportingOverflow(by: lots)
    guard !overflow, !wide, notional != .min,
      let fee = instrument.pointee.highestFee.roundedUp(of: notional)
    else { return nil }
    return abs(notional).addingReportingOverflow(fee).overflow ? nil : reserve
  }

  /// Takes `lots` of an order's reservation from the free cash.
  @inline(__always) func reserve(_ order: OpenOrder, lots: Int64) {
    let amount = order.pointee.reservePerLot * lots
    order.holding.pointee.reserved += amount
    order.holding.pointee.free -= amount
  }

  /// Gives `lots` of an order's reservation back to the free cash.
  @inline(__always) func release(_ order: OpenOrder, lots: Int64) {
    let amount = order.pointee.reservePerLot * lots
    let holding = order.holding
    let reserved = holding.pointee.reserved - amount
    invariant(reserved >= 0, "no more released than was reserved")
    holding.pointee.reserved = reserved
    holding.pointee.free += amount
  }

  // MARK: Leaving

  /// Cancels an order in full, wherever it stands, and touches its position.
  mutating func remove(_ order: OpenOrder, _ reason: CancelReason) {
    let position = order.pointee.position
    takeOut(order, reason)
    touch(position)
    invariant(positions[position].isTouched, "who lost an order is looked at")
  }

  /// Cancels an order in full, wherever it stands.
  @inline(always) mutating func takeOut(_ order: OpenOrder, _ reason: CancelReason) {
    let quantity = order.pointee.leaves
    let side = order.owned
    let instrument = order.instrument
    release(order, lots: instrument.pointee.lots(quantity))
    if order.pointee.level != 0 { leave(order) }
    disown(order, side)
    order.pointee.leaves = 0
    order.pointee.covered = 0
    emitCanceled(order, quantity, reason)
    giveBack(order)
  }

  /// Gives back the slot of an order that has executed in full.
  @inline(__always) mutating func finish(_ order: OpenOrder) {
    invariant(
      order.pointee.covered | Int64(order.pointee.level) == 0,
      "what ends is executed and has left its level")
    disown(order, order.owned)
    giveBack(order)
  }

  @inline(__always) private mutating func giveBack(_ order: OpenOrder) {
    if order.pointee.timeInForce == .goodTillTime { expiries.remove(order.slot, orders) }
    orders.release(order.row, order.place, order.slot)
  }

  /// Cancels what is due at the time of the command (section 5, good till time).
  mutating func expireDue() {
    var expired = false
    while expiries.first != 0, expiries.firstTime <= now {
      let count = expiries.count
      invariant(
        orders[expiries.first].timeInForce == .goodTillTime, "only what has an end expires")
      remove(open(expiries.first), .expired)
      invariant(expiries.count == count - 1, "what is gone expires no more")
      expired = true
    }
    if expired { drain() }
  }

  // MARK: States for events

  @inline(__always) func waitReason(_ order: OpenOrder) -> WaitReason {
    if order.pointee.leaves == order.pointee.covered { return .none }
    if isHalted(order) { return .halted }
    return order.pointee.side == .sell ? .awaitingEnergy : .awaitingHeadroom
  }

  func state(_ order: OpenOrder) -> OrderState {
    invariant(
      order.pointee.marks.isOpen && order.pointee.covered <= order.pointee.leaves,
      "the state of an open order")
    return OrderState(
      order: order.id, account: AccountId(order.account),
      instrument: InstrumentId(order.pointee.instrument),
      session: SessionId(order.pointee.session),
      clientOrderId: ClientOrderId(order.pointee.clientOrderId), side: order.pointee.side,
      type: order.pointee.marks.type, timeInForce: order.pointee.timeInForce,
      waitReason: waitReason(order), price: Price(ticks: order.price),
      quantity: Energy(wattHours: order.pointee.quantity),
      leaves: Energy(wattHours: order.pointee.leaves),
      covered: Energy(wattHours: order.pointee.covered))
  }

  func balance(_ position: UInt32) -> Balance {
    let holding = positions[position].holding
    invariant(
      holdings[holding].account == positions[position].account, "a position's cash is its account's"
    )
    let (asks, bids) = (owned(position, .sell), owned(position, .buy))
    invariant(
      positions[position].isTouched
        || asks.pointee.covered <= positions[position].energy
          && bids.pointee.covered <= positions[position].headroom,
      "the same energy backs no two live quantities")
    return Balance(
      account: AccountId(positions[position].account), area: AreaId(positions[position].area),
      currency: Currency(holdings[holding].currency), free: Money(units: holdings[holding].free),
      reserved: Money(units: holdings[holding].reserved),
      energy: Energy(wattHours: positions[position].energy),
      cap: Energy(wattHours: positions[position].cap),
      coveredAsks: Energy(wattHours: asks.pointee.covered),
      coveredBids: Energy(wattHours: bids.pointee.covered),
      openAsks: Energy(wattHours: asks.pointee.eligible + asks.pointee.halted),
      openBids: Energy(wattHours: bids.pointee.eligible + bids.pointee.halted))
  }
}

// What every order operation needs: reservations, states for events, and leaving the exchange.

import MarketModel

extension Exchange {
  // MARK: Reservations (section 6)

  /// What each lot of an order at `price` reserves.
  /// - Returns: `nil` when it does not fit.
  @inline(__always) func reservePerLot(
    _ instrument: UInt32, _ side: Side, _ price: Int64
  ) -> Int64? {
    let pays = side == .buy ? max(price, 0) : max(-price, 0)
    if side == .sell, pays == 0 { return 0 }
    let lot = instruments[instrument].lot
    let cost = pays * lot  // Fits, as does price x lot: checked at the band's edges when listed.
    guard let fee = instruments[instrument].highestFee.roundedUp(of: price * lot) else {
      return nil
    }
    let (sum, overflow) = cost.addingReportingOverflow(fee)
    return overflow ? nil : sum
  }

  /// What an order reserves in all.
  /// - Returns: `nil` when it, or its notional with the highest fee, does not fit.
  @inline(__always) func reservation(
    _ instrument: UInt32, _ price: Int64, _ quantity: Int64, _ perLot: Int64, lots: Int64
  ) -> Int64? {
    let (notional, overflow) = price.multipliedReportingOverflow(by: quantity)
    let (reserve, wide) = perLot.multipliedReportingOverflow(by: lots)
    guard !overflow, !wide, notional != .min,
      let fee = instruments[instrument].highestFee.roundedUp(of: notional)
    else { return nil }
    return abs(notional).addingReportingOverflow(fee).overflow ? nil : reserve
  }

  /// Gives `lots` of an order's reservation back to the free cash.
  @inline(__always) func release(_ slot: UInt32, lots: Int64) {
    let amount = orders[slot].reservePerLot * lots
    let holding = positions[orders[slot].position].holding
    holdings[holding].reserved -= amount
    holdings[holding].free += amount
  }

  // MARK: Leaving

  /// Cancels an order in full, wherever it stands, and touches its position.
  mutating func remove(
    _ slot: UInt32, _ reason: CancelReason
  ) {
    let quantity = orders[slot].leaves
    let position = orders[slot].position
    release(slot, lots: instruments[orders[slot].instrument].lots(quantity))
    if orders[slot].level != 0 { leave(slot) }
    disown(slot)
    orders[slot].leaves = 0
    orders[slot].covered = 0
    emit(.canceled(canceled(slot, quantity, reason)))
    giveBack(slot)
    touch(position)
  }

  /// Gives back the slot of an order that has executed in full.
  mutating func finish(_ slot: UInt32) {
    assert(orders[slot].leaves == 0 && orders[slot].covered == 0 && orders[slot].level == 0)
    disown(slot)
    giveBack(slot)
  }

  private mutating func giveBack(_ slot: UInt32) {
    if orders[slot].expiryIndex != 0 { expiries.remove(slot, orders) }
    orders.release(slot)
  }

  /// Cancels what is due at the time of the command (section 5, good till time).
  mutating func expireDue() {
    var expired = false
    while expiries.first != 0, orders[expiries.first].expireTime <= now {
      remove(expiries.first, .expired)
      expired = true
    }
    if expired { drain() }
  }

  // MARK: States for events

  /// Which event an order's state goes into.
  enum StateEvent: UInt64 {
    case accepted = 1
    case replaced = 2
    case restated = 3
  }

  /// Emits an order's state, written once, in place.
  @inline(__always) mutating func emitState(_ slot: UInt32, _ kind: StateEvent) {
    let row = orders.address(of: slot)
    history.fold(
      kind.rawValue, account: row.pointee.account, order: orders.id(slot).rawValue,
      price: row.pointee.price, leaves: row.pointee.leaves, covered: row.pointee.covered)
    switch kind {
    case .accepted: events.append(.accepted(state(slot)))
    case .replaced: events.append(.replaced(state(slot)))
    case .restated: events.append(.restated(state(slot)))
    }
  }

  @inline(__always) func state(_ slot: UInt32) -> OrderState {
    let order = orders.address(of: slot)
    return OrderState(
      order: orders.id(slot), account: AccountId(order.pointee.account),
      instrument: InstrumentId(order.pointee.instrument),
      session: SessionId(order.pointee.session),
      clientOrderId: ClientOrderId(order.pointee.clientOrderId), side: order.pointee.side,
      type: order.pointee.type, timeInForce: order.pointee.timeInForce,
      waitReason: waitReason(slot), price: Price(ticks: order.pointee.price),
      quantity: Energy(wattHours: order.pointee.quantity),
      leaves: Energy(wattHours: order.pointee.leaves),
      covered: Energy(wattHours: order.pointee.covered))
  }

  @inline(__always) private func waitReason(_ slot: UInt32) -> WaitReason {
    if orders[slot].leaves == orders[slot].covered { return .none }
    if isHalted(slot) { return .halted }
    return orders[slot].side == .sell ? .awaitingEnergy : .awaitingHeadroom
  }

  func canceled(_ slot: UInt32, _ quantity: Int64, _ reason: CancelReason) -> OrderCanceled {
    OrderCanceled(state: state(slot), quantity: Energy(wattHours: quantity), reason: reason)
  }

  func balance(_ position: UInt32) -> Balance {
    let holding = positions[position].holding
    let (asks, bids) = (ownedIndex(position, .sell), ownedIndex(position, .buy))
    return Balance(
      account: AccountId(positions[position].account), area: AreaId(positions[position].area),
      currency: Currency(holdings[holding].currency), free: Money(units: holdings[holding].free),
      reserved: Money(units: holdings[holding].reserved),
      energy: Energy(wattHours: positions[position].energy),
      cap: Energy(wattHours: positions[position].cap),
      coveredAsks: Energy(wattHours: owned[asks].covered),
      coveredBids: Energy(wattHours: owned[bids].covered),
      openAsks: Energy(wattHours: owned[asks].eligible + owned[asks].halted),
      openBids: Energy(wattHours: owned[bids].eligible + owned[bids].halted))
  }
}

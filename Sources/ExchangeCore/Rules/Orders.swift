// What every order operation needs: reservations, states for events, and leaving the exchange.

import MarketModel

extension Exchange {
  // MARK: Reservations (section 6)

  /// What each lot of an order at `price` reserves.
  /// - Returns: `nil` when it does not fit.
  func reservePerLot(_ instrument: UInt32, _ side: Side, _ price: Int64) -> Int64? {
    let pays = side == .buy ? max(price, 0) : max(-price, 0)
    if side == .sell, pays == 0 { return 0 }
    let lot = instruments[instrument].lot
    let (cost, overflow) = pays.multipliedReportingOverflow(by: lot)
    let (notional, wide) = price.multipliedReportingOverflow(by: lot)
    guard !overflow, !wide,
      let fee = instruments[instrument].highestFee.roundedUp(of: notional)
    else { return nil }
    let (sum, carried) = cost.addingReportingOverflow(fee)
    return carried ? nil : sum
  }

  /// Gives `lots` of an order's reservation back to the free cash.
  func release(_ slot: UInt32, lots: Int64) {
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
    release(slot, lots: quantity / instruments[orders[slot].instrument].lot)
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

  func state(_ slot: UInt32) -> OrderState {
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

  private func waitReason(_ slot: UInt32) -> WaitReason {
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

// Replacing an order (section 5): lowering its quantity keeps its place, anything else loses it.

import MarketModel

extension Exchange {
  mutating func replace(
    _ change: ReplaceOrder, _ request: Request
  ) {
    if let refusal = validate(change, request) {
      return reject(
        refusal, request, account: change.account, clientOrderId: change.clientOrderId,
        order: change.order)
    }
    let slot = change.order.slot
    accounts[change.account.rawValue].lastClientOrderId = change.clientOrderId.rawValue
    let keepsPlace =
      change.price.ticks == orders[slot].price
      && change.quantity.wattHours < orders[slot].quantity
    if keepsPlace {
      lower(slot, change)
    } else {
      reenter(slot, change)
    }
    drain()
  }

  // MARK: Validation

  private func validate(_ change: ReplaceOrder, _ request: Request) -> Refusal? {
    if let refusal = permission(request, tradeFor: change.account) { return refusal }
    if let refusal = isNext(change.clientOrderId, change.account) { return refusal }
    guard let slot = orders.slot(of: change.order),
      orders[slot].account == change.account.rawValue
    else { return Refusal(.unknownOrder) }
    let instrument = orders[slot].instrument
    if instruments[instrument].state == .halted { return Refusal(.instrumentHalted) }
    let quantity = change.quantity.wattHours
    let price = change.price.ticks
    if price == orders[slot].price, quantity == orders[slot].quantity {
      return Refusal(.nothingToChange)
    }
    if let refusal = validateQuantity(quantity, instrument) { return refusal }
    let executed = orders[slot].quantity - orders[slot].leaves
    if quantity <= executed { return Refusal(.quantityBelowExecuted, executed) }
    if let refusal = validatePrice(price, instrument) { return refusal }
    return fund(slot, price, leaves: quantity - executed, quantity)
  }

  private func fund(_ slot: UInt32, _ price: Int64, leaves: Int64, _ quantity: Int64) -> Refusal? {
    let (instrument, side) = (orders[slot].instrument, orders[slot].side)
    guard let perLot = reservePerLot(instrument, side, price),
      reservation(
        instrument, price, quantity, perLot, lots: instruments[instrument].lots(quantity)) != nil
    else { return Refusal(.notionalOverflow, Int64.max) }
    if price == orders[slot].price, leaves < orders[slot].leaves { return nil }
    let lot = instruments[instrument].lot
    let difference =
      perLot * (leaves / lot) - orders[slot].reservePerLot * (orders[slot].leaves / lot)
    let free = holdings[positions[orders[slot].position].holding].free
    if let refusal = validateCash(difference, free, side) { return refusal }
    if ladder.isFull { return Refusal(.capacityExhausted, capacity.priceLevels) }
    let covered = coverOnEntry(
      orders[slot].position, side, price: price, leaves: leaves, lot: lot, besides: slot)
    if orders[slot].postOnly, covered > 0 { return validatePassive(instrument, side, price) }
    return nil
  }

  // MARK: The two ways

  /// Lowers the quantity in place.
  private mutating func lower(
    _ slot: UInt32, _ change: ReplaceOrder
  ) {
    let less = orders[slot].quantity - change.quantity.wattHours
    release(slot, lots: less / instruments[orders[slot].instrument].lot)
    let index = ownedIndex(orders[slot].position, orders[slot].side)
    let level = orders[slot].level
    orders[slot].clientOrderId = change.clientOrderId.rawValue
    orders[slot].quantity -= less
    orders[slot].leaves -= less
    owned[index].eligible -= less
    ladder.levels[level].total -= less
    let uncovered = max(0, orders[slot].covered - orders[slot].leaves)
    orders[slot].covered -= uncovered
    owned[index].covered -= uncovered
    ladder.levels[level].live -= uncovered
    emitState(slot, .replaced)
    touch(orders[slot].position)
  }

  /// Takes the order out and enters it anew, with its id.
  private mutating func reenter(
    _ slot: UInt32, _ change: ReplaceOrder
  ) {
    let instrument = orders[slot].instrument
    let (position, side, lot) = (
      orders[slot].position, orders[slot].side, instruments[instrument].lot
    )
    release(slot, lots: orders[slot].leaves / lot)
    leave(slot)
    disown(slot)
    let executed = orders[slot].quantity - orders[slot].leaves
    guard let perLot = reservePerLot(instrument, side, change.price.ticks) else {
      preconditionFailure("validated")
    }
    // The heap orders equal expire times by arrival: the order leaves it while its arrival changes.
    let expires = orders[slot].expiryIndex != 0
    if expires { expiries.remove(slot, orders) }
    arrivalCount += 1
    orders[slot].arrival = arrivalCount
    if expires { expiries.insert(slot, orders) }
    orders[slot].clientOrderId = change.clientOrderId.rawValue
    orders[slot].price = change.price.ticks
    orders[slot].quantity = change.quantity.wattHours
    orders[slot].leaves = change.quantity.wattHours - executed
    orders[slot].reservePerLot = perLot
    orders[slot].covered = coverOnEntry(
      position, side, price: orders[slot].price, leaves: orders[slot].leaves, lot: lot)
    release(slot, lots: -(orders[slot].leaves / lot))
    own(slot)
    emitState(slot, .replaced)
    touch(position)
    matchAndRest(slot)
  }
}

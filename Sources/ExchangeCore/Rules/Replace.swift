// Replacing an order (section 5): lowering its quantity keeps its place, anything else loses it.

import MarketModel

extension Exchange {
  mutating func replace(
    _ change: ReplaceOrderRow, _ request: Request
  ) {
    if let refusal = validate(change, request) {
      return reject(
        refusal, request, account: change.pointee.account,
        clientOrderId: change.pointee.clientOrderId,
        order: change.pointee.order)
    }
    let order = open(change.pointee.order.slot)
    invariant(
      order.id == change.pointee.order && order.account == change.pointee.account.rawValue,
      "the order that was asked for, its owner's")
    invariant(
      change.pointee.clientOrderId.rawValue
        > accounts[change.pointee.account.rawValue].lastClientOrderId,
      "what was applied is never applied again")
    accounts[change.pointee.account.rawValue].lastClientOrderId =
      change.pointee.clientOrderId.rawValue
    let keepsPlace =
      change.pointee.price.ticks == order.price
      && change.pointee.quantity.wattHours < order.pointee.quantity
    if keepsPlace {
      lower(order, change)
    } else {
      reenter(order, change)
    }
    drain()
  }

  // MARK: Validation

  private func validate(_ change: ReplaceOrderRow, _ request: Request) -> Refusal? {
    if let refusal = permission(request, tradeFor: change.pointee.account) { return refusal }
    if let refusal = isNext(change.pointee.clientOrderId, change.pointee.account) { return refusal }
    guard let order = find(change.pointee.order),
      order.account == change.pointee.account.rawValue
    else { return Refusal(.unknownOrder) }
    let instrument = order.instrument
    if instrument.pointee.state == .halted { return Refusal(.instrumentHalted) }
    let quantity = change.pointee.quantity.wattHours
    let price = change.pointee.price.ticks
    if price == order.price, quantity == order.pointee.quantity {
      return Refusal(.nothingToChange)
    }
    if let refusal = validateQuantity(quantity, instrument) ?? validateParts(order, quantity) {
      return refusal
    }
    let executed = order.pointee.quantity - order.pointee.leaves
    if quantity <= executed { return Refusal(.quantityBelowExecuted, executed) }
    if let refusal = validatePrice(price, instrument) { return refusal }
    return fund(order, instrument, price, leaves: quantity - executed, quantity)
  }

  private func fund(
    _ order: OpenOrder, _ instrument: InstrumentRow, _ price: Int64, leaves: Int64,
    _ quantity: Int64
  ) -> Refusal? {
    let side = order.pointee.side
    guard let perLot = reservePerLot(instrument, side, price),
      reservation(
        instrument, price, quantity, perLot, lots: instrument.pointee.lots(quantity)) != nil
    else { return Refusal(.notionalOverflow, Int64.max) }
    if price == order.price, leaves < order.pointee.leaves { return nil }
    let lot = instrument.pointee.lot
    let difference =
      perLot * (leaves / lot) - order.pointee.reservePerLot * (order.pointee.leaves / lot)
    let free = order.holding.pointee.free
    if let refusal = validateCash(difference, free, side) { return refusal }
    if ladder.isFull { return Refusal(.capacityExhausted, capacity.priceLevels) }
    let covered = coverOnEntry(
      order.pointee.position, side, price: price, leaves: leaves, lot: lot,
      besides: order.slot)
    if order.pointee.marks.isPostOnly, covered > 0 {
      return validatePassive(order.pointee.instrument, side, price)
    }
    return nil
  }

  // MARK: The two ways

  /// Lowers the quantity in place.
  private mutating func lower(_ order: OpenOrder, _ change: ReplaceOrderRow) {
    let less = order.pointee.quantity - change.pointee.quantity.wattHours
    release(order, lots: less / order.instrument.pointee.lot)
    let owned = order.owned
    let level = ladder.levels.address(of: order.pointee.level)
    order.pointee.clientOrderId = change.pointee.clientOrderId.rawValue
    order.pointee.quantity -= less
    order.pointee.leaves -= less
    owned.pointee.eligible -= less
    level.pointee.total -= less
    let uncovered = max(0, order.pointee.covered - order.pointee.leaves)
    order.pointee.covered -= uncovered
    owned.pointee.covered -= uncovered
    level.pointee.live -= uncovered
    invariant(less > 0 && order.pointee.leaves > 0, "lowered, and not to nothing")
    invariant(
      order.pointee.covered <= order.pointee.leaves && level.pointee.live >= 0,
      "no more covered than open")
    invariant(
      owned.pointee.eligible | owned.pointee.covered >= 0,
      "what is left of the sums is not negative"
    )
    emitState(order, .replaced, waitReason(order))
    showIceberg(order)
    touch(order.pointee.position)
  }

  /// Takes the order out and enters it anew, with its id.
  private mutating func reenter(_ order: OpenOrder, _ change: ReplaceOrderRow) {
    let instrument = order.instrument
    let (position, side, lot) = (
      order.pointee.position, order.pointee.side, instrument.pointee.lot
    )
    let owned = order.owned
    release(order, lots: order.pointee.leaves / lot)
    leave(order)
    disown(order, owned)
    let executed = order.pointee.quantity - order.pointee.leaves
    guard let perLot = reservePerLot(instrument, side, change.pointee.price.ticks) else {
      preconditionFailure("validated")
    }
    // The heap orders equal expire times by arrival: the order leaves it while its arrival changes.
    let expires = order.pointee.timeInForce == .goodTillTime
    let expireTime = expiries.time(of: order.slot)
    if expires { expiries.remove(order.slot, orders) }
    arrivalCount += 1
    order.place.pointee.arrival = arrivalCount
    if expires { expiries.insert(order.slot, expireTime, orders) }
    order.pointee.clientOrderId = change.pointee.clientOrderId.rawValue
    order.place.pointee.price = change.pointee.price.ticks
    order.pointee.quantity = change.pointee.quantity.wattHours
    order.pointee.leaves = change.pointee.quantity.wattHours - executed
    order.pointee.reservePerLot = perLot
    order.pointee.covered = coverOnEntry(
      position, side, price: order.price, leaves: order.pointee.leaves, lot: lot)
    reserve(order, lots: order.pointee.leaves / lot)
    invariant(order.pointee.leaves > 0 && executed >= 0, "more than was executed")
    invariant(order.pointee.level == 0, "an order that enters has left its level")
    invariant(
      order.pointee.quantity - order.pointee.leaves == executed, "what was executed stays executed")
    own(order, owned)
    emitState(order, .replaced, waitReason(order))
    touch(position)
    matchAndRest(order)
  }
}

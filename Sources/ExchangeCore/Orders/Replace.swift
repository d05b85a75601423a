// Replacing an order (section 5): a lower quantity keeps the priority, any other change loses it.

import MarketModel

extension Exchange {
  mutating func replace(_ change: ReplaceOrderRow, _ request: Request) {
    // A rejected replace loses its note.
    let isNoted = hasNote(request) && takeNote(request, for: change.clientOrderId)
    if let refusal = validate(change, request) {
      return reject(
        refusal, request, account: change.account,
        clientOrderId: change.clientOrderId,
        order: change.order)
    }
    let order = open(change.order.slot)
    invariant(
      order.id == change.order && order.account == change.account.rawValue,
      "the order has the id and the account of the request")
    invariant(
      change.clientOrderId.rawValue
        > accounts[change.account.rawValue].lastClientOrderId,
      "a client order id is applied once")
    accounts[change.account.rawValue].lastClientOrderId =
      change.clientOrderId.rawValue
    if keepsPlace(order, change) {
      lower(order, change, isNoted)
    } else {
      if accounts[order.account].isRestricted { noteEntered(order, change) }
      reenter(order, change, isNoted)
    }
    drain()
  }

  /// Whether the replace only lowers the quantity, so that the order keeps its place.
  @inline(__always) private func keepsPlace(_ order: OpenOrder, _ change: ReplaceOrderRow) -> Bool {
    change.price.ticks == order.price && change.quantity.wattHours < order.quantity
  }

  /// Replaces an order of a standing instruction by a larger one, which loses the place; the caller
  /// touches nothing and drains.
  mutating func raise(_ order: OpenOrder, _ change: ReplaceOrderRow) -> Refusal? {
    let (quantity, price) = (change.quantity.wattHours, change.price.ticks)
    let executed = order.quantity - order.leaves
    if let refusal = validateQuantity(quantity, order.instrument)
      ?? validatePrice(price, order.instrument)
      ?? fund(order, order.instrument, price, leaves: quantity - executed, quantity)
    {
      return refusal
    }
    if accounts[order.account].isRestricted { noteEntered(order, change) }
    reenter(order, change, false)
    return nil
  }

  // MARK: Validation

  private mutating func validate(_ change: ReplaceOrderRow, _ request: Request) -> Refusal? {
    if let refusal = permission(request, tradeFor: change.account) { return refusal }
    if let refusal = validateClientOrderId(change.clientOrderId, change.account) { return refusal }
    guard let order = find(change.order),
      order.account == change.account.rawValue
    else { return Refusal(.unknownOrder) }
    if !keepsPlace(order, change),
      let refusal = validateUnblocked(request.session, change.account)
    {
      return refusal
    }
    let instrument = order.instrument
    if instrument.isHalted { return Refusal(.instrumentHalted) }
    let quantity = change.quantity.wattHours
    let price = change.price.ticks
    if price == order.price, quantity == order.quantity {
      return Refusal(.nothingToChange)
    }
    if let refusal = validateQuantity(quantity, instrument) ?? validateParts(order, quantity) {
      return refusal
    }
    let executed = order.quantity - order.leaves
    if quantity <= executed { return Refusal(.quantityBelowExecuted, executed) }
    if let refusal = validatePrice(price, instrument) { return refusal }
    return fund(order, instrument, price, leaves: quantity - executed, quantity)
  }

  private mutating func fund(
    _ order: OpenOrder, _ instrument: InstrumentRow, _ price: Int64, leaves: Int64,
    _ quantity: Int64
  ) -> Refusal? {
    let side = order.side
    guard let perLot = reservePerLot(instrument, side, price),
      reservation(
        instrument, price, quantity, perLot, lots: instrument.value.lots(quantity)) != nil
    else { return Refusal(.notionalOverflow, Int64.max) }
    if price == order.price, leaves < order.leaves { return nil }
    let lot = instrument.lot
    let difference =
      perLot * (leaves / lot) - order.reservePerLot * (order.leaves / lot)
    let free = order.holding.free
    if let refusal = validateCash(difference, free, side) { return refusal }
    if accounts[order.account].isRestricted,
      let refusal = validateLimits(
        exposure(order, price: price, leaves: leaves, quantity: quantity, reserve: difference))
    {
      return refusal
    }
    if books.ladder.isFull { return Refusal(.capacityExhausted, capacity.priceLevels) }
    if rules >= 3, mayBeAtLevelBound,
      let refusal = validateLevelShare(order.account, order.row.instrument, side, price)
    {
      return refusal
    }
    let covered = coverOnEntry(
      order.position, side, price: price, leaves: leaves, lot: lot,
      besides: order.slot)
    if unsettled.isAnyOver,
      let refusal = validateUnsettled(
        instrument.area, side, mayRest: true, covered: covered, leaves: leaves)
    {
      return refusal
    }
    if order.marks.isPostOnly, covered > 0 {
      return validatePassive(order.row.instrument, side, price)
    }
    return nil
  }

  // MARK: Lowering and entering again

  /// Lowers the quantity; the order keeps its priority.
  private mutating func lower(
    _ order: OpenOrder, _ change: ReplaceOrderRow, _ isNoted: Bool
  ) {
    let less = order.quantity - change.quantity.wattHours
    release(order, lots: less / order.instrument.lot)
    let owned = order.owned
    let level = books.ladder.levels.row(order.level)
    renumber(order, change.clientOrderId)
    order.quantity -= less
    order.leaves -= less
    let uncovered = max(0, order.covered - order.leaves)
    order.row.cover(order.covered - uncovered)
    owned.lower(leaves: less, covered: uncovered)
    changeBlock(order, leaves: -less, covered: -uncovered)
    level.lower(leaves: less, covered: uncovered)
    invariant(less > 0 && order.leaves > 0, "the quantity falls and leaves stay positive")
    invariant(
      order.covered <= order.leaves && level.live >= 0,
      "covered is at most leaves")
    invariant(
      owned.eligible | owned.covered >= 0,
      "the sums are at least 0"
    )
    if isNoted { emitNoted(order) }
    emitState(order, .replaced, waitReason(order))
    showSpecial(order)
    touch(order.position)
  }

  private mutating func noteEntered(_ order: OpenOrder, _ change: ReplaceOrderRow) {
    let quantity = change.quantity.wattHours
    let executed = order.quantity - order.leaves
    noteEntered(
      exposure(
        order, price: change.price.ticks, leaves: quantity - executed, quantity: quantity,
        reserve: 0))
  }

  /// Removes the order from the book and enters it again with its id.
  private mutating func reenter(
    _ order: OpenOrder, _ change: ReplaceOrderRow, _ isNoted: Bool
  ) {
    let instrument = order.instrument
    let (position, side, lot) = (
      order.position, order.side, instrument.lot
    )
    let owned = order.owned
    release(order, lots: order.leaves / lot)
    removeFromLevel(order)
    unlinkFromDividedOwner(order, owned)
    let executed = order.quantity - order.leaves
    guard let perLot = reservePerLot(instrument, side, change.price.ticks) else {
      preconditionFailure("validated")
    }
    // The schedule sorts equal expire times by arrival, so the entry is removed before the arrival
    // changes.
    let expireTime = expires(order) ? schedule.time(.expiry, order.slot) : 0
    if expires(order) { schedule.remove(.expiry, order.slot) }
    progress.arrivals += 1
    order.links.arrival = progress.arrivals
    if expires(order) {
      schedule.insert(.expiry, order.slot, at: expireTime, number: progress.arrivals)
    }
    renumber(order, change.clientOrderId)
    order.links.price = change.price.ticks
    order.quantity = change.quantity.wattHours
    order.leaves = change.quantity.wattHours - executed
    order.reservePerLot = perLot
    order.marks.keepsFees = false
    order.row.cover(
      coverOnEntry(position, side, price: order.price, leaves: order.leaves, lot: lot))
    reserve(order, lots: order.leaves / lot)
    invariant(order.leaves > 0 && executed >= 0, "the new quantity is above the executed one")
    invariant(order.level == 0, "an entering order is in no level")
    invariant(
      order.quantity - order.leaves == executed, "the executed quantity is unchanged")
    linkToDividedOwner(order, owned)
    if isNoted { emitNoted(order) }
    emitState(order, .replaced, waitReason(order))
    touch(position)
    matchAndRest(order)
  }

  private func expires(_ order: OpenOrder) -> Bool { order.timeInForce == .goodTillTime }
}

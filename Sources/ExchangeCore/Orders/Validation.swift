// Validation of a new order. The checks run in the order of section 11; the first that fails
// determines the reject.

import MarketModel

extension Exchange {
  @inline(__always) func validateClientOrderId(_ order: NewOrderRow) -> Refusal? {
    validateClientOrderId(order.clientOrderId, order.account)
  }

  /// Validates an order whose account and instrument exist, in the order of section 11, and fills
  /// `entry`.
  /// - Parameter isRestricted: Whether the account has limits.
  @inline(always) mutating func validate(
    _ order: NewOrderRow, _ entry: inout Entry, isRestricted: Bool
  ) -> Refusal? {
    let instrument = entry.instrument
    if let code = instrument.refusesEntry { return Refusal(code) }
    if let refusal = validateForm(order) { return refusal }
    let quantity = order.quantity.wattHours
    if let refusal = validateQuantity(quantity, instrument) { return refusal }
    if let refusal = validateMinimumAndDisplay(order, instrument) { return refusal }
    switch order.type {
    case .limit:
      entry.price = order.price.ticks
      if let refusal = validatePrice(entry.price, instrument) { return refusal }
    case .market:
      entry.price =
        order.side == .buy ? instrument.highest : instrument.lowest
    }
    entry.lots = instrument.value.lots(quantity)
    if let refusal = fund(order, &entry) { return refusal }
    if isRestricted, let refusal = validateLimits(exposure(order, entry)) { return refusal }
    if let refusal = validateCapacity(order, entry) { return refusal }
    entry.covered = coverAtEntry(order, entry)
    if unsettled.isAnyOver,
      let refusal = validateUnsettled(
        instrument.area, order.side, mayRest: !order.timeInForce.isImmediate,
        covered: entry.covered, leaves: quantity)
    {
      return refusal
    }
    if order.postOnly, entry.covered > 0 {
      return validatePassive(order.instrument.rawValue, order.side, entry.price)
    }
    return nil
  }

  /// Refuses unless the session on whose behalf the order is sent is a trading session of the
  /// account's participant that is not blocked.
  func validateOwner(_ order: NewOrderRow) -> Refusal? {
    let number = order.onBehalfOf.rawValue
    guard number <= capacity.sessions, reference.sessions[number].exists,
      reference.sessions[number].participant == accounts[order.account.rawValue].participant,
      reference.sessions[number].roles & Roles.trading.rawValue != 0
    else { return Refusal(.foreignSession) }
    return validateUnblocked(order.onBehalfOf, order.account)
  }

  @inline(__always) private func validateForm(_ order: NewOrderRow) -> Refusal? {
    let isImmediate = order.timeInForce.isImmediate
    if order.type == .market, !isImmediate { return Refusal(.marketNotImmediate) }
    if order.postOnly, isImmediate || order.minimumQuantity != .zero {
      return Refusal(.postOnlyImmediate)
    }
    if order.timeInForce == .goodTillTime {
      let isDue = order.expireTime.nanoseconds <= progress.now || order.expireTime == .never
      return isDue ? Refusal(.badExpireTime, progress.now) : nil
    }
    return order.expireTime == .never ? nil : Refusal(.badExpireTime, progress.now)
  }

  @inline(__always) func validateQuantity(_ quantity: Int64, _ instrument: InstrumentRow)
    -> Refusal?
  {
    if quantity <= 0 { return Refusal(.quantityNotPositive) }
    let lot = instrument.lot
    if lot != 1, quantity % lot != 0 { return Refusal(.offLot, lot) }
    if quantity > Limit.orderQuantity { return Refusal(.quantityTooLarge, Limit.orderQuantity) }
    return nil
  }

  @inline(__always) private func validateMinimumAndDisplay(
    _ order: NewOrderRow, _ instrument: InstrumentRow
  ) -> Refusal? {
    let (minimum, display) = (order.minimumQuantity, order.displayQuantity)
    if minimum.wattHours | display.wattHours == 0 { return nil }
    if minimum != .zero, let refusal = validateMinimum(order, instrument) { return refusal }
    return display == .zero ? nil : validateDisplay(order, instrument)
  }

  private func validateMinimum(_ order: NewOrderRow, _ instrument: InstrumentRow) -> Refusal? {
    let minimum = order.minimumQuantity.wattHours
    let isAllowed =
      minimum > 0 && minimum <= order.quantity.wattHours
      && minimum % instrument.lot == 0
    return isAllowed ? nil : Refusal(.minimumQuantityInvalid, order.quantity.wattHours)
  }

  @inline(__always) func validatePrice(_ price: Int64, _ instrument: InstrumentRow) -> Refusal? {
    let tick = instrument.tick
    if tick != 1, price % tick != 0 { return Refusal(.offTick, tick) }
    let (lowest, highest) = (instrument.lowest, instrument.highest)
    if price < lowest { return Refusal(.priceOutOfBand, lowest) }
    if price > highest { return Refusal(.priceOutOfBand, highest) }
    return nil
  }

  /// Checks notional, reservation and free cash.
  @inline(always) private func fund(_ order: NewOrderRow, _ entry: inout Entry) -> Refusal? {
    let instrument = entry.instrument
    guard let perLot = reservePerLot(instrument, order.side, entry.price),
      let reserve = reservation(
        instrument, entry.price, order.quantity.wattHours, perLot, lots: entry.lots)
    else { return Refusal(.notionalOverflow, Int64.max) }
    entry.reservePerLot = perLot
    entry.position = find(order.account, Asset(number: instrument.asset))
    let free =
      entry.position != 0
      ? balances.holdings[balances.positions[entry.position].holding].free
      : freeCash(order.account, instrument)
    guard let refusal = validateCash(reserve, free, order.side) else { return nil }
    if rules < 6 || !order.timeInForce.isImmediate { return refusal }
    guard let cost = costOfWalk(order, entry, free) else {
      return Refusal(.insufficientCash, free)
    }
    (entry.walkCost, entry.reservePerLot) = (cost, 0)
    return nil
  }

  /// The free cash of an account that has no position in the instrument's asset.
  private func freeCash(_ account: AccountId, _ instrument: InstrumentRow) -> Int64 {
    let currency = products.areas[UInt32(instrument.area)].currency
    let holding = findHolding(account, Currency(currency))
    return holding == 0 ? 0 : balances.holdings[holding].free
  }

  @inline(__always) func validateCash(_ reserve: Int64, _ free: Int64, _ side: Side) -> Refusal? {
    if reserve > max(free, 0) { return Refusal(.insufficientCash, free) }
    if free < 0, side == .buy { return Refusal(.insufficientCash, free) }
    return nil
  }

  @inline(__always) private mutating func validateCapacity(_ order: NewOrderRow, _ entry: Entry)
    -> Refusal?
  {
    if orders.isFull { return Refusal(.tooManyOrders, capacity.orders) }
    if books.ladder.isFull { return Refusal(.capacityExhausted, capacity.priceLevels) }
    if entry.position == 0, let refusal = validatePositionCapacity() { return refusal }
    return validateShares(order, entry)
  }

  @inline(always) func coverAtEntry(_ order: NewOrderRow, _ entry: Entry) -> Int64 {
    let (quantity, lot) = (order.quantity.wattHours, entry.instrument.lot)
    if entry.position == 0 {
      let cap = products.areas[UInt32(entry.instrument.area)].defaultCap
      return cover(order.side == .buy ? cap : 0, before: 0, leaves: quantity, lot: lot)
    }
    return coverOnEntry(
      entry.position, order.side, price: entry.price, leaves: quantity, lot: lot)
  }

  func validatePassive(_ instrument: UInt32, _ side: Side, _ price: Int64) -> Refusal? {
    guard reaches(instrument, side, limit: price) else { return nil }
    let best = books.sides[bookIndex(instrument, side.opposite)].bestKey
    return Refusal(.postOnlyWouldTrade, products.instruments[instrument].price(best, side.opposite))
  }
}

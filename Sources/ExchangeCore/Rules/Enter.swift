// Entering an order (sections 5, 6 and 11): validate, reserve, cover, match, rest.

import MarketModel

/// An order that passed the checks which do not depend on the book.
struct Entry {
  var order: NewOrder
  /// The limit: of a market order the band's edge.
  var price: Int64
  var reservePerLot: Int64
  /// What is covered on entry.
  var covered: Int64
  var session: SessionId
}

extension Exchange {
  mutating func enter(
    _ order: NewOrder, _ request: Request
  ) {
    if let refusal = validateOwner(order, request) {
      return refuse(order, refusal, request)
    }
    switch validate(order, request.session) {
    case .failure(let refusal): refuse(order, refusal, request)
    case .success(let entry):
      accounts[order.account.rawValue].lastClientOrderId = order.clientOrderId.rawValue
      admit(entry)
      drain()
    }
  }

  private mutating func refuse(
    _ order: NewOrder, _ refusal: Refusal, _ request: Request
  ) {
    reject(
      refusal, request, account: order.account, clientOrderId: order.clientOrderId)
  }

  // MARK: Validation

  private func validateOwner(_ order: NewOrder, _ request: Request) -> Refusal? {
    if let refusal = permission(request, tradeFor: order.account) { return refusal }
    return isNext(order.clientOrderId, order.account)
  }

  /// Client order ids strictly increase: what was applied is never applied again.
  func isNext(_ id: ClientOrderId, _ account: AccountId) -> Refusal? {
    let last = accounts[account.rawValue].lastClientOrderId
    return id.rawValue > last ? nil : Refusal(.duplicateClientOrderId, last)
  }

  /// Checks an order whose owner is known, in the order of section 11.
  func validate(_ order: NewOrder, _ session: SessionId) -> Validation {
    if let refusal = validateInstrument(order.instrument) { return .failure(refusal) }
    let instrument = order.instrument.rawValue
    if let refusal = validateForm(order) { return .failure(refusal) }
    if let refusal = validateQuantity(order.quantity.wattHours, instrument) {
      return .failure(refusal)
    }
    if let refusal = validateMinimum(order, instrument) { return .failure(refusal) }
    let price: Int64
    switch order.type {
    case .limit:
      price = order.price.ticks
      if let refusal = validatePrice(price, instrument) { return .failure(refusal) }
    case .market:
      price =
        order.side == .buy ? instruments[instrument].highest : instruments[instrument].lowest
    }
    return fund(order, price, session)
  }

  func validateInstrument(_ instrument: InstrumentId) -> Refusal? {
    guard exists(instrument) else {
      return Refusal(.unknownInstrument, capacity.instruments)
    }
    switch instruments[instrument.rawValue].state {
    case .open: return nil
    case .halted: return Refusal(.instrumentHalted)
    case .closed: return Refusal(.instrumentClosed)
    }
  }

  private func validateForm(_ order: NewOrder) -> Refusal? {
    let isImmediate =
      order.timeInForce == .immediateOrCancel || order.timeInForce == .fillOrKill
    if order.type == .market, !isImmediate { return Refusal(.marketNotImmediate) }
    if order.postOnly, isImmediate || order.minimumQuantity != .zero {
      return Refusal(.postOnlyImmediate)
    }
    if order.timeInForce == .goodTillTime {
      let isDue = order.expireTime.nanoseconds <= now || order.expireTime == .never
      return isDue ? Refusal(.badExpireTime, now) : nil
    }
    return order.expireTime == .never ? nil : Refusal(.badExpireTime, now)
  }

  func validateQuantity(_ quantity: Int64, _ instrument: UInt32) -> Refusal? {
    if quantity <= 0 { return Refusal(.quantityNotPositive) }
    let lot = instruments[instrument].lot
    if quantity % lot != 0 { return Refusal(.offLot, lot) }
    if quantity > Limit.orderQuantity { return Refusal(.quantityTooLarge, Limit.orderQuantity) }
    return nil
  }

  private func validateMinimum(_ order: NewOrder, _ instrument: UInt32) -> Refusal? {
    let minimum = order.minimumQuantity.wattHours
    if minimum == 0 { return nil }
    let isAllowed =
      minimum > 0 && minimum <= order.quantity.wattHours
      && minimum % instruments[instrument].lot == 0
    return isAllowed ? nil : Refusal(.minimumQuantityInvalid, order.quantity.wattHours)
  }

  func validatePrice(_ price: Int64, _ instrument: UInt32) -> Refusal? {
    let tick = instruments[instrument].tick
    if price % tick != 0 { return Refusal(.offTick, tick) }
    let (lowest, highest) = (instruments[instrument].lowest, instruments[instrument].highest)
    if price < lowest { return Refusal(.priceOutOfBand, lowest) }
    if price > highest { return Refusal(.priceOutOfBand, highest) }
    return nil
  }

  /// The result of validating an order.
  enum Validation {
    case success(Entry)
    case failure(Refusal)
  }

  /// The checks on notional, cash, room and post-only.
  private func fund(_ order: NewOrder, _ price: Int64, _ session: SessionId) -> Validation {
    let instrument = order.instrument.rawValue
    let quantity = order.quantity.wattHours
    guard let perLot = reservePerLot(instrument, order.side, price),
      let reserve = reservation(instrument, price, quantity, perLot)
    else { return .failure(Refusal(.notionalOverflow, Int64.max)) }
    let position = find(order.account, AreaId(instruments[instrument].area))
    let free = freeCash(order.account, of: position, instrument)
    if let refusal = validateCash(reserve, free, order.side) { return .failure(refusal) }
    if orders.isFull { return .failure(Refusal(.tooManyOrders, capacity.orders)) }
    if ladder.isFull { return .failure(Refusal(.capacityExhausted, capacity.priceLevels)) }
    if position == 0, let refusal = roomForPosition() { return .failure(refusal) }

    let covered = coverAtEntry(order, price, position)
    if order.postOnly, covered > 0, let refusal = validatePassive(instrument, order.side, price) {
      return .failure(refusal)
    }
    return .success(
      Entry(
        order: order, price: price, reservePerLot: perLot, covered: covered, session: session))
  }

  private func coverAtEntry(_ order: NewOrder, _ price: Int64, _ position: UInt32) -> Int64 {
    let instrument = order.instrument.rawValue
    let (quantity, lot) = (order.quantity.wattHours, instruments[instrument].lot)
    if position == 0 {
      let cap = areas[UInt32(instruments[instrument].area)].defaultCap
      return cover(order.side == .buy ? cap : 0, before: 0, leaves: quantity, lot: lot)
    }
    return coverOnEntry(position, order.side, price: price, leaves: quantity, lot: lot)
  }

  /// What an order reserves in all.
  /// - Returns: `nil` when it, or the notional, does not fit.
  func reservation(
    _ instrument: UInt32, _ price: Int64, _ quantity: Int64, _ perLot: Int64
  ) -> Int64? {
    let (notional, overflow) = price.multipliedReportingOverflow(by: quantity)
    let lots = quantity / instruments[instrument].lot
    let (reserve, wide) = perLot.multipliedReportingOverflow(by: lots)
    guard !overflow, !wide, notional != .min,
      let fee = instruments[instrument].highestFee.roundedUp(of: notional)
    else { return nil }
    return abs(notional).addingReportingOverflow(fee).overflow ? nil : reserve
  }

  func validateCash(_ reserve: Int64, _ free: Int64, _ side: Side) -> Refusal? {
    if reserve > 0, reserve > free { return Refusal(.insufficientCash, free) }
    if side == .buy, free < 0 { return Refusal(.insufficientCash, free) }
    return nil
  }

  func validatePassive(_ instrument: UInt32, _ side: Side, _ price: Int64) -> Refusal? {
    guard reaches(instrument, side, limit: price) else { return nil }
    let best = books[bookIndex(instrument, side.opposite)].bestKey
    return Refusal(.postOnlyWouldTrade, instruments[instrument].price(best, side.opposite))
  }

  private func freeCash(_ account: AccountId, of position: UInt32, _ instrument: UInt32) -> Int64 {
    if position != 0 { return holdings[positions[position].holding].free }
    let currency = areas[UInt32(instruments[instrument].area)].currency
    let holding = findHolding(account, Currency(currency))
    return holding == 0 ? 0 : holdings[holding].free
  }

  // MARK: Admission

  /// Takes an order in, matches it and rests what remains. Does not drain.
  mutating func admit(_ entry: Entry) {
    let area = AreaId(instruments[entry.order.instrument.rawValue].area)
    let position = findOrMake(entry.order.account, area)
    let slot = take(entry, position)
    emit(.accepted(state(slot)))
    touch(position)
    let minimum =
      entry.order.timeInForce == .fillOrKill ? entry.order.quantity : entry.order.minimumQuantity
    if minimum != .zero, executable(slot) < minimum.wattHours {
      return remove(slot, .fillOrKill)
    }
    switch entry.order.timeInForce {
    case .goodTillCancel, .goodTillTime: matchAndRest(slot)
    case .immediateOrCancel, .fillOrKill: matchAndCancel(slot)
    }
  }

  private mutating func matchAndCancel(
    _ slot: UInt32
  ) {
    match(slot)
    if !orders[slot].isOpen { return }
    if orders[slot].leaves == 0 { finish(slot) } else { remove(slot, .immediate) }
  }

  /// Puts an order into the pool, takes its reservation and gives it to its owner.
  private mutating func take(_ entry: Entry, _ position: UInt32) -> UInt32 {
    let slot = orders.take()
    let order = entry.order
    arrivalCount += 1
    orders[slot] = Order(
      leaves: order.quantity.wattHours, covered: entry.covered, price: entry.price, next: 0,
      previous: 0, level: 0, position: position, instrument: order.instrument.rawValue,
      account: order.account.rawValue, side: order.side, type: order.type,
      timeInForce: order.timeInForce, selfTradePrevention: order.selfTradePrevention,
      postOnly: order.postOnly, isOpen: true, generation: orders[slot].generation,
      session: entry.session.rawValue, ownerNext: 0, ownerPrevious: 0,
      clientOrderId: order.clientOrderId.rawValue, quantity: order.quantity.wattHours,
      reservePerLot: entry.reservePerLot, arrival: arrivalCount,
      expireTime: order.expireTime.nanoseconds, expiryIndex: 0)
    release(slot, lots: -(order.quantity.wattHours / instruments[order.instrument.rawValue].lot))
    own(slot)
    if order.timeInForce == .goodTillTime { expiries.insert(slot, orders) }
    return slot
  }

  /// What an entering order could execute now: a walk over the live orders it reaches, up to its cover.
  private func executable(_ slot: UInt32) -> Int64 {
    let side = orders[slot].side.opposite
    let instrument = orders[slot].instrument
    let book = books[bookIndex(instrument, side)]
    let limit = instruments[instrument].key(orders[slot].price, side)
    let wanted = orders[slot].covered
    var sum: Int64 = 0
    var level = book.bestLevel
    while level != 0, ladder.levels[level].key <= limit, sum < wanted {
      var resting = ladder.levels[level].liveHead
      while resting != 0, sum < wanted {
        if orders[resting].account != orders[slot].account {
          sum += orders[resting].covered
        } else if orders[slot].selfTradePrevention != .cancelOlder {
          return min(sum, wanted)
        }
        resting = orders[resting].next
      }
      level = ladder.next(after: level, in: book, live: true)
    }
    return min(sum, wanted)
  }
}

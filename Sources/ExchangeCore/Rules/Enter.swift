// Entering an order (sections 5, 6 and 11): validate, reserve, cover, match, rest.

import MarketModel

/// What validating an order finds out on the way: all that admitting it needs.
struct Entry {
  let instrument: InstrumentRow
  /// The owner's position; 0 when it is to be made.
  var position: UInt32 = 0
  /// The limit: of a market order the band's edge.
  var price: Int64 = 0
  var lots: Int64 = 0
  var reservePerLot: Int64 = 0
  /// What is covered on entry.
  var covered: Int64 = 0
}

extension Exchange {
  @inline(always) mutating func enter(_ order: NewOrderRow, _ request: Request) {
    if let refusal = permission(request, tradeFor: order.pointee.account) ?? isNext(order) {
      return reject(refusal, request, order)
    }
    if order.pointee.onBehalfOf != .exchange, let refusal = validateOwner(order) {
      return reject(refusal, request, order)
    }
    let number = order.pointee.instrument
    guard exists(number) else {
      return reject(Refusal(.unknownInstrument, capacity.instruments), request, order)
    }
    var entry = Entry(instrument: instruments.address(of: number.rawValue))
    if let refusal = validate(order, &entry) { return reject(refusal, request, order) }
    accounts[order.pointee.account.rawValue].lastClientOrderId =
      order.pointee.clientOrderId.rawValue
    admit(order, entry, session: owner(of: order, request))
    drain()
  }

  /// Whose order it is: the sender's, or the session's on whose behalf it is; the sender of such a one
  /// learns here that it entered.
  @inline(__always) private mutating func owner(
    of order: NewOrderRow, _ request: Request
  ) -> SessionId {
    let other = order.pointee.onBehalfOf
    if other == .exchange || other == request.session { return request.session }
    acknowledge(request)
    invariant(known(other) == nil, "an owner that was checked")
    return other
  }

  private mutating func reject(
    _ refusal: Refusal, _ request: Request, _ order: NewOrderRow
  ) {
    reject(
      refusal, request, account: order.pointee.account, clientOrderId: order.pointee.clientOrderId)
  }

  // MARK: Validation

  @inline(__always) private func isNext(_ order: NewOrderRow) -> Refusal? {
    isNext(order.pointee.clientOrderId, order.pointee.account)
  }

  /// Client order ids strictly increase: what was applied is never applied again.
  @inline(__always) func isNext(_ id: ClientOrderId, _ account: AccountId) -> Refusal? {
    let last = accounts[account.rawValue].lastClientOrderId
    return id.rawValue > last ? nil : Refusal(.duplicateClientOrderId, last)
  }

  /// Checks an order whose owner and instrument are known, in the order of section 11, and fills in
  /// `entry`.
  @inline(always) func validate(_ order: NewOrderRow, _ entry: inout Entry) -> Refusal? {
    let instrument = entry.instrument
    if let refusal = validateState(instrument) { return refusal }
    if let refusal = validateForm(order) { return refusal }
    let quantity = order.pointee.quantity.wattHours
    if let refusal = validateQuantity(quantity, instrument) { return refusal }
    if let refusal = validateMinimumAndDisplay(order, instrument) { return refusal }
    switch order.pointee.type {
    case .limit:
      entry.price = order.pointee.price.ticks
      if let refusal = validatePrice(entry.price, instrument) { return refusal }
    case .market:
      entry.price =
        order.pointee.side == .buy ? instrument.pointee.highest : instrument.pointee.lowest
    }
    entry.lots = instrument.pointee.lots(quantity)
    if let refusal = fund(order, &entry) { return refusal }
    if let refusal = validateRoom(entry) { return refusal }
    entry.covered = coverAtEntry(order, entry)
    if order.pointee.postOnly, entry.covered > 0 {
      return validatePassive(order.pointee.instrument.rawValue, order.pointee.side, entry.price)
    }
    return nil
  }

  /// An order may be entered on behalf of a trading session of the account's participant.
  private func validateOwner(_ order: NewOrderRow) -> Refusal? {
    let number = order.pointee.onBehalfOf.rawValue
    guard number <= capacity.sessions, sessions[number].exists,
      sessions[number].participant == accounts[order.pointee.account.rawValue].participant,
      sessions[number].roles & Roles.trading.rawValue != 0
    else { return Refusal(.foreignSession) }
    return nil
  }

  @inline(__always) private func validateState(_ instrument: InstrumentRow) -> Refusal? {
    switch instrument.pointee.state {
    case .open: return nil
    case .halted: return Refusal(.instrumentHalted)
    case .closed: return Refusal(.instrumentClosed)
    }
  }

  @inline(__always) private func validateForm(_ order: NewOrderRow) -> Refusal? {
    let isImmediate =
      order.pointee.timeInForce == .immediateOrCancel || order.pointee.timeInForce == .fillOrKill
    if order.pointee.type == .market, !isImmediate { return Refusal(.marketNotImmediate) }
    if order.pointee.postOnly, isImmediate || order.pointee.minimumQuantity != .zero {
      return Refusal(.postOnlyImmediate)
    }
    if order.pointee.timeInForce == .goodTillTime {
      let isDue = order.pointee.expireTime.nanoseconds <= now || order.pointee.expireTime == .never
      return isDue ? Refusal(.badExpireTime, now) : nil
    }
    return order.pointee.expireTime == .never ? nil : Refusal(.badExpireTime, now)
  }

  @inline(__always) func validateQuantity(
    _ quantity: Int64, _ instrument: InstrumentRow
  ) -> Refusal? {
    if quantity <= 0 { return Refusal(.quantityNotPositive) }
    let lot = instrument.pointee.lot
    if lot != 1, quantity % lot != 0 { return Refusal(.offLot, lot) }
    if quantity > Limit.orderQuantity { return Refusal(.quantityTooLarge, Limit.orderQuantity) }
    return nil
  }

  @inline(__always) private func validateMinimumAndDisplay(
    _ order: NewOrderRow, _ instrument: InstrumentRow
  ) -> Refusal? {
    let (minimum, display) = (order.pointee.minimumQuantity, order.pointee.displayQuantity)
    if minimum.wattHours | display.wattHours == 0 { return nil }
    if minimum != .zero, let refusal = validateMinimum(order, instrument) { return refusal }
    return display == .zero ? nil : validateDisplay(order, instrument)
  }

  private func validateMinimum(
    _ order: NewOrderRow, _ instrument: InstrumentRow
  ) -> Refusal? {
    let minimum = order.pointee.minimumQuantity.wattHours
    let isAllowed =
      minimum > 0 && minimum <= order.pointee.quantity.wattHours
      && minimum % instrument.pointee.lot == 0
    return isAllowed ? nil : Refusal(.minimumQuantityInvalid, order.pointee.quantity.wattHours)
  }

  @inline(__always) func validatePrice(_ price: Int64, _ instrument: InstrumentRow) -> Refusal? {
    let tick = instrument.pointee.tick
    if tick != 1, price % tick != 0 { return Refusal(.offTick, tick) }
    let (lowest, highest) = (instrument.pointee.lowest, instrument.pointee.highest)
    if price < lowest { return Refusal(.priceOutOfBand, lowest) }
    if price > highest { return Refusal(.priceOutOfBand, highest) }
    return nil
  }

  /// The checks on notional and cash.
  @inline(always) private func fund(
    _ order: NewOrderRow, _ entry: inout Entry
  ) -> Refusal? {
    let instrument = entry.instrument
    guard let perLot = reservePerLot(instrument, order.pointee.side, entry.price),
      let reserve = reservation(
        instrument, entry.price, order.pointee.quantity.wattHours, perLot, lots: entry.lots)
    else { return Refusal(.notionalOverflow, Int64.max) }
    entry.reservePerLot = perLot
    entry.position = find(order.pointee.account, AreaId(instrument.pointee.area))
    let free =
      entry.position != 0
      ? holdings[positions[entry.position].holding].free
      : freeCash(order.pointee.account, instrument)
    return validateCash(reserve, free, order.pointee.side)
  }

  /// The free cash of an account without a position in the instrument's area.
  private func freeCash(_ account: AccountId, _ instrument: InstrumentRow) -> Int64 {
    let currency = areas[UInt32(instrument.pointee.area)].currency
    let holding = findHolding(account, Currency(currency))
    return holding == 0 ? 0 : holdings[holding].free
  }

  @inline(__always) func validateCash(_ reserve: Int64, _ free: Int64, _ side: Side) -> Refusal? {
    if reserve > max(free, 0) { return Refusal(.insufficientCash, free) }
    if free < 0, side == .buy { return Refusal(.insufficientCash, free) }
    return nil
  }

  @inline(__always) private func validateRoom(_ entry: Entry) -> Refusal? {
    if orders.isFull { return Refusal(.tooManyOrders, capacity.orders) }
    if ladder.isFull { return Refusal(.capacityExhausted, capacity.priceLevels) }
    return entry.position == 0 ? roomForPosition() : nil
  }

  @inline(__always) private func coverAtEntry(
    _ order: NewOrderRow, _ entry: Entry
  ) -> Int64 {
    let (quantity, lot) = (order.pointee.quantity.wattHours, entry.instrument.pointee.lot)
    if entry.position == 0 {
      let cap = areas[UInt32(entry.instrument.pointee.area)].defaultCap
      return cover(order.pointee.side == .buy ? cap : 0, before: 0, leaves: quantity, lot: lot)
    }
    return coverOnEntry(
      entry.position, order.pointee.side, price: entry.price, leaves: quantity, lot: lot)
  }

  func validatePassive(_ instrument: UInt32, _ side: Side, _ price: Int64) -> Refusal? {
    guard reaches(instrument, side, limit: price) else { return nil }
    let best = books[bookIndex(instrument, side.opposite)].bestKey
    return Refusal(.postOnlyWouldTrade, instruments[instrument].price(best, side.opposite))
  }

  // MARK: Admission

  /// Takes an order in, matches it and rests what remains. Does not drain.
  @inline(always) mutating func admit(
    _ order: NewOrderRow, _ entry: Entry, session: SessionId
  ) {
    var position = entry.position
    if position == 0 {
      position = findOrMake(order.pointee.account, AreaId(entry.instrument.pointee.area))
      invariant(position != 0 && position <= positionCount, "a position of the table")
      invariant(
        owned(position, order.pointee.side).pointee.count == 0, "a new position has no order")
    }
    let row = take(order, entry, position, session)
    emitState(row, .accepted, waitReason(row))
    touchUnlessSettled(row)
    let minimum =
      order.pointee.timeInForce == .fillOrKill
      ? order.pointee.quantity : order.pointee.minimumQuantity
    if minimum != .zero, executable(row) < minimum.wattHours {
      return remove(row, .fillOrKill)
    }
    switch order.pointee.timeInForce {
    case .goodTillCancel, .goodTillTime: matchAndRest(row)
    case .immediateOrCancel, .fillOrKill: matchAndCancel(row)
    }
  }

  private mutating func matchAndCancel(_ order: OpenOrder) {
    match(order)
    if !order.pointee.marks.isOpen { return }
    invariant(order.pointee.level == 0, "an immediate order never rests")
    if order.pointee.leaves == 0 { finish(order) } else { remove(order, .immediate) }
  }

  /// Puts an order into the pool, takes its reservation and gives it to its owner.
  @inline(__always) private mutating func take(
    _ order: NewOrderRow, _ entry: Entry, _ position: UInt32, _ session: SessionId
  ) -> OpenOrder {
    let (row, slot) = orders.take()
    arrivalCount &+= 1  // Less than one in a nanosecond for centuries.
    row.pointee.leaves = order.pointee.quantity.wattHours
    row.pointee.covered = entry.covered
    row.pointee.quantity = order.pointee.quantity.wattHours
    row.pointee.clientOrderId = order.pointee.clientOrderId.rawValue
    row.pointee.reservePerLot = entry.reservePerLot
    row.pointee.position = position
    row.pointee.instrument = order.pointee.instrument.rawValue
    row.pointee.session = session.rawValue
    row.pointee.level = 0
    row.pointee.side = order.pointee.side
    row.pointee.timeInForce = order.pointee.timeInForce
    row.pointee.selfTradePrevention = order.pointee.selfTradePrevention
    let isIceberg = order.pointee.displayQuantity != .zero
    row.pointee.marks = OrderMarks(
      type: order.pointee.type, postOnly: order.pointee.postOnly, isIceberg: isIceberg)
    if isIceberg { orders.makeIceberg(slot, display: order.pointee.displayQuantity.wattHours) }
    let taken = open(row, slot)
    taken.place.pointee.price = entry.price
    taken.place.pointee.arrival = arrivalCount
    reserve(taken, lots: entry.lots)
    // Who reserves nothing may owe. Asked with one sign: a branch on the side would be guessed wrong.
    let short = taken.holding.pointee.free & -entry.reservePerLot
    invariant(short >= 0, "no more reserved than was free")
    own(taken, taken.owned)
    if order.pointee.timeInForce == .goodTillTime {
      expiries.insert(slot, order.pointee.expireTime.nanoseconds, orders)
    }
    return taken
  }

  /// What an entering order could execute now: a walk over the live orders it reaches, up to its cover.
  /// What icebergs hide stands behind all others of their price.
  private func executable(_ order: OpenOrder) -> Int64 {
    let side = order.pointee.side.opposite
    let instrument = order.pointee.instrument
    let book = books[bookIndex(instrument, side)]
    let limit = instruments[instrument].key(order.price, side)
    let wanted = order.pointee.covered
    var sum: Int64 = 0
    var level = book.bestLevel
    while level != 0, ladder.levels[level].key <= limit, sum < wanted {
      var resting = ladder.levels[level].liveHead
      invariant(resting != 0, "a live level has a live order")
      var hidden: Int64 = 0
      while resting != 0, sum < wanted {
        if orders[resting].position != order.pointee.position {
          let place = inPlace(open(resting))
          sum += place
          hidden += orders[resting].covered - place
        } else if order.pointee.selfTradePrevention != .cancelOlder {
          return min(sum, wanted)
        }
        resting = orders.places[resting].next
      }
      invariant(hidden >= 0, "an iceberg shows no more than it has")
      sum += hidden
      level = ladder.next(after: level, in: book, live: true)
    }
    return min(sum, wanted)
  }
}

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
    if let refusal = permission(request, tradeFor: order.account) ?? validateClientOrderId(order) {
      return reject(refusal, request, order)
    }
    if order.onBehalfOf != .exchange, let refusal = validateOwner(order) {
      return reject(refusal, request, order)
    }
    let number = order.instrument
    guard exists(number) else {
      return reject(Refusal(.unknownInstrument, capacity.instruments), request, order)
    }
    var entry = Entry(instrument: products.instruments.row(number.rawValue))
    if let refusal = validate(order, &entry) { return reject(refusal, request, order) }
    accounts[order.account.rawValue].lastClientOrderId =
      order.clientOrderId.rawValue
    admit(order, entry, session: owner(of: order, request))
    drain()
  }

  /// Whose order it is: the sender's, or the session's on whose behalf it is; the sender of such a one
  /// learns here that it entered.
  @inline(__always) private mutating func owner(of order: NewOrderRow, _ request: Request)
    -> SessionId
  {
    let other = order.onBehalfOf
    if other == .exchange || other == request.session { return request.session }
    acknowledge(request)
    invariant(validateSession(other) == nil, "an owner that was checked")
    return other
  }

  private mutating func reject(_ refusal: Refusal, _ request: Request, _ order: NewOrderRow) {
    reject(
      refusal, request, account: order.account, clientOrderId: order.clientOrderId)
  }

  // MARK: Admission

  /// Takes an order in, matches it and rests what remains. Does not drain.
  @inline(always) mutating func admit(_ order: NewOrderRow, _ entry: Entry, session: SessionId) {
    var position = entry.position
    if position == 0 {
      position = findOrMake(order.account, Asset(number: entry.instrument.asset))
      invariant(position != 0 && position <= balances.positionCount, "a position of the table")
      invariant(
        owned(position, order.side).count == 0, "a new position has no order")
    }
    let row = take(order, entry, position, session)
    emitState(row, .accepted, waitReason(row))
    touchUnlessFullyCovered(row)
    let minimum =
      order.timeInForce == .fillOrKill
      ? order.quantity : order.minimumQuantity
    if minimum != .zero, executable(row) < minimum.wattHours {
      return cancelInFull(row, .fillOrKill)
    }
    if order.timeInForce.isImmediate { matchAndCancel(row) } else { matchAndRest(row) }
  }

  private mutating func matchAndCancel(_ order: OpenOrder) {
    match(order)
    if !order.marks.isOpen { return }
    invariant(order.level == 0, "an immediate order never rests")
    if order.leaves == 0 { complete(order) } else { cancelInFull(order, .immediate) }
  }

  /// Puts an order into the pool, takes its reservation and gives it to its owner.
  @inline(__always) private mutating func take(
    _ order: NewOrderRow, _ entry: Entry, _ position: UInt32, _ session: SessionId
  ) -> OpenOrder {
    let (row, slot) = orders.take()
    progress.arrivals &+= 1  // Less than one in a nanosecond for centuries.
    row.leaves = order.quantity.wattHours
    row.cover(entry.covered)
    row.quantity = order.quantity.wattHours
    row.clientOrderId = order.clientOrderId.rawValue
    row.reservePerLot = entry.reservePerLot
    row.position = position
    row.instrument = order.instrument.rawValue
    row.session = session.rawValue
    row.level = 0
    row.side = order.side
    row.timeInForce = order.timeInForce
    row.selfTradePrevention = order.selfTradePrevention
    let isIceberg = order.displayQuantity != .zero
    row.marks = OrderMarks(
      type: order.type, postOnly: order.postOnly, isIceberg: isIceberg,
      outlivesSession: order.outlivesSession)
    if isIceberg { orders.makeIceberg(slot, display: order.displayQuantity.wattHours) }
    let taken = open(row, slot)
    taken.links.price = entry.price
    taken.links.arrival = progress.arrivals
    reserve(taken, lots: entry.lots)
    // Who reserves nothing may owe. Asked with one sign: a branch on the side would be guessed wrong.
    let short = taken.holding.free & -entry.reservePerLot
    invariant(short >= 0, "no more reserved than was free")
    linkToOwner(taken, taken.owned)
    if order.timeInForce == .goodTillTime {
      schedule.insert(
        .expiry, slot, at: order.expireTime.nanoseconds, number: progress.arrivals)
    }
    return taken
  }

  /// What an entering order could execute now: a walk over the live orders it reaches, up to its cover.
  /// What icebergs hide stands behind all others of their price.
  private func executable(_ order: OpenOrder) -> Int64 {
    let side = order.side.opposite
    let instrument = order.row.instrument
    let book = books.sides[bookIndex(instrument, side)]
    let limit = products.instruments[instrument].key(order.price, side)
    let wanted = order.covered
    var sum: Int64 = 0
    var level = book.bestLevel
    while level != 0, books.ladder.levels[level].key <= limit, sum < wanted {
      var resting = books.ladder.levels[level].liveHead
      invariant(resting != 0, "a live level has a live order")
      var hidden: Int64 = 0
      while resting != 0, sum < wanted {
        if orders[resting].position != order.position {
          let shown = displayedLive(open(resting))
          sum += shown
          hidden += orders[resting].covered - shown
        } else if order.selfTradePrevention != .cancelOlder {
          return min(sum, wanted)
        }
        resting = orders.links[resting].next
      }
      invariant(hidden >= 0, "an iceberg shows no more than it has")
      sum += hidden
      level = books.ladder.next(after: level, in: book, live: true)
    }
    return min(sum, wanted)
  }
}

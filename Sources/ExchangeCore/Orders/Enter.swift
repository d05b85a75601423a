// Entering an order (sections 5, 6 and 11): validate, reserve, cover, match, rest.

import MarketModel

/// Results of the validation of a new order that its admission needs.
struct Entry {
  let instrument: InstrumentRow
  /// The owner's position; 0 when admission must create it.
  var position: UInt32 = 0
  /// The limit price, 1e-5 per kWh; for a market order the edge of the band.
  var price: Int64 = 0
  var lots: Int64 = 0
  var reservePerLot: Int64 = 0
  /// The covered quantity on entry, Wh.
  var covered: Int64 = 0
  /// Between which orders self-trades are prevented.
  var selfTrade = SelfTradeScope.account
  /// What its walk costs, 1e-8, where the reservation at the limit does not fit
  /// (ImmediateFunding.swift); such an order reserves nothing per lot. -1: it reserves at its limit.
  var walkCost: Int64 = -1
}

extension Exchange {
  @inline(always) mutating func enter(_ order: NewOrderRow, _ request: Request) {
    if tradesFreely(request, for: order.account), order.onBehalfOf == .exchange {
      enter(order, request, OrderSender())
    } else {
      enterInSteps(order, request)
    }
  }

  /// What is known of an order's sender. Its values are literals on the path of nearly all orders,
  /// which then contains nothing of notes, limits and choices.
  private struct OrderSender {
    /// Whether the session said a note about the order.
    var isNoted = false
    /// Whether the session or the account is restricted.
    var isRestricted = false
    /// Whether the session may have chosen, or is not the one that owns the order.
    var mayDiffer = false
  }

  /// Enters an order whose session has said a note or is another one's, or whose session or account
  /// is restricted; or refuses one whose session may not trade for the account. A rejected order
  /// loses its note.
  @inline(never) private mutating func enterInSteps(_ order: NewOrderRow, _ request: Request) {
    let isNoted = hasNote(request) && takeNote(request, for: order.clientOrderId)
    if let refusal = permission(request, tradeFor: order.account) {
      return reject(refusal, request, order)
    }
    let isRestricted = isRestricted(request.session, order.account)
    if isRestricted, let refusal = block(of: request.session, order.account) {
      return reject(refusal, request, order)
    }
    enter(
      order, request, OrderSender(isNoted: isNoted, isRestricted: isRestricted, mayDiffer: true))
  }

  /// Enters an order whose sender may trade for its account.
  @inline(always) private mutating func enter(
    _ order: NewOrderRow, _ request: Request, _ sender: OrderSender
  ) {
    if let refusal = validateClientOrderId(order) { return reject(refusal, request, order) }
    if sender.mayDiffer, order.onBehalfOf != .exchange, let refusal = validateOwner(order) {
      return reject(refusal, request, order)
    }
    let number = order.instrument
    guard exists(number) else {
      return reject(Refusal(.unknownInstrument, capacity.instruments), request, order)
    }
    var entry = Entry(instrument: products.instruments.row(number.rawValue))
    if sender.mayDiffer {
      let owner = order.onBehalfOf == .exchange ? request.session : order.onBehalfOf
      entry.selfTrade = reference.sessions[owner.rawValue].selfTrade
    }
    if let refusal = validate(order, &entry, isRestricted: sender.isRestricted) {
      return reject(refusal, request, order)
    }
    if sender.isRestricted { noteEntered(exposure(order, entry)) }
    accounts[order.account.rawValue].lastClientOrderId =
      order.clientOrderId.rawValue
    let session = sender.mayDiffer ? owner(of: order, request) : request.session
    admit(order, entry, session: session, isNoted: sender.isNoted)
    drain()
  }

  /// The session that owns the order: the sender, or the session on whose behalf it was sent. In
  /// the second case the sender gets an acknowledgement.
  private mutating func owner(of order: NewOrderRow, _ request: Request) -> SessionId {
    let other = order.onBehalfOf
    if other == .exchange || other == request.session { return request.session }
    acknowledge(request)
    invariant(validateSession(other) == nil, "the owning session is registered")
    return other
  }

  private mutating func reject(_ refusal: Refusal, _ request: Request, _ order: NewOrderRow) {
    reject(
      refusal, request, account: order.account, clientOrderId: order.clientOrderId)
  }

  // MARK: Admission

  /// Adds a validated order, matches it and rests or cancels the remainder. Does not drain.
  @inline(always) mutating func admit(
    _ order: NewOrderRow, _ entry: Entry, session: SessionId, isNoted: Bool = false
  ) {
    var position = entry.position
    if position == 0 {
      position = findOrMake(order.account, Asset(number: entry.instrument.asset))
      invariant(
        position != 0 && position <= balances.positionCount, "the position is within the table")
      invariant(
        owned(position, order.side).count == 0, "a new position has no order")
    }
    let row = take(order, entry, position, session)
    if isNoted { emitNoted(row) }
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

  /// Adds an order to the pool, reserves its cash and links it to its owner.
  @inline(always) private mutating func take(
    _ order: NewOrderRow, _ entry: Entry, _ position: UInt32, _ session: SessionId
  ) -> OpenOrder {
    let (row, slot) = orders.take()
    progress.arrivals &+= 1  // Cannot wrap: at one entry each ns it would take 584 years.
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
      outlivesSession: order.outlivesSession,
      selfTrade: entry.selfTrade)
    if isIceberg { orders.makeIceberg(slot, display: order.displayQuantity.wattHours) }
    let taken = open(row, slot)
    taken.links.price = entry.price
    taken.links.arrival = progress.arrivals
    reserve(taken, lots: entry.lots)
    // The owner of an order without a reservation may have negative cash. One sign combines both
    // conditions, because a branch on the side would be mispredicted.
    let short = taken.holding.free & -entry.reservePerLot
    invariant(short >= 0, "a reservation takes free cash only")
    if keepsMore { addToAll(taken) } else { linkToOwner(taken, taken.owned) }
    if order.timeInForce == .goodTillTime {
      schedule.insert(
        .expiry, slot, at: order.expireTime.nanoseconds, number: progress.arrivals)
    }
    return taken
  }

  /// The quantity that an entering order could execute now, Wh: a walk over the live orders that it
  /// reaches, up to its cover. The hidden quantity of icebergs counts behind all other orders at
  /// their price.
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
        if !isOwn(open(resting), of: order) {
          let shown = displayedLive(open(resting))
          sum += shown
          hidden += orders[resting].covered - shown
        } else if order.selfTradePrevention != .cancelOlder {
          return min(sum, wanted)
        }
        resting = orders.links[resting].next
      }
      invariant(hidden >= 0, "hidden quantity is at least 0")
      sum += hidden
      level = books.ladder.next(after: level, in: book, live: true)
    }
    return min(sum, wanted)
  }
}

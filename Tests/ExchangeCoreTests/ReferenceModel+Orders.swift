// Section 5: entering, matching, trading, replacing, cancelling.

import MarketModel

extension ReferenceModel {
  mutating func enter(_ request: NewOrder, _ command: Command) throws(Refusal) {
    let text = takeNote(command, for: request.clientOrderId)
    try requireAccount(request.account, command.session)
    let isForAnother =
      request.onBehalfOf != .exchange && request.onBehalfOf != command.session
    let owner = isForAnother ? request.onBehalfOf : command.session
    try requireUnblocked(command.session, request.account)
    let order = try validate(request, session: owner, byAgent: false)
    accounts[request.account]?.lastClientOrderId = request.clientOrderId
    noteEntered(order, instead: nil)
    if isForAnother { acknowledge(command) }
    enter(order, request, text)
    drain()
  }

  /// Enters a valid order. Does not drain.
  mutating func enter(_ valid: ModelOrder, _ request: NewOrder, _ text: NoteText? = nil) {
    var order = valid
    order.id = takeSlot()
    lastArrival += 1
    order.arrival = lastArrival
    reserve(order, order.leaves)
    order.covered = cover(order)
    orders[order.id] = order
    change(order.position) { _ in }
    if let text { note(order, text) }
    emit(.accepted(state(order)))
    touch(order.position)
    let least =
      order.timeInForce == .fillOrKill ? order.quantity : request.minimumQuantity.wattHours
    if least > 0, executable(order) < least {
      cancelWhole(order.id, .fillOrKill)
      return
    }
    match(order.id)
    if order.timeInForce.isImmediate, let left = orders[order.id], left.leaves > 0 {
      cancelWhole(order.id, .immediate)
    } else {
      rest(order.id)
    }
  }

  /// The quantity that a walk over the opposite live book could trade.
  private func executable(_ order: ModelOrder) -> Int64 {
    var sum: Int64 = 0
    // The hidden quantity of icebergs trades after all other orders at their price.
    var (hidden, price) = (Int64(0), Int64(0))
    for resting in liveWithin(order) {
      if resting.price != price { (sum, hidden, price) = (sum + hidden, 0, resting.price) }
      if isOwn(resting, of: order) {
        if order.prevention == .cancelOlder { continue }
        return min(sum, order.covered)
      }
      sum += resting.inPlace
      hidden += resting.covered - resting.inPlace
    }
    return min(sum + hidden, order.covered)
  }

  /// Whether the prevention of self-trades of `order` applies to a resting order.
  func isOwn(_ resting: ModelOrder, of order: ModelOrder) -> Bool {
    resting.account == order.account
      || order.scope == .participant
        && accounts[resting.account]?.participant == accounts[order.account]?.participant
  }

  /// Matches an order while it has cover and the best order of the opposite side is within its
  /// limit.
  mutating func match(_ id: OrderId) {
    while let order = orders[id], order.covered > 0, let resting = bestLive(against: order) {
      if isOwn(resting, of: order) {
        preventSelfTrade(order, resting)
      } else {
        trade(order, resting)
      }
    }
  }

  /// Rests the remainder of an order after matching; ends the order when nothing remains.
  mutating func rest(_ id: OrderId) {
    guard var order = orders[id] else { return }
    if order.leaves == 0 {
      removeFromLevel(order)
    } else {
      order.place = nextPlace()
      order.displayedSlice = order.display
      openLevel(order)
      order.isResting = true
      orders[id] = order
      show(order)
    }
  }

  /// Reports the displayed quantity of a resting iceberg.
  func displayed(_ order: ModelOrder, isRefilled: Bool = false) -> OrderDisplayed {
    OrderDisplayed(
      order: order.id,
      total: Energy(
        wattHours: order.display == 0 ? order.leaves : min(order.leaves, order.displayedSlice)),
      live: Energy(wattHours: order.inPlace), isRefilled: isRefilled)
  }

  mutating func show(_ order: ModelOrder, isRefilled: Bool = false) {
    if order.display > 0, order.isResting {
      emit(.order(.displayed(displayed(order, isRefilled: isRefilled))))
    }
  }

  private mutating func preventSelfTrade(_ newer: ModelOrder, _ older: ModelOrder) {
    if newer.position != older.position { touch(newer.position) }
    switch newer.prevention {
    case .cancelNewer: cancelWhole(newer.id, .selfTrade)
    case .cancelOlder: cancelWhole(older.id, .selfTrade)
    case .cancelBoth:
      cancelWhole(older.id, .selfTrade)
      cancelWhole(newer.id, .selfTrade)
    case .decrementBoth:
      let quantity = min(newer.covered, older.inPlace)
      decrement(older, by: quantity)
      decrement(newer, by: quantity)
    }
  }

  private mutating func decrement(_ old: ModelOrder, by quantity: Int64) {
    var order = old
    release(order, quantity)
    order.quantity -= quantity
    order.leaves -= quantity
    order.covered -= quantity
    emit(
      .canceled(
        OrderCanceled(
          state: state(order), quantity: Energy(wattHours: quantity), reason: .selfTrade)))
    touch(order.position)
    keep(order, taken: quantity)
  }

  /// Updates an order after a trade or decrement: it ends, waits, or keeps its place.
  mutating func keep(_ changed: ModelOrder, taken quantity: Int64) {
    var order = changed
    if order.leaves == 0, order.isResting { return removeFromLevel(order) }
    order.displayedSlice -= quantity
    let isRefilled = order.display > 0 && order.displayedSlice == 0 && order.covered > 0
    if order.isResting, order.covered == 0 || isRefilled {
      order.place = nextPlace()
      order.displayedSlice = order.display
    }
    orders[order.id] = order
    show(order, isRefilled: isRefilled)
  }

  /// Trades the smaller covered quantity at the resting order's price.
  private mutating func trade(_ taker: ModelOrder, _ maker: ModelOrder) {
    guard let instrument = instruments[taker.instrument]?.definition else { return }
    var (taker, maker) = (taker, maker)
    let quantity = min(taker.covered, maker.inPlace)
    let notional = maker.price * quantity
    let takerFee = roundedUp(taker.takerFee, of: notional)
    let makerFee = roundedUp(maker.makerFee, of: notional)
    lastTrade += 1
    for order in [taker, maker] {
      release(order, quantity)
      let isBuyer = order.side == .buy
      let fee = order.id == taker.id ? takerFee : makerFee
      pay(order.position, (isBuyer ? -notional : notional) - fee)
      store(order.position, isBuyer ? quantity : -quantity)
    }
    areas[instrument.area]?.fees += takerFee + makerFee
    countUnsettled(notional, instrument.area)
    taker.leaves -= quantity
    taker.covered -= quantity
    maker.leaves -= quantity
    maker.covered -= quantity
    let takerParty = party(taker, takerFee)
    let makerParty = party(maker, makerFee)
    emit(
      .trade(
        Trade(
          trade: TradeId(lastTrade), instrument: taker.instrument, aggressor: taker.side,
          price: Price(ticks: maker.price), quantity: Energy(wattHours: quantity),
          notional: Money(units: notional),
          buyer: taker.side == .buy ? takerParty : makerParty,
          seller: taker.side == .sell ? takerParty : makerParty)))
    touch(taker.position)
    touch(maker.position)
    keep(maker, taken: quantity)
    keep(taker, taken: quantity)
  }

  func party(_ order: ModelOrder, _ fee: Int64) -> TradeParty {
    TradeParty(
      order: order.id, account: order.account, session: order.session,
      clientOrderId: order.clientOrderId, fee: Money(units: fee),
      leaves: Energy(wattHours: order.leaves), covered: Energy(wattHours: order.covered))
  }

  /// Cancels the whole open quantity of an order.
  mutating func cancelWhole(_ id: OrderId, _ reason: CancelReason) {
    guard var order = orders[id] else { return }
    let quantity = order.leaves
    release(order, quantity)
    (order.leaves, order.covered) = (0, 0)
    emit(
      .canceled(
        OrderCanceled(
          state: state(order), quantity: Energy(wattHours: quantity), reason: reason)))
    touch(order.position)
    removeFromLevel(order)
  }

  /// Removes an order from the book and frees its slot.
  private mutating func removeFromLevel(_ order: ModelOrder) {
    orders[order.id] = nil
    freeSlots.append(order.id.slot)
  }

  /// The slot for a new order: the last one freed, or else the next unused one.
  private mutating func takeSlot() -> OrderId {
    let slot = freeSlots.popLast() ?? UInt32(generations.count + 1)
    generations[slot, default: 0] += 1
    return OrderId(slot: slot, generation: generations[slot, default: 0])
  }
}

// MARK: - Section 6: reservations

extension ReferenceModel {
  /// The cash that an order reserves for each lot.
  func reservationPerLot(_ order: ModelOrder) -> Int64 {
    if order.isWalked || (order.side == .sell && order.price >= 0) { return 0 }
    let rate = Rate(
      partsPerMillion: max(
        order.makerFee.partsPerMillion, order.takerFee.partsPerMillion))
    let payable = order.side == .buy ? order.price : -order.price
    return max(payable, 0) * order.lot + roundedUp(rate, of: order.price * order.lot)
  }

  mutating func reserve(_ order: ModelOrder, _ quantity: Int64) {
    guard let currency = areas[order.position.area]?.definition.currency else { return }
    let amount = reservationPerLot(order) * (quantity / order.lot)
    cash[CashKey(order.account, currency), default: ModelCash()].free -= amount
    cash[CashKey(order.account, currency), default: ModelCash()].reserved += amount
  }

  mutating func release(_ order: ModelOrder, _ quantity: Int64) { reserve(order, -quantity) }
}

// MARK: - Replace and cancel

extension ReferenceModel {
  mutating func replace(_ request: ReplaceOrder, _ command: Command) throws(Refusal) {
    let text = takeNote(command, for: request.clientOrderId)
    try requireAccount(request.account, command.session)
    let (old, new) = try validate(request, command.session)
    accounts[request.account]?.lastClientOrderId = request.clientOrderId
    replace(old, new, text)
    drain()
  }

  /// Replaces an order by a valid one. Does not drain.
  mutating func replace(_ old: ModelOrder, _ new: ModelOrder, _ text: NoteText? = nil) {
    release(old, old.leaves)
    reserve(new, new.leaves)
    var order = new
    if order.keepsPlace(of: old) {
      order.covered = min(old.covered, order.leaves)
      orders[order.id] = order
      if let text { note(order, text) }
      emit(.replaced(state(order)))
      show(order)
      touch(order.position)
    } else {
      noteEntered(new, instead: old)
      lastArrival += 1
      order.arrival = lastArrival
      order.isResting = false
      order.covered = cover(order)
      orders[order.id] = order
      if let text { note(order, text) }
      emit(.replaced(state(order)))
      touch(order.position)
      match(order.id)
      rest(order.id)
    }
  }

  mutating func cancel(_ request: CancelOrder, _ command: Command) throws(Refusal) {
    try requireCancels(request.account, command)
    let order = orders.values.first {
      $0.account == request.account
        && (request.order == .null
          ? $0.clientOrderId == request.clientOrderId && $0.clientOrderId != .engine
          : $0.id == request.order)
    }
    guard let order else { throw Refusal(.unknownOrder) }
    cancelWhole(order.id, .user)
    drain()
    if rules >= 5, order.session != command.session { acknowledge(command) }
  }

  mutating func massCancel(_ request: MassCancel, _ command: Command) throws(Refusal) {
    try requireCancels(request.account, command)
    if request.instrument != .null {
      try require(
        instruments[request.instrument] != nil, .unknownInstrument, Int64(capacity.instruments))
    }
    var count: UInt32 = 0
    for key in positions.map(\.key) where key.account == request.account {
      for side in [Side.sell, .buy] where request.sides.contains(side) {
        let chosen = orders.values.filter {
          $0.position == key && $0.side == side
            && (request.instrument == .null || $0.instrument == request.instrument)
        }.sorted { a, b in
          a.price == b.price ? a.arrival < b.arrival : side.isBetter(a.price, than: b.price)
        }
        for order in chosen {
          cancelWhole(order.id, .mass)
          count += 1
        }
      }
    }
    emit(
      .order(
        .massCanceled(
          MassCanceled(
            session: command.session, clientSequence: command.clientSequence, request: request,
            count: count))))
    drain()
  }
}

extension ModelOrder {
  /// A lower quantity at an unchanged price keeps the priority.
  func keepsPlace(of old: ModelOrder) -> Bool {
    price == old.price && quantity < old.quantity
  }
}

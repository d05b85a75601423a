// Listing, halting, opening and closing instruments (sections 2 and 5).

import MarketModel

extension Exchange {
  mutating func create(
    _ new: CreateInstrument, _ request: Request
  ) {
    if let refusal = permission(request, .administration) ?? validate(new) {
      return reject(refusal, request)
    }
    let number = new.instrument.rawValue
    let depth = ladderDepth(new)
    invariant(depth >= 1 && depth <= 4, "a ladder of one to four levels of nodes")
    invariant(number <= capacity.instruments, "an instrument of the table")
    instruments[number] = Instrument(
      exists: true, state: .open, area: new.area.rawValue, makerFee: new.makerFee.partsPerMillion,
      takerFee: new.takerFee.partsPerMillion, depth: depth, tick: new.tick.ticks,
      lot: new.lot.wattHours, lowest: new.lowestPrice.ticks, highest: new.highestPrice.ticks,
      symbol: new.symbol)
    invariant(
      books[bookIndex(number, .buy)].root == 0 && books[bookIndex(number, .sell)].root == 0,
      "a new book is empty")
    invariant(
      UInt64(instruments[number].key(new.highestPrice.ticks, .sell)) < 1 << UInt64(depth * 6),
      "every price of the band has a key")
    books[bookIndex(number, .buy)] = BookSide(depth: depth)
    books[bookIndex(number, .sell)] = BookSide(depth: depth)
    emit(.reference(.instrumentCreated(new)))
    acknowledge(request)
  }

  private func validate(_ new: CreateInstrument) -> Refusal? {
    let number = new.instrument.rawValue
    guard number >= 1, number <= capacity.instruments else {
      return Refusal(.outOfRange, capacity.instruments)
    }
    if exists(new.instrument) { return Refusal(.alreadyExists) }
    guard exists(new.area) else { return Refusal(.unknownArea, capacity.areas) }
    let (tick, lot) = (new.tick.ticks, new.lot.wattHours)
    if tick <= 0 || tick > Limit.price { return Refusal(.badDefinition, tick) }
    if lot <= 0 || lot > Limit.orderQuantity { return Refusal(.badDefinition, lot) }
    for price in [new.lowestPrice.ticks, new.highestPrice.ticks] {
      let fits = abs(price.clamped) <= Limit.price && price % tick == 0
      if !fits || price.multipliedReportingOverflow(by: lot).overflow {
        return Refusal(.badDefinition, price)
      }
    }
    if new.highestPrice < new.lowestPrice {
      return Refusal(.badDefinition, new.highestPrice.ticks)
    }
    let width = (new.highestPrice.ticks - new.lowestPrice.ticks) / tick
    if width >= Limit.bandTicks { return Refusal(.badDefinition, width) }
    for fee in [new.makerFee, new.takerFee]
    where fee.partsPerMillion > Rate.highest.partsPerMillion {
      return Refusal(.badDefinition, fee.partsPerMillion)
    }
    return nil
  }

  /// Levels of 64 that number the band's prices.
  private func ladderDepth(_ new: CreateInstrument) -> UInt32 {
    let highestKey = (new.highestPrice.ticks - new.lowestPrice.ticks) / new.tick.ticks
    invariant(highestKey >= 0 && highestKey < Limit.bandTicks, "a band that was checked")
    let bits = UInt32(Int64.bitWidth - max(highestKey, 1).leadingZeroBitCount)
    return (bits + 5) / 6
  }

  // MARK: States

  mutating func set(
    _ change: SetInstrumentState, _ request: Request
  ) {
    var refusal = permission(request, .administration)
    if refusal == nil, !exists(change.instrument) {
      refusal = Refusal(.unknownInstrument, capacity.instruments)
    }
    let number = change.instrument.rawValue
    if refusal == nil, instruments[number].state == .closed, change.state != .closed {
      refusal = Refusal(.instrumentClosed)
    }
    if let refusal { return reject(refusal, request) }
    if instruments[number].state != change.state {
      emit(.reference(.instrumentStateChanged(change)))
      enter(change.state, number, .buy)
      enter(change.state, number, .sell)
      checkEmptied(number, change.state)
      invariant(
        instruments[number].state != .closed, "what is closed is never anything else again")
      instruments[number].state = change.state
      drain()
    }
    acknowledge(request)
  }

  /// What a new state asks for was done: nothing of it is live unless it is open, and nothing of it is
  /// there when it is closed.
  private func checkEmptied(_ instrument: UInt32, _ state: InstrumentState) {
    for side in [Side.buy, .sell] {
      let book = books.address(of: bookIndex(instrument, side))
      invariant(state == .open || book.pointee.bestLevel == 0, "nothing live where nothing trades")
      invariant(
        (book.pointee.bestLevel == 0) == (book.pointee.bestKey == Ladder.none),
        "a best level has a key")
      invariant(state != .closed || book.pointee.root == 0, "nothing rests where it is closed")
    }
  }

  /// Does to every order of one side, in book order, what the new state asks for. The instrument's
  /// state is still the old one.
  private mutating func enter(
    _ state: InstrumentState, _ instrument: UInt32, _ side: Side
  ) {
    let book = bookIndex(instrument, side)
    var level = ladder.first(in: books[book], live: false)
    while level != 0 {
      let next = ladder.next(after: level, in: books[book], live: false)
      // Orders that leave the live queue go to the waiting list's tail: count first.
      var left = ladder.levels[level].count
      var slot = firstOf(level)
      while left > 0, slot != 0 {
        left -= 1
        let order = open(slot)
        invariant(
          order.pointee.level == level && order.pointee.instrument == instrument
            && order.pointee.side == side, "a level holds the orders of its book")
        let following = following(order, level)
        switch state {
        case .halted: halt(order)
        case .open: reopen(order)
        case .closed: remove(order, .closed)
        }
        slot = following
      }
      invariant(left == 0, "a level has as many orders as it counts")
      level = next
    }
  }

  /// The first order of a level in book order: live queue, then waiting list.
  private func firstOf(_ level: UInt32) -> UInt32 {
    let live = ladder.levels[level].liveHead
    return live != 0 ? live : ladder.levels[level].waitingHead
  }

  /// The order after `order` in book order; 0 after the last.
  private func following(_ order: OpenOrder, _ level: UInt32) -> UInt32 {
    invariant(order.pointee.level == level, "an order of this level")
    let next = order.place.pointee.next
    invariant(next == 0 || orders[next].level == level, "a list leads on within its level")
    if next != 0 { return next }
    return order.pointee.covered > 0 ? ladder.levels[level].waitingHead : 0
  }

  private mutating func halt(_ order: OpenOrder) {
    let owned = order.owned
    let covered = order.pointee.covered
    invariant(order.pointee.level != 0, "what is halted rests")
    invariant(covered >= 0 && covered <= order.pointee.leaves, "no more covered than open")
    if covered > 0 { moveToWaiting(order) }
    order.pointee.covered = 0
    owned.pointee.covered -= covered
    owned.pointee.eligible -= order.pointee.leaves
    owned.pointee.halted += order.pointee.leaves
    invariant(owned.pointee.covered >= 0, "no more cover lost than there was")
    invariant(owned.pointee.eligible >= 0, "no more halted than was open")
    emitState(order, .restated, .halted)
    showIceberg(order)
    touch(order.pointee.position)
  }

  private mutating func reopen(_ order: OpenOrder) {
    let owned = order.owned
    invariant(order.pointee.covered == 0, "a halted order has no cover")
    invariant(order.pointee.level != 0, "what was halted rests")
    owned.pointee.eligible += order.pointee.leaves
    owned.pointee.halted -= order.pointee.leaves
    owned.pointee.fairFrom = Int64.max
    invariant(owned.pointee.halted >= 0, "no more reopened than was halted")
    touch(order.pointee.position)
  }
}

extension Int64 {
  /// Itself, but never the one value whose magnitude does not fit.
  fileprivate var clamped: Int64 { Swift.max(self, -Int64.max) }
}

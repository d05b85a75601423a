// Matching (section 5): price first, then time of entering the live book. Only covered quantity is in
// the live book, so matching never asks whether an order can execute.

import MarketModel

extension Exchange {
  /// Whether an entering order's limit reaches the best live order of the other side.
  @inline(__always) func crosses(_ order: OpenOrder) -> Bool {
    reaches(order.pointee.instrument, order.pointee.side, limit: order.price)
  }

  @inline(__always) func reaches(_ instrument: UInt32, _ side: Side, limit: Int64) -> Bool {
    let other = side.opposite
    let best = books[bookIndex(instrument, other)].bestKey
    return best != Ladder.none && best <= instruments[instrument].key(limit, other)
  }

  /// Matches an entering order and rests what remains of it. It may be gone afterwards.
  @inline(always) mutating func matchAndRest(_ order: OpenOrder) {
    match(order)
    if !order.pointee.marks.isOpen { return }
    if order.pointee.leaves == 0 {
      finish(order)
    } else {
      rest(order)
    }
  }

  /// Trades an entering order with what it reaches. Self-trade prevention may cancel it; else it is
  /// still open, perhaps with nothing left.
  @inline(always) mutating func match(_ order: OpenOrder) {
    let other = order.pointee.side.opposite
    let book = books.address(of: bookIndex(order.pointee.instrument, other))
    let limit = order.instrument.pointee.key(order.price, other)
    // Without a live level the best key is above every limit.
    while book.pointee.bestKey <= limit, order.pointee.covered > 0 {
      if !meet(order, book.pointee.bestLevel) { return }
    }
  }

  /// Trades an entering order with the first of the best level, or applies self-trade prevention.
  /// - Returns: whether matching goes on.
  private mutating func meet(_ order: OpenOrder, _ best: UInt32) -> Bool {
    let level = ladder.levels.address(of: best)
    invariant(level.pointee.liveHead != 0, "the best level has a live order")
    let resting = open(level.pointee.liveHead)
    // One instrument, one area: the same position is the same account.
    if resting.pointee.position == order.pointee.position {
      return preventSelfTrade(order, resting, level)
    }
    trade(order, resting, level)
    return true
  }

  // MARK: Trading

  @inline(__always) private mutating func trade(
    _ taker: OpenOrder, _ maker: OpenOrder, _ level: LevelRow
  ) {
    let instrument = taker.instrument
    let quantity = min(taker.pointee.covered, inPlace(maker))
    let price = maker.price
    let notional = price * quantity  // Fits: the maker's own notional did (section 11).
    let side = taker.pointee.side
    let makerFee = fee(instrument.pointee.makerFee, notional)
    let takerFee = fee(instrument.pointee.takerFee, notional)
    let lots = instrument.pointee.lots(quantity)
    let paid = side.pick(sell: -notional, buy: notional)  // By the taker; the maker gets it.
    let taken = side.pick(sell: -quantity, buy: quantity)
    book(taker, quantity, lots: lots, energy: taken, cash: -paid - takerFee)
    book(maker, quantity, lots: lots, energy: -taken, cash: paid - makerFee)
    areas[UInt32(instrument.pointee.area)].fees += makerFee + takerFee
    level.pointee.live -= quantity
    level.pointee.total -= quantity

    tradeCount &+= 1  // Less than one in a nanosecond for centuries.
    emitTrade(side, price, quantity, notional, (taker, takerFee), (maker, makerFee))
    touchBalance(taker.pointee.position, taker.owner)
    touchBalance(maker.pointee.position, maker.owner)
    settleResting(maker, taken: quantity)
  }

  @inline(__always) private func fee(_ rate: UInt32, _ notional: Int64) -> Int64 {
    guard let fee = Rate(partsPerMillion: rate).roundedUp(of: notional) else {
      preconditionFailure("a fee below the notional fits")
    }
    return fee
  }

  /// Books one party's part of a trade: its order's quantity, what the order reserved for these lots,
  /// and the energy and the cash that it gets.
  @inline(__always) private func book(
    _ order: OpenOrder, _ quantity: Int64, lots: Int64, energy: Int64, cash: Int64
  ) {
    let released = order.pointee.reservePerLot * lots
    order.holding.pointee.reserved -= released
    order.holding.pointee.free += released + cash
    order.owner.pointee.energy += energy
    order.owned.pointee.fairFrom &-= quantity
    invariant(
      order.holding.pointee.reserved | order.owner.pointee.energy >= 0,
      "no more paid than was reserved, no more sold than held")
    execute(order, quantity)
  }

  /// Takes executed quantity off an order and its owner's sums.
  @inline(__always) private func execute(_ order: OpenOrder, _ quantity: Int64) {
    let side = order.owned
    order.pointee.leaves -= quantity
    order.pointee.covered -= quantity
    side.pointee.eligible -= quantity
    side.pointee.covered -= quantity
    invariant(side.pointee.covered >= 0, "only what is covered executes")
  }

  /// After `quantity` of a resting order was taken: without leaves it is gone, without cover it waits.
  @inline(__always) private mutating func settleResting(_ order: OpenOrder, taken quantity: Int64) {
    if order.pointee.leaves == 0 {
      leave(order, isLive: true)
      finish(order)
    } else if order.pointee.marks.isIceberg {
      settleIceberg(order, taken: quantity)
    } else if order.pointee.covered == 0 {
      moveToWaiting(order)
    }
  }

  // MARK: Self-trade prevention

  /// Applies the entering order's instruction where both best orders have one owner.
  /// - Returns: whether matching goes on.
  private mutating func preventSelfTrade(
    _ entering: OpenOrder, _ resting: OpenOrder, _ level: LevelRow
  ) -> Bool {
    invariant(entering.slot != resting.slot, "an entering order is in no book")
    invariant(entering.pointee.side != resting.pointee.side, "two sides of one book")
    invariant(resting.pointee.level == level.pointee.number, "the resting order of this level")
    switch entering.pointee.selfTradePrevention {
    case .cancelNewer:
      remove(entering, .selfTrade)
      return false
    case .cancelOlder:
      remove(resting, .selfTrade)
      return true
    case .cancelBoth:
      remove(resting, .selfTrade)
      remove(entering, .selfTrade)
      return false
    case .decrementBoth:
      let quantity = min(entering.pointee.covered, inPlace(resting))
      decrement(resting, quantity)
      level.pointee.live -= quantity
      level.pointee.total -= quantity
      invariant(quantity > 0 && level.pointee.live >= 0, "only what is live is decremented")
      emitCanceled(resting, quantity, .selfTrade)
      settleResting(resting, taken: quantity)
      decrement(entering, quantity)
      emitCanceled(entering, quantity, .selfTrade)
      touch(entering.pointee.position)
      return true
    }
  }

  private func decrement(_ order: OpenOrder, _ quantity: Int64) {
    release(order, lots: order.instrument.pointee.lots(quantity))
    execute(order, quantity)
    order.pointee.quantity -= quantity
    invariant(order.pointee.quantity >= order.pointee.leaves, "what was executed stays")
    invariant(order.pointee.leaves >= order.pointee.covered, "no more covered than open")
  }
}

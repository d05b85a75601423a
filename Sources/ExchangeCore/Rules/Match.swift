// Matching (section 5): price first, then time of entering the live book. Only covered quantity is in
// the live book, so matching never asks whether an order can execute.

import MarketModel

extension Exchange {
  /// Whether an entering order's limit reaches the best live order of the other side.
  @inline(__always) func crosses(_ order: OrderRow) -> Bool {
    reaches(order.pointee.instrument, order.pointee.side, limit: orders.price(order))
  }

  @inline(__always) func reaches(_ instrument: UInt32, _ side: Side, limit: Int64) -> Bool {
    let other = side.opposite
    let best = books[bookIndex(instrument, other)].bestKey
    return best != Ladder.none && best <= instruments[instrument].key(limit, other)
  }

  /// Matches an entering order and rests what remains of it. It may be gone afterwards.
  @inline(__always) mutating func matchAndRest(_ order: OrderRow) {
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
  @inline(__always) mutating func match(_ order: OrderRow) {
    let other = order.pointee.side.opposite
    let instrument = instruments.address(of: order.pointee.instrument)
    let book = books.address(of: bookIndex(order.pointee.instrument, other))
    let limit = instrument.pointee.key(orders.price(order), other)
    // Without a live level the best key is above every limit.
    while book.pointee.bestKey <= limit, order.pointee.covered > 0 {
      if !meet(order, book.pointee.bestLevel, instrument) { return }
    }
  }

  /// Trades an entering order with the first of the best level, or applies self-trade prevention.
  /// - Returns: whether matching goes on.
  private mutating func meet(
    _ order: OrderRow, _ best: UInt32, _ instrument: InstrumentRow
  ) -> Bool {
    let level = ladder.levels.address(of: best)
    let resting = orders.address(of: level.pointee.liveHead)
    // One instrument, one area: the same position is the same account.
    if resting.pointee.position == order.pointee.position {
      return preventSelfTrade(order, resting, level)
    }
    trade(order, resting, level, instrument)
    return true
  }

  // MARK: Trading

  @inline(__always) private mutating func trade(
    _ taker: OrderRow, _ maker: OrderRow, _ level: LevelRow, _ instrument: InstrumentRow
  ) {
    let quantity = min(taker.pointee.covered, maker.pointee.covered)
    let price = orders.price(maker)
    let notional = price * quantity  // Fits: the maker's own notional did (section 11).
    let takerBuys = taker.pointee.side == .buy
    let makerFee = fee(instrument.pointee.makerFee, notional)
    let takerFee = fee(instrument.pointee.takerFee, notional)
    let lots = instrument.pointee.lots(quantity)
    book(taker, quantity, lots: lots, takerBuys ? -notional - takerFee : notional - takerFee)
    book(maker, quantity, lots: lots, takerBuys ? notional - makerFee : -notional - makerFee)
    areas[UInt32(instrument.pointee.area)].fees += makerFee + takerFee
    level.pointee.live -= quantity
    level.pointee.total -= quantity

    tradeCount &+= 1  // Less than one in a nanosecond for centuries.
    if takerBuys {
      emitTrade(.buy, price, quantity, notional, (taker, takerFee), (maker, makerFee))
    } else {
      emitTrade(.sell, price, quantity, notional, (maker, makerFee), (taker, takerFee))
    }
    touchBalance(taker.pointee.position)
    touchBalance(maker.pointee.position)
    settleResting(maker)
  }

  @inline(__always) private func fee(_ rate: UInt32, _ notional: Int64) -> Int64 {
    guard let fee = Rate(partsPerMillion: rate).roundedUp(of: notional) else {
      preconditionFailure("a fee below the notional fits")
    }
    return fee
  }

  /// Books one party's part of a trade: its order's quantity, its energy, what the order reserved for
  /// these lots, and `amount` of cash.
  @inline(__always) private func book(
    _ order: OrderRow, _ quantity: Int64, lots: Int64, _ amount: Int64
  ) {
    let position = positions.address(of: order.pointee.position)
    let holding = holdings.address(of: position.pointee.holding)
    let released = order.pointee.reservePerLot * lots
    holding.pointee.reserved -= released
    holding.pointee.free += released + amount
    position.pointee.energy += order.pointee.side == .buy ? quantity : -quantity
    execute(order, quantity)
  }

  /// Takes executed quantity off an order and its owner's sums.
  @inline(__always) private func execute(_ order: OrderRow, _ quantity: Int64) {
    order.pointee.leaves -= quantity
    order.pointee.covered -= quantity
    let side = owned(order)
    side.pointee.eligible -= quantity
    side.pointee.covered -= quantity
  }

  /// After a resting order was lowered: without leaves it is gone, without cover it waits.
  @inline(__always) private mutating func settleResting(_ order: OrderRow) {
    if order.pointee.covered > 0 { return }
    if order.pointee.leaves > 0 {
      moveToWaiting(order)
    } else {
      leave(order, isLive: true)
      finish(order)
    }
  }

  // MARK: Self-trade prevention

  /// Applies the entering order's instruction where both best orders have one owner.
  /// - Returns: whether matching goes on.
  private mutating func preventSelfTrade(
    _ entering: OrderRow, _ resting: OrderRow, _ level: LevelRow
  ) -> Bool {
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
      let quantity = min(entering.pointee.covered, resting.pointee.covered)
      decrement(resting, quantity)
      level.pointee.live -= quantity
      level.pointee.total -= quantity
      emitCanceled(resting, quantity, .selfTrade)
      decrement(entering, quantity)
      emitCanceled(entering, quantity, .selfTrade)
      touch(entering.pointee.position)
      settleResting(resting)
      return true
    }
  }

  private func decrement(_ order: OrderRow, _ quantity: Int64) {
    release(order, lots: instruments[order.pointee.instrument].lots(quantity))
    execute(order, quantity)
    order.pointee.quantity -= quantity
  }
}

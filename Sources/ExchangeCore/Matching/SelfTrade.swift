// Self-trade prevention (section 5): applies when an order meets an order of its own account, or, if
// its session chose so, of another account of its participant.

import MarketModel

extension Exchange {
  /// Applies the entering order's instruction when the best resting order has the same owner.
  /// - Returns: Whether matching continues.
  mutating func preventSelfTrade(_ entering: OpenOrder, _ resting: OpenOrder, _ level: LevelRow)
    -> Bool
  {
    invariant(entering.slot != resting.slot, "an entering order is not in the book")
    invariant(entering.side != resting.side, "the orders are on opposite sides")
    invariant(resting.level == level.number, "the resting order belongs to the level")
    // As in a trade: the position of the entering order, then that of the resting one.
    if resting.position != entering.position { touch(entering.position) }
    switch entering.selfTradePrevention {
    case .cancelNewer:
      cancelInFull(entering, .selfTrade)
      return false
    case .cancelOlder:
      cancelInFull(resting, .selfTrade)
      return true
    case .cancelBoth:
      cancelInFull(resting, .selfTrade)
      cancelInFull(entering, .selfTrade)
      return false
    case .decrementBoth:
      let quantity = min(entering.covered, displayedLive(resting))
      decrement(resting, quantity)
      level.execute(quantity)
      invariant(quantity > 0 && level.live >= 0, "a decrement takes live quantity only")
      emitCanceled(resting, quantity, .selfTrade)
      touch(resting.position)
      updateResting(resting, reducedBy: quantity)
      decrement(entering, quantity)
      emitCanceled(entering, quantity, .selfTrade)
      touch(entering.position)
      return true
    }
  }

  private func decrement(_ order: OpenOrder, _ quantity: Int64) {
    release(order, lots: order.instrument.value.lots(quantity))
    execute(order, quantity)
    changeBlock(order, leaves: -quantity, covered: -quantity)
    order.quantity -= quantity
    invariant(order.quantity >= order.leaves, "the executed quantity is at least 0")
    invariant(order.leaves >= order.covered, "covered is at most leaves")
  }
}

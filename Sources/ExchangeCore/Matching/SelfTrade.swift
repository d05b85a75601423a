// Self-trade prevention (section 5): what happens when both best orders have one owner.

import MarketModel

extension Exchange {
  /// Applies the entering order's instruction where both best orders have one owner.
  /// - Returns: whether matching goes on.
  mutating func preventSelfTrade(_ entering: OpenOrder, _ resting: OpenOrder, _ level: LevelRow)
    -> Bool
  {
    invariant(entering.slot != resting.slot, "an entering order is in no book")
    invariant(entering.side != resting.side, "two sides of one book")
    invariant(resting.level == level.number, "the resting order of this level")
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
      invariant(quantity > 0 && level.live >= 0, "only what is live is decremented")
      emitCanceled(resting, quantity, .selfTrade)
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
    order.quantity -= quantity
    invariant(order.quantity >= order.leaves, "what was executed stays")
    invariant(order.leaves >= order.covered, "no more covered than open")
  }
}

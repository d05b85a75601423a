// The end of an order: cancelled in full or executed in full.

import MarketModel

extension Exchange {
  /// Cancels the whole open quantity of a resting or entering order and touches its position.
  mutating func cancelInFull(_ order: OpenOrder, _ reason: CancelReason) {
    let position = order.position
    cancelWithoutTouch(order, reason)
    touch(position)
    invariant(balances.positions[position].isTouched, "the owner's position is touched")
  }

  /// Cancels the whole open quantity of a resting or entering order. The caller touches its
  /// position.
  @inline(always) mutating func cancelWithoutTouch(_ order: OpenOrder, _ reason: CancelReason) {
    let quantity = order.leaves
    let side = order.owned
    let instrument = order.instrument
    release(order, lots: instrument.value.lots(quantity))
    if order.level != 0 { removeFromLevel(order) }
    if keepsMore { removeFromAll(order) } else { unlinkFromOwner(order, side) }
    order.leaves = 0
    order.row.cover(0)
    emitCanceled(order, quantity, reason)
    freeSlot(order)
  }

  /// Ends an order that has executed in full and frees its slot.
  @inline(__always) mutating func complete(_ order: OpenOrder) {
    invariant(
      order.covered | Int64(order.level) == 0,
      "a completed order has no cover and is in no level")
    if keepsMore { removeFromAll(order) } else { unlinkFromOwner(order, order.owned) }
    freeSlot(order)
  }

  @inline(__always) private mutating func freeSlot(_ order: OpenOrder) {
    if order.timeInForce == .goodTillTime { schedule.remove(.expiry, order.slot) }
    orders.free(order.row, order.links, order.slot)
  }

}

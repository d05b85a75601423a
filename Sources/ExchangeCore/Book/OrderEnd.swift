// How an order leaves the exchange: cancelled in full, or executed in full.

import MarketModel

extension Exchange {
  /// Cancels an order in full, wherever it stands, and touches its position.
  mutating func cancelInFull(_ order: OpenOrder, _ reason: CancelReason) {
    let position = order.position
    cancelWithoutTouch(order, reason)
    touch(position)
    invariant(balances.positions[position].isTouched, "who lost an order is looked at")
  }

  /// Cancels an order in full, wherever it stands.
  @inline(always) mutating func cancelWithoutTouch(_ order: OpenOrder, _ reason: CancelReason) {
    let quantity = order.leaves
    let side = order.owned
    let instrument = order.instrument
    release(order, lots: instrument.value.lots(quantity))
    if order.level != 0 { removeFromLevel(order) }
    unlinkFromOwner(order, side)
    order.leaves = 0
    order.row.cover(0)
    emitCanceled(order, quantity, reason)
    freeSlot(order)
  }

  /// Gives back the slot of an order that has executed in full.
  @inline(__always) mutating func complete(_ order: OpenOrder) {
    invariant(
      order.covered | Int64(order.level) == 0,
      "what ends is executed and has left its level")
    unlinkFromOwner(order, order.owned)
    freeSlot(order)
  }

  @inline(__always) private mutating func freeSlot(_ order: OpenOrder) {
    if order.timeInForce == .goodTillTime { schedule.remove(.expiry, order.slot) }
    orders.free(order.row, order.links, order.slot)
  }

}

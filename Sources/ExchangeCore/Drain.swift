// After a command's own rule: every position that it touched is re-covered, its standing instruction may enter an
// order, and its balances are told (sections 4 and 8).

import MarketModel

extension Exchange {
  /// Re-covers the touched positions until none is left.
  @inline(__always) mutating func drain() {
    if touched.head != 0 { drainTouched() }
  }

  private mutating func drainTouched() {
    if touched.hasBacklog { removeExcessCoverOfTouched() }
    var steps: UInt32 = 0
    while touched.head != 0 {
      if steps == capacity.cascadeSteps {
        emit(.control(.alarm(Alarm(kind: .cascadeBound, value: Int64(steps)))))
        touched.hasBacklog = true
        return
      }
      steps &+= 1
      let position = touched.head
      let row = balances.positions.row(position)
      invariant(row.isTouched, "what is in the queue is marked")
      touched.head = row.nextTouched
      if touched.head == 0 { touched.tail = 0 }
      row.isTouched = false
      let (asks, bids) = (owned(position, .sell), owned(position, .buy))
      if !isFullyCovered(row, asks, .sell) { recalculatePartialCover(position, .sell) }
      if !isFullyCovered(row, bids, .buy) { recalculatePartialCover(position, .buy) }
      if row.mustRunAgent {
        row.mustRunAgent = false
        if row.hasAgent { runAgent(position) }
      }
      if row.mustReport, !row.isTouched {
        row.mustReport = false
        emitBalance(row, asks: asks, bids: bids)
      }
    }
    invariant(touched.tail == 0, "an empty queue has no end")
    touched.hasBacklog = false
  }

  /// Behind a bound the position that a command changed is not the first in the queue: before any
  /// of them trades, all lose the cover that has gone.
  private mutating func removeExcessCoverOfTouched() {
    var position = touched.head
    while position != 0 {
      invariant(balances.positions[position].isTouched, "what is in the queue is marked")
      removeExcessCover(position, .sell)
      removeExcessCover(position, .buy)
      position = balances.positions[position].nextTouched
    }
  }

  /// Losses first: what was taken from a position covers nothing any more, before anything trades.
  mutating func releaseLostCover(_ position: UInt32, _ side: Side) {
    removeExcessCover(position, side)
  }
}

// The end of every command: for each position that the command touched, the cover is recalculated,
// the standing instruction may enter an order, and the balance is reported (sections 4 and 8).

import MarketModel

extension Exchange {
  /// Processes the queue of touched positions until it is empty or `Capacity.cascadeSteps` is
  /// reached.
  @inline(__always) mutating func drain() {
    if touched.head != 0 { drainTouched() }
  }

  private mutating func drainTouched() {
    if touched.hasBacklog { removeExcessCoverOfTouched() }
    var steps: UInt32 = 0
    var trading: UInt32 = 0  // Turns in which orders traded.
    while touched.head != 0 {
      if steps == capacity.cascadeSteps {
        emit(.control(.alarm(Alarm(kind: .cascadeBound, value: Int64(steps)))))
        touched.hasBacklog = true
        return
      }
      steps &+= 1
      let position = touched.head
      let row = balances.positions.row(position)
      invariant(row.isTouched, "a queued position is marked as touched")
      touched.head = row.nextTouched
      if touched.head == 0 { touched.tail = 0 }
      row.isTouched = false
      let isInCircle = trading >= Limit.tradingTurns && tradesInCircle(position)
      if isInCircle, breakCircle(position) { continue }
      let tradesBefore = progress.trades
      let (asks, bids) = (owned(position, .sell), owned(position, .buy))
      if !isFullyCovered(row, asks, .sell) { recalculatePartialCover(position, .sell) }
      if !isFullyCovered(row, bids, .buy) { recalculatePartialCover(position, .buy) }
      if row.mustRunAgent {
        row.mustRunAgent = false
        if row.hasAgent, !isInCircle { runAgent(position) }
      }
      if progress.trades != tradesBefore {
        trading &+= 1
        if trading >= Limit.tradingTurns { countTurn(position, number: trading) }
      }
      if row.mustReport, !row.isTouched {
        row.mustReport = false
        emitBalance(row, asks: asks, bids: bids)
      }
    }
    invariant(touched.tail == 0, "an empty queue has no tail")
    touched.hasBacklog = false
  }

  /// Removes excess cover from every queued position.
  ///
  /// When the previous drain stopped at its bound, older positions stand before the one that this
  /// command changed. None of them may trade on energy or headroom that no longer exists.
  mutating func removeExcessCoverOfTouched() {
    var position = touched.head
    while position != 0 {
      invariant(balances.positions[position].isTouched, "a queued position is marked as touched")
      removeExcessCover(position, .sell)
      removeExcessCover(position, .buy)
      position = balances.positions[position].nextTouched
    }
  }

  /// Removes the cover that a transfer took from a position, before any order trades.
  mutating func releaseLostCover(_ position: UInt32, _ side: Side) {
    removeExcessCover(position, side)
  }
}

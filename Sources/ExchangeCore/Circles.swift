// Positions that trade to and fro in one drain (section 4, "Circles"). Two accounts that buy from each
// other at one price hand the same energy back and forth for as long as their orders last; each turn
// costs them nothing, and all others wait.

import MarketModel

extension Exchange {
  /// Notes that orders traded in the turn of a position, the drain's `number`th such turn.
  @inline(never) mutating func countTurn(_ position: UInt32, number: UInt32) {
    if rules < 7 { return }
    if number == Limit.tradingTurns { return tradingTurns.begin() }
    tradingTurns.add(position)
  }

  /// Whether a position has traded in as many counted turns of this drain as it may.
  /// - Precondition: The drain counts.
  @inline(never) func tradesInCircle(_ position: UInt32) -> Bool {
    rules >= 7 && tradingTurns[position] >= UInt64(Limit.tradingTurns)
  }

  /// Cancels the open orders of a position that trades in a circle.
  /// - Returns: Whether it had one; the position then is in the queue again.
  @inline(never) mutating func breakCircle(_ position: UInt32) -> Bool {
    var count: UInt32 = 0
    for side in [Side.sell, .buy] {
      count &+= cancelAll(position, side, .circle) { _ in true }
    }
    return count > 0
  }
}

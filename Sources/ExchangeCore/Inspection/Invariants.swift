// The full walk of the invariants (section 4): for tests, simulation and an operator in doubt.

import MarketModel

extension Exchange {
  /// Every invariant that does not hold, as a sentence; empty in a healthy exchange.
  ///
  /// Walks everything: linear in the state, quadratic in the open orders of one account.
  public func invariantViolations() -> [String] {
    var violations: [String] = []
    Exchange.forEachComponent { $0.check(self, &violations) }
    // Cover is of no part alone: it is what orders, positions and instruments make together.
    for position in stride(from: 1, through: balances.positionCount, by: 1) {
      for side in Side.allCases { checkCover(position, side, &violations) }
    }
    return violations
  }
}

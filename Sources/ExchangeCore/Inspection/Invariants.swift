// The full check of all invariants (section 4), for tests, simulations and diagnosis.

import MarketModel

extension Exchange {
  /// A sentence for each violated invariant; empty for a correct state.
  ///
  /// Linear in the state and quadratic in the open orders of one account.
  public func invariantViolations() -> [String] {
    var violations: [String] = []
    Exchange.forEachComponent { $0.check(self, &violations) }
    // Cover depends on orders, positions and instruments, so no single component can check it.
    for position in stride(from: 1, through: balances.positionCount, by: 1) {
      for side in Side.allCases { checkCover(position, side, &violations) }
    }
    return violations
  }
}

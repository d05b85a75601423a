// The full walk of the invariants (section 4): for tests, simulation and an operator in doubt.

import MarketModel

extension Exchange {
  /// Every invariant that does not hold, as a sentence; empty in a healthy exchange.
  ///
  /// Walks everything: linear in the state, quadratic in the open orders of one account.
  public func invariantViolations() -> [String] {
    var violations: [String] = []
    for component in Exchange.components { component.check(self, &violations) }
    return violations
  }
}

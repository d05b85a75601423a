// Opening a used-up number space again (section 2, "Numbers").

import MarketModel

extension Exchange {
  /// Sets the last client order id of an account to 0; or announces that the last version of a
  /// session is 0, which the gateways keep. Linear in the number of the account's positions.
  mutating func resetNumbers(_ which: ResetNumbers, _ request: Request) {
    if let refusal = validate(which, request) {
      return reject(refusal, request, account: which.account)
    }
    if which.account != .null {
      invariant(exists(which.account), "the account exists")
      accounts[which.account.rawValue].lastClientOrderId = 0
    }
    emit(.reference(.numbersReset(which)))
    acknowledge(request)
  }

  private func validate(_ which: ResetNumbers, _ request: Request) -> Refusal? {
    if let refusal = permission(request, .administration) { return refusal }
    if (which.session == .exchange) == (which.account == .null) {
      return Refusal(.badDefinition, which.session.rawValue, .sessionId)
    }
    if which.account == .null { return validateSession(which.session) }
    guard exists(which.account) else { return Refusal(.unknownAccount, capacity.accounts) }
    let open = openOrders(of: which.account)
    return open == 0 ? nil : Refusal(.accountHasOrders, open)
  }

  private func openOrders(of account: AccountId) -> UInt32 {
    var open: UInt32 = 0
    var position = accounts[account.rawValue].firstPosition
    while position != 0 {
      // At most the orders' capacity.
      for side in [Side.sell, .buy] { open &+= owned(position, side).count }
      position = balances.positions[position].next
    }
    return open
  }
}

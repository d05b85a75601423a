// Labelling, closing and reopening accounts (section 2, "Accounts"). An account that is closed has
// nothing, so that nothing has to be done with it ever.

import MarketModel

extension Exchange {
  /// Labels, closes or reopens an account. Closing is linear in its positions and in the number of
  /// meters.
  mutating func setAccount(_ set: SetAccount, _ request: Request) {
    if let refusal = validate(set, request) {
      return reject(refusal, request, account: set.account)
    }
    let number = set.account.rawValue
    if set.label != .empty { accountTerms[number].label = set.label }
    if set.state != .unchanged {
      accountTerms[number].isClosed = set.state == .closed
      markRestricted(number)
    }
    let now = accountTerms[number]
    invariant(
      now.isClosed || accounts[number].isRestricted == hasRestriction(account: number),
      "the mark of an account follows its restrictions")
    emit(
      .reference(
        .accountSet(
          SetAccount(
            account: set.account, label: now.label, state: now.isClosed ? .closed : .open))))
    acknowledge(request)
  }

  private func validate(_ set: SetAccount, _ request: Request) -> Refusal? {
    if let refusal = permission(request, Roles.administrations) { return refusal }
    guard exists(set.account) else { return Refusal(.unknownAccount, capacity.accounts) }
    let number = set.account.rawValue
    if let refusal = validateOwn(
      accounts[number].participant, request, Refusal(.foreignAccount))
    {
      return refusal
    }
    if set.state != .closed { return nil }
    // Far below 2^32: at most the orders and the positions.
    let orders = openOrders(of: number) &+ instructionCount(number)
    if orders > 0 { return Refusal(.accountOrdersLeft, orders) }
    let balances = balanceCount(number)
    if balances > 0 { return Refusal(.accountBalancesLeft, balances) }
    let meters = meterCount(number)
    return meters > 0 ? Refusal(.accountMetersLeft, meters) : nil
  }

  /// The number of meters whose readings are booked to the account now or later: those that it has,
  /// and those that it has until a moment that has not come.
  private func meterCount(_ account: UInt32) -> UInt32 {
    noteScanned(capacity.meters)
    var count: UInt32 = 0
    for number in stride(from: 1, through: capacity.meters, by: 1) {
      let change = meterChanges[number]
      let isLeaving =
        change.from > progress.now && change.before != 0
        && balances.positions[change.before].account == account
      // At most the meters.
      if meters[number].account == account || isLeaving { count &+= 1 }
    }
    return count
  }
}

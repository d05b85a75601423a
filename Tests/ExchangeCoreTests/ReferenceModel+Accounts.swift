// Section 2, "Accounts": labels, closed accounts.

import ExchangeCore
import MarketModel

extension ReferenceModel {
  mutating func setAccount(_ set: SetAccount, _ command: Command) throws(Refusal) {
    try requireAccount(set.account)
    try requireOwn(accounts[set.account]?.participant, command, .foreignAccount)
    if set.state == .closed { try requireNothing(set.account) }
    if set.label != .empty { accounts[set.account]?.label = set.label }
    if set.state != .unchanged { accounts[set.account]?.isClosed = set.state == .closed }
    guard let account = accounts[set.account] else { return }
    emit(
      .reference(
        .accountSet(
          SetAccount(
            account: set.account, label: account.label,
            state: account.isClosed ? .closed : .open))))
    acknowledge(command)
  }

  /// The account has no orders and no instructions, no cash and no energy, and no meters.
  private func requireNothing(_ account: AccountId) throws(Refusal) {
    let own = positions.filter { $0.key.account == account }
    let open = orders.values.filter { $0.account == account }.count
    let instructions = own.filter { $0.agent != nil }.count
    try require(open + instructions == 0, .accountOrdersLeft, Int64(open + instructions))
    let currencies = cash.filter {
      $0.key.account == account && ($0.value.free != 0 || $0.value.reserved != 0)
    }
    let balances = currencies.count + own.filter { $0.energy != 0 }.count
    try require(balances == 0, .accountBalancesLeft, Int64(balances))
    let metered = meters.values.filter {
      $0.definition.account == account || ($0.from > now && $0.before?.account == account)
    }
    try require(metered.isEmpty, .accountMetersLeft, Int64(metered.count))
  }

  /// The account, which exists, is not closed.
  func requireOpen(_ account: AccountId) throws(Refusal) {
    try require(accounts[account]?.isClosed != true, .accountClosed)
  }
}

// Cancelling a participant's orders by an operator (section 5, "Cancel by the operator").

import MarketModel

extension Exchange {
  /// Cancels the orders that pass the filter, by position in order of creation. Linear in the
  /// number of all positions and of the participant's orders.
  mutating func cancelOrders(_ filter: CancelOrders, _ request: Request) {
    if let refusal = validate(filter, request) {
      return reject(refusal, request, account: filter.account)
    }
    for position in stride(from: 1, through: balances.positionCount, by: 1)
    where isSelected(balances.positions[position].account, by: filter) {
      for side in [Side.sell, .buy] where filter.sides.contains(side) {
        cancelAll(position, side, .mass) { $0.trades(filter.instrument) }
      }
    }
    drain()
    acknowledge(request)
  }

  private func isSelected(_ account: UInt32, by filter: CancelOrders) -> Bool {
    accounts[account].exists && accounts[account].participant == filter.participant.rawValue
      && (filter.account == .null || filter.account.rawValue == account)
  }

  private func validate(_ filter: CancelOrders, _ request: Request) -> Refusal? {
    if let refusal = permission(request, .administration) { return refusal }
    guard exists(filter.participant) else {
      return Refusal(.unknownParticipant, capacity.participants)
    }
    if filter.account != .null {
      guard exists(filter.account) else { return Refusal(.unknownAccount, capacity.accounts) }
      let owner = accounts[filter.account.rawValue].participant
      if owner != filter.participant.rawValue { return Refusal(.foreignAccount) }
    }
    if filter.instrument != .null, !exists(filter.instrument) {
      return Refusal(.unknownInstrument, capacity.instruments)
    }
    return nil
  }
}

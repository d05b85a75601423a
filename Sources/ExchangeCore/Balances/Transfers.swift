// Transfers of free cash and energy between accounts (section 6). They take effect immediately.

import MarketModel

extension Exchange {
  /// Moves cash or energy. An energy transfer removes the cover that it takes before any order
  /// trades.
  mutating func transfer(_ transfer: Transfer, _ request: Request) {
    if let refusal = validate(transfer, request) {
      return reject(
        refusal, request, account: transfer.from, clientOrderId: transfer.clientOrderId)
    }
    invariant(
      transfer.clientOrderId.rawValue > accounts[transfer.from.rawValue].lastClientOrderId,
      "a client order id is applied once")
    invariant(transfer.amount > 0, "the amount of a transfer is positive")
    accounts[transfer.from.rawValue].lastClientOrderId = transfer.clientOrderId.rawValue
    switch transfer.asset {
    case .cash: moveCash(transfer)
    case .energy: moveEnergy(transfer)
    }
    emit(
      .cash(
        .transferred(
          Transferred(
            transfer: transfer, session: request.session, clientSequence: request.clientSequence))))
    if transfer.asset == .energy {
      releaseLostCover(find(transfer.from, Asset(energyOf: transfer.area)), .sell)
      releaseLostCover(find(transfer.to, Asset(energyOf: transfer.area)), .buy)
    }
    drain()
  }

  private mutating func moveCash(_ transfer: Transfer) {
    let from = findHolding(transfer.from, transfer.currency)
    let to = findOrMakeHolding(transfer.to, transfer.currency)
    invariant(from != 0 && from != to, "cash moves between two holdings")
    invariant(
      balances.holdings[from].currency == balances.holdings[to].currency,
      "both holdings are in one currency")
    balances.holdings.row(from).add(-transfer.amount)
    balances.holdings.row(to).add(transfer.amount)
    countDebt(from)
    countDebt(to)
    invariant(balances.holdings[from].free >= 0, "a transfer takes free cash only")
    touchCash(transfer.from, transfer.currency)
    touchCash(transfer.to, transfer.currency)
  }

  private mutating func moveEnergy(_ transfer: Transfer) {
    let from = find(transfer.from, Asset(energyOf: transfer.area))
    let to = findOrMake(transfer.to, Asset(energyOf: transfer.area))
    invariant(from != 0 && from != to, "energy moves between two positions")
    invariant(
      balances.positions[from].area == balances.positions[to].area, "both positions are in one area"
    )
    balances.positions.row(from).move(-transfer.amount)
    balances.positions.row(to).move(transfer.amount)
    invariant(balances.positions[from].level >= 0, "a transfer takes at most the energy held")
    invariant(
      balances.positions[to].level <= balances.positions[to].ceiling,
      "a transfer keeps the receiver within its cap")
    touchBalance(from)
    touchBalance(to)
  }

  private func validate(_ transfer: Transfer, _ request: Request) -> Refusal? {
    if let refusal = permission(request, tradeFor: transfer.from)
      ?? validateUnblocked(request.session, transfer.from)
    {
      return refusal
    }
    if let refusal = validateClientOrderId(transfer.clientOrderId, transfer.from) { return refusal }
    guard exists(transfer.to) else {
      return Refusal(.unknownAccount, capacity.accounts, .toAccount)
    }
    if transfer.to == transfer.from { return Refusal(.sameAccount) }
    if transfer.amount <= 0 || transfer.amount > Limit.total {
      return Refusal(.badAmount, Limit.total)
    }
    switch transfer.asset {
    case .cash: return validateCash(transfer)
    case .energy: return validateEnergy(transfer)
    }
  }

  private func validateCash(_ transfer: Transfer) -> Refusal? {
    let holding = findHolding(transfer.from, transfer.currency)
    let free = holding == 0 ? 0 : balances.holdings[holding].free
    if transfer.amount > free { return Refusal(.insufficientCash, free) }
    if let refusal = validateHoldingCapacity(transfer.to, transfer.currency) { return refusal }
    return findHolding(transfer.to, transfer.currency) == 0
      ? validateRowOfOther(transfer, used: balances.holdingCount) : nil
  }

  private func validateEnergy(_ transfer: Transfer) -> Refusal? {
    guard exists(transfer.area) else { return Refusal(.unknownArea, capacity.areas) }
    let from = find(transfer.from, Asset(energyOf: transfer.area))
    let energy = from == 0 ? 0 : balances.positions[from].level
    if transfer.amount > energy { return Refusal(.insufficientEnergy, energy) }
    let to = find(transfer.to, Asset(energyOf: transfer.area))
    let headroom =
      to == 0
      ? products.areas[UInt32(transfer.area.rawValue)].defaultCap : balances.positions[to].headroom
    if transfer.amount > headroom { return Refusal(.capExceeded, headroom) }
    if to != 0 { return nil }
    if let refusal = validatePositionCapacity() { return refusal }
    let currency = Currency(products.areas[UInt32(transfer.area.rawValue)].currency)
    let needsHolding = findHolding(transfer.to, currency) == 0
    let (positions, holdings) = (balances.positionCount, balances.holdingCount)
    return validateRowOfOther(transfer, used: needsHolding ? max(positions, holdings) : positions)
  }

  /// Refuses a transfer that makes a position or a holding for another participant's account when
  /// half of the table is in use, so that no client fills the table with rows of others.
  private func validateRowOfOther(_ transfer: Transfer, used: UInt32) -> Refusal? {
    let (from, to) = (accounts[transfer.from.rawValue], accounts[transfer.to.rawValue])
    if rules < 3 || from.participant == to.participant { return nil }
    invariant(used <= capacity.positions, "rows are within their table")
    let half = capacity.positions / 2 + capacity.positions % 2
    return used >= half ? Refusal(.capacityExhausted, half) : nil
  }
}

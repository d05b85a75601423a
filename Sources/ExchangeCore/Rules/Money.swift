// Deposits, withdrawals and transfers (section 6): free cash and energy, at once.

import MarketModel

extension Exchange {
  // MARK: Deposits and withdrawals

  mutating func deposit(
    _ movement: CashMovement, _ request: Request
  ) {
    if let refusal = validate(movement, request) ?? validateDeposit(movement) {
      return reject(refusal, request, account: movement.account)
    }
    book(movement, movement.amount.units)
    invariant(findHolding(movement.account, movement.currency) != 0, "who was paid has cash")
    emit(.cash(.deposited(moved(movement, request))))
    drain()
    acknowledge(request)
  }

  mutating func withdraw(
    _ movement: CashMovement, _ request: Request
  ) {
    if let refusal = validate(movement, request) ?? validateWithdrawal(movement) {
      return reject(refusal, request, account: movement.account)
    }
    invariant(
      findHolding(movement.account, movement.currency) != 0, "only who has cash withdraws")
    book(movement, -movement.amount.units)
    emit(.cash(.withdrawn(moved(movement, request))))
    drain()
    acknowledge(request)
  }

  private func validate(_ movement: CashMovement, _ request: Request) -> Refusal? {
    if let refusal = permission(request, .administration) { return refusal }
    guard exists(movement.account) else { return Refusal(.unknownAccount, capacity.accounts) }
    if movement.amount <= .zero || movement.amount.units > Limit.total {
      return Refusal(.badAmount, Limit.total)
    }
    let last = accounts[movement.account.rawValue].lastReference
    return movement.reference > last ? nil : Refusal(.referenceReplayed, last)
  }

  private func validateDeposit(_ movement: CashMovement) -> Refusal? {
    if let refusal = roomForTotals(movement.currency) { return refusal }
    let total = totals(of: movement.currency)
    if currencies[total].supply + movement.amount.units > Limit.total {
      return Refusal(.balanceLimit, Limit.total)
    }
    return validateCirculation(
      movement.currency.rawValue, revenue: movement.amount.units, cost: 0)
      ?? roomForHolding(movement.account, movement.currency)
  }

  private func validateWithdrawal(_ movement: CashMovement) -> Refusal? {
    let holding = findHolding(movement.account, movement.currency)
    let free = holding == 0 ? 0 : holdings[holding].free
    if movement.amount.units > free { return Refusal(.insufficientCash, free) }
    let supply = circulation[UInt32(movement.currency.rawValue)].supply
    if rules >= 2, supply - Int128(movement.amount.units) < -Int128(Limit.total) {
      return Refusal(.balanceLimit, Limit.total)
    }
    // What the grid paid may be all that there is of a currency.
    return roomForTotals(movement.currency)
  }

  private func roomForTotals(_ currency: Currency) -> Refusal? {
    totals(of: currency) < UInt32(Exchange.currencyCapacity)
      ? nil : Refusal(.capacityExhausted, UInt32(Exchange.currencyCapacity))
  }

  /// The row of a currency's totals: its own, else the first unused; the capacity when none is left.
  func totals(of currency: Currency) -> UInt32 {
    var row: UInt32 = 0
    while row < UInt32(Exchange.currencyCapacity), currencies[row].isUsed,
      currencies[row].currency != currency.rawValue
    {
      row += 1
    }
    invariant(row <= UInt32(Exchange.currencyCapacity), "a row of the table, or the one behind it")
    return row
  }

  /// Changes what there is of a currency, and what the account has of it.
  private mutating func book(_ movement: CashMovement, _ amount: Int64) {
    let total = totals(of: movement.currency)
    invariant(total < UInt32(Exchange.currencyCapacity), "room for a currency was checked")
    currencies[total].isUsed = true
    currencies[total].currency = movement.currency.rawValue
    currencies[total].supply += amount
    circulation[UInt32(movement.currency.rawValue)].supply += Int128(amount)
    invariant(
      movement.reference > accounts[movement.account.rawValue].lastReference,
      "what was booked is never booked again")
    accounts[movement.account.rawValue].lastReference = movement.reference
    let holding = findOrMakeHolding(movement.account, movement.currency)
    holdings[holding].free += amount
    countDebt(holding)
    invariant(amount > 0 || holdings[holding].free >= 0, "no more withdrawn than was free")
    invariant(
      holdings[holding].account == movement.account.rawValue
        && holdings[holding].currency == movement.currency.rawValue, "the account's own cash")
    invariant(amount < 0 || currencies[total].supply <= Limit.total, "a supply that was checked")
    touchCash(movement.account, movement.currency)
  }

  private func moved(_ movement: CashMovement, _ request: Request) -> CashMoved {
    CashMoved(
      movement: movement, session: request.session, clientSequence: request.clientSequence)
  }

  /// Touches the account's positions whose area is paid in `currency`, in order of their creation.
  private mutating func touchCash(_ account: AccountId, _ currency: Currency) {
    var position = accounts[account.rawValue].firstPosition
    while position != 0 {
      invariant(positions[position].account == account.rawValue, "an account links its positions")
      if holdings[positions[position].holding].currency == currency.rawValue {
        touchBalance(position)
      }
      position = positions[position].next
    }
  }

  // MARK: Transfers

  /// Moves cash or energy. Cover that an energy transfer takes is gone before anything can trade.
  mutating func transfer(
    _ transfer: Transfer, _ request: Request
  ) {
    if let refusal = validate(transfer, request) {
      return reject(
        refusal, request, account: transfer.from, clientOrderId: transfer.clientOrderId)
    }
    invariant(
      transfer.clientOrderId.rawValue > accounts[transfer.from.rawValue].lastClientOrderId,
      "what was applied is never applied again")
    invariant(transfer.amount > 0, "something is transferred")
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
      loseCover(find(transfer.from, transfer.area), .sell)
      loseCover(find(transfer.to, transfer.area), .buy)
    }
    drain()
  }

  private mutating func moveCash(_ transfer: Transfer) {
    let from = findHolding(transfer.from, transfer.currency)
    let to = findOrMakeHolding(transfer.to, transfer.currency)
    invariant(from != 0 && from != to, "cash moves between two holdings")
    invariant(holdings[from].currency == holdings[to].currency, "cash moves in one currency")
    holdings[from].free -= transfer.amount
    holdings[to].free += transfer.amount
    countDebt(from)
    countDebt(to)
    invariant(holdings[from].free >= 0, "no more moved than was free")
    touchCash(transfer.from, transfer.currency)
    touchCash(transfer.to, transfer.currency)
  }

  private mutating func moveEnergy(_ transfer: Transfer) {
    let from = find(transfer.from, transfer.area)
    let to = findOrMake(transfer.to, transfer.area)
    invariant(from != 0 && from != to, "energy moves between two positions")
    invariant(positions[from].area == positions[to].area, "energy moves within its area")
    positions[from].energy -= transfer.amount
    positions[to].energy += transfer.amount
    invariant(positions[from].energy >= 0, "no more moved than was held")
    invariant(positions[to].energy <= positions[to].cap, "transfers obey the receiver's cap")
    touchBalance(from)
    touchBalance(to)
  }

  private func validate(_ transfer: Transfer, _ request: Request) -> Refusal? {
    if let refusal = permission(request, tradeFor: transfer.from) { return refusal }
    if let refusal = isNext(transfer.clientOrderId, transfer.from) { return refusal }
    guard exists(transfer.to) else { return Refusal(.unknownAccount, capacity.accounts) }
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
    let free = holding == 0 ? 0 : holdings[holding].free
    if transfer.amount > free { return Refusal(.insufficientCash, free) }
    return roomForHolding(transfer.to, transfer.currency)
  }

  private func validateEnergy(_ transfer: Transfer) -> Refusal? {
    guard exists(transfer.area) else { return Refusal(.unknownArea, capacity.areas) }
    let from = find(transfer.from, transfer.area)
    let energy = from == 0 ? 0 : positions[from].energy
    if transfer.amount > energy { return Refusal(.insufficientEnergy, energy) }
    let to = find(transfer.to, transfer.area)
    let headroom =
      to == 0 ? areas[UInt32(transfer.area.rawValue)].defaultCap : positions[to].headroom
    if transfer.amount > headroom { return Refusal(.capExceeded, headroom) }
    return to == 0 ? roomForPosition() : nil
  }
}

// Deposits and withdrawals of free cash (section 6). They take effect immediately.

import MarketModel

extension Exchange {
  // MARK: Deposits and withdrawals

  mutating func deposit(_ movement: CashMovement, _ request: Request) {
    if let refusal = validate(movement, request) ?? validateDeposit(movement) {
      return reject(refusal, request, account: movement.account)
    }
    post(movement, movement.amount.units)
    invariant(
      findHolding(movement.account, movement.currency) != 0,
      "the account has a holding after a deposit")
    emit(.cash(.deposited(moved(movement, request))))
    drain()
    acknowledge(request)
  }

  mutating func withdraw(_ movement: CashMovement, _ request: Request) {
    if let refusal = validate(movement, request) ?? validateWithdrawal(movement) {
      return reject(refusal, request, account: movement.account)
    }
    invariant(
      findHolding(movement.account, movement.currency) != 0,
      "the account has a holding before a withdrawal")
    post(movement, -movement.amount.units)
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
    return validateReference(movement)
  }

  /// Refuses a reference that was used before.
  private func validateReference(_ movement: CashMovement) -> Refusal? {
    let last = accounts[movement.account.rawValue].lastReference
    if rules < 4 {
      if movement.source != 0 { return Refusal(.badDefinition, movement.source, .source) }
      return movement.reference > last ? nil : Refusal(.referenceReplayed, last)
    }
    // References from before version 4 rose.
    let floor = movement.source == 0 ? last : 0
    if movement.reference <= floor { return Refusal(.referenceReplayed, floor) }
    if cashReferences.contains(movement) {
      return Refusal(.referenceReplayed, movement.reference)
    }
    return cashReferences.isFull ? Refusal(.capacityExhausted, capacity.cashReferences) : nil
  }

  private func validateDeposit(_ movement: CashMovement) -> Refusal? {
    if let refusal = validateCurrencyCapacity(movement.currency) { return refusal }
    let total = totals(of: movement.currency)
    if currencies.totals[total].supply + movement.amount.units > Limit.total {
      return Refusal(.balanceLimit, Limit.total)
    }
    return validateCirculation(
      movement.currency.rawValue, revenue: movement.amount.units, cost: 0)
      ?? validateHoldingCapacity(movement.account, movement.currency)
  }

  private func validateWithdrawal(_ movement: CashMovement) -> Refusal? {
    let holding = findHolding(movement.account, movement.currency)
    let free = holding == 0 ? 0 : balances.holdings[holding].free
    if movement.amount.units > free { return Refusal(.insufficientCash, free) }
    let supply = currencies.circulation[UInt32(movement.currency.rawValue)].supply
    if rules >= 2, supply - Int128(movement.amount.units) < -Int128(Limit.total) {
      return Refusal(.balanceLimit, Limit.total)
    }
    // All cash of the currency may come from the grid; then it has no row of totals yet.
    return validateCurrencyCapacity(movement.currency)
  }

  /// Posts `amount` (1e-8; negative: a withdrawal) to the account and to the currency's total.
  private mutating func post(_ movement: CashMovement, _ amount: Int64) {
    let total = totals(of: movement.currency)
    invariant(total < UInt32(Currencies.capacity), "the currency has a row of totals")
    currencies.totals[total].isUsed = true
    currencies.totals[total].currency = movement.currency.rawValue
    currencies.totals[total].supply += amount
    currencies.circulation[UInt32(movement.currency.rawValue)].supply += Int128(amount)
    if rules < 4 {
      invariant(
        movement.reference > accounts[movement.account.rawValue].lastReference,
        "a reference is posted once")
      accounts[movement.account.rawValue].lastReference = movement.reference
    } else {
      cashReferences.insert(movement)
    }
    let holding = findOrMakeHolding(movement.account, movement.currency)
    balances.holdings.row(holding).add(amount)
    countDebt(holding)
    invariant(
      amount > 0 || balances.holdings[holding].free >= 0, "a withdrawal takes free cash only")
    invariant(
      balances.holdings[holding].account == movement.account.rawValue
        && balances.holdings[holding].currency == movement.currency.rawValue,
      "the holding is that of the account in the currency")
    invariant(
      amount < 0 || currencies.totals[total].supply <= Limit.total, "the supply is within its bound"
    )
    touchCash(movement.account, movement.currency)
  }

  private func moved(_ movement: CashMovement, _ request: Request) -> CashMoved {
    CashMoved(
      movement: movement, session: request.session, clientSequence: request.clientSequence)
  }

  /// Touches the account's positions whose area trades in `currency`, in order of their creation.
  mutating func touchCash(_ account: AccountId, _ currency: Currency) {
    var position = accounts[account.rawValue].firstPosition
    while position != 0 {
      invariant(
        balances.positions[position].account == account.rawValue, "an account links its positions")
      if balances.holdings[balances.positions[position].holding].currency == currency.rawValue {
        touchBalance(position)
      }
      position = balances.positions[position].next
    }
  }
}

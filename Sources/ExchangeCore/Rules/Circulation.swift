// What there is of a currency (section 6), and its bounds: no account's cash can leave 64 bits, however
// often it is paid, because all cash together cannot.
//
//     deposits - withdrawals  =  cash of accounts (free and reserved)  +  fees  +  grids
//
// Everything above zero is at most
//
//     held  =  deposits - withdrawals  -  grids  +  owed
//
// where `owed` is the sum of what is below zero. A trade, an order, a cancel and a transfer move cash and
// raise neither: nobody pays what was not free. So both are checked only where they rise: `held` by deposits
// and exports, `owed` by imports.

import MarketModel

/// What there is of one currency, in 1e-8. In 128 bits: rules before version 2 have no bound for it.
struct Circulation: BitwiseCopyable {
  /// Deposits less withdrawals.
  var supply: Int128
  /// Sum of the grids' house accounts.
  var grid: Int128
  /// What accounts owe, each as it was counted last: not less than what they owe.
  var owed: Int128

  /// No less than what accounts and the houses for fees hold.
  var held: Int128 { supply - grid + owed }
}

extension Exchange {
  /// Counts again what a holding owes, after its cash changed by anything but trading: what it owes only
  /// falls by trading, so that what was counted is never too little.
  @inline(__always) mutating func countDebt(_ holding: UInt32) {
    let row = holdings.address(of: holding)
    if row.pointee.free >= 0, !row.pointee.owes { return }
    countDebt(holding, row)
  }

  /// Counts again what every holding owes: afterwards it is the same whatever was counted when.
  mutating func countDebts() {
    for number in stride(from: 1, through: holdingCount, by: 1) { countDebt(number) }
  }

  /// The grid of an area paid `amount` to a holding; below zero: it was paid.
  mutating func paidByGrid(_ amount: Int64, _ holding: UInt32) {
    circulation[UInt32(holdings[holding].currency)].grid -= Int128(amount)
    countDebt(holding)
  }

  private mutating func countDebt(_ holding: UInt32, _ row: UnsafeMutablePointer<Holding>) {
    let debt = row.pointee.free < 0 ? row.pointee.free.magnitude : 0
    let currency = UInt32(row.pointee.currency)
    circulation[currency].owed += Int128(debt) - Int128(debts[holding])
    invariant(circulation[currency].owed >= 0, "a sum of debts is not negative")
    debts[holding] = debt
    row.pointee.owes = debt != 0
  }

  /// Whether `revenue` more can be held of a currency, and `cost` more be owed.
  @inline(__always) func validateCirculation(
    _ currency: UInt16, revenue: Int64, cost: Int64
  ) -> Refusal? {
    // Without prices of the grid nothing rises.
    if revenue | cost == 0 || rules < 2 { return nil }
    let row = circulation[UInt32(currency)]
    return row.held + Int128(revenue) > Int128(Limit.cash)
      || row.owed + Int128(cost) > Int128(Limit.cash)
      ? Refusal(.balanceLimit, Limit.cash) : nil
  }

  /// Whether the sums of a currency are within the bounds that version 2 of the rules sets.
  func isWithinBounds(_ currency: UInt16) -> Bool {
    let row = circulation[UInt32(currency)]
    return row.held <= Int128(Limit.cash) && row.owed <= Int128(Limit.cash)
      && row.supply >= -Int128(Limit.total)
  }

  // MARK: Versions of the rules

  mutating func set(_ new: SetRules, _ request: Request) {
    if let refusal = validate(new, request) { return reject(refusal, request) }
    // Version 1 decides nothing by debts, and an image of a program that knew no other does not hold them: from here
    // on they must be the same after either.
    if rules < 2 { countDebts() }
    if let refusal = validateBounds() { return reject(refusal, request) }
    invariant(new.version > rules, "the rules only go upwards")
    rules = new.version
    emit(.control(.rulesSet(new)))
    acknowledge(request)
  }

  private func validate(_ new: SetRules, _ request: Request) -> Refusal? {
    if let refusal = permission(request, .administration) { return refusal }
    if new.version > RulesVersion.newest { return Refusal(.outOfRange, RulesVersion.newest) }
    if new.version == rules { return Refusal(.alreadyExists) }
    return new.version < rules ? Refusal(.badDefinition, rules) : nil
  }

  /// Whether every currency is within the bounds of the newer rules.
  private func validateBounds() -> Refusal? {
    for holding in stride(from: 1, through: holdingCount, by: 1)
    where !isWithinBounds(holdings[holding].currency) {
      return Refusal(.balanceLimit, Limit.cash)
    }
    return nil
  }
}

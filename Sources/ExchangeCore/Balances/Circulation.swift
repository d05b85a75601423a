// The circulation of a currency (section 6) and its bounds. The bounds keep the sum of all cash
// within 64 bits, so the cash of a single account fits too, however often it is paid.
//
//     deposits - withdrawals  =  cash of accounts (free and reserved)  +  fees  +  grids
//
// The sum of all positive cash balances is at most
//
//     held  =  deposits - withdrawals  -  grids  +  owed
//
// where `owed` is the sum of the negative ones. Trades, orders, cancels and transfers move only
// free cash, so they raise neither. The checks run where a sum can rise: `held` with deposits and
// exports, `owed` with imports.

import MarketModel

extension Exchange {
  /// Updates the counted debt of a holding after its cash changed by anything but a trade. A trade
  /// can only lower a debt, so the counted debt is an upper bound.
  @inline(__always) mutating func countDebt(_ holding: UInt32) {
    let row = balances.holdings.row(holding)
    if row.free >= 0, !row.owes { return }
    countDebt(holding, row)
  }

  /// Updates the counted debt of every holding, so that the debts are exact.
  mutating func countDebts() {
    for number in stride(from: 1, through: balances.holdingCount, by: 1) { countDebt(number) }
  }

  /// Records that the grid paid `amount` (1e-8) to a holding; negative: the holding paid the grid.
  mutating func paidByGrid(_ amount: Int64, _ holding: UInt32) {
    currencies.circulation[UInt32(balances.holdings[holding].currency)].grid -= Int128(amount)
    countDebt(holding)
  }

  private mutating func countDebt(_ holding: UInt32, _ row: HoldingRow) {
    let debt = row.free < 0 ? row.free.magnitude : 0
    let currency = UInt32(row.currency)
    currencies.circulation[currency].owed += Int128(debt) - Int128(balances.debts[holding])
    invariant(currencies.circulation[currency].owed >= 0, "the sum of debts is at least 0")
    balances.debts[holding] = debt
    row.owes = debt != 0
  }

  /// Refuses when holding `revenue` more or owing `cost` more of a currency would leave its bounds
  /// (1e-8).
  @inline(__always) func validateCirculation(_ currency: UInt16, revenue: Int64, cost: Int64)
    -> Refusal?
  {
    // Both are 0 where the area has no grid prices.
    if revenue | cost == 0 || rules < 2 { return nil }
    let row = currencies.circulation[UInt32(currency)]
    return row.held + Int128(revenue) > Int128(Limit.cash)
      || row.owed + Int128(cost) > Int128(Limit.cash)
      ? Refusal(.balanceLimit, Limit.cash) : nil
  }

  /// Whether the sums of a currency are within the bounds of version 2 of the rules.
  func isWithinBounds(_ currency: UInt16) -> Bool {
    let row = currencies.circulation[UInt32(currency)]
    return row.held <= Int128(Limit.cash) && row.owed <= Int128(Limit.cash)
      && row.supply >= -Int128(Limit.total)
  }

}

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

extension Exchange {
  /// Counts again what a holding owes, after its cash changed by anything but trading: what it owes only
  /// falls by trading, so that what was counted is never too little.
  @inline(__always) mutating func countDebt(_ holding: UInt32) {
    let row = balances.holdings.row(holding)
    if row.free >= 0, !row.owes { return }
    countDebt(holding, row)
  }

  /// Counts again what every holding owes: afterwards it is the same whatever was counted when.
  mutating func countDebts() {
    for number in stride(from: 1, through: balances.holdingCount, by: 1) { countDebt(number) }
  }

  /// The grid of an area paid `amount` to a holding; below zero: it was paid.
  mutating func paidByGrid(_ amount: Int64, _ holding: UInt32) {
    currencies.circulation[UInt32(balances.holdings[holding].currency)].grid -= Int128(amount)
    countDebt(holding)
  }

  private mutating func countDebt(_ holding: UInt32, _ row: HoldingRow) {
    let debt = row.free < 0 ? row.free.magnitude : 0
    let currency = UInt32(row.currency)
    currencies.circulation[currency].owed += Int128(debt) - Int128(balances.debts[holding])
    invariant(currencies.circulation[currency].owed >= 0, "a sum of debts is not negative")
    balances.debts[holding] = debt
    row.owes = debt != 0
  }

  /// Whether `revenue` more can be held of a currency, and `cost` more be owed.
  @inline(__always) func validateCirculation(_ currency: UInt16, revenue: Int64, cost: Int64)
    -> Refusal?
  {
    // Without prices of the grid nothing rises.
    if revenue | cost == 0 || rules < 2 { return nil }
    let row = currencies.circulation[UInt32(currency)]
    return row.held + Int128(revenue) > Int128(Limit.cash)
      || row.owed + Int128(cost) > Int128(Limit.cash)
      ? Refusal(.balanceLimit, Limit.cash) : nil
  }

  /// Whether the sums of a currency are within the bounds that version 2 of the rules sets.
  func isWithinBounds(_ currency: UInt16) -> Bool {
    let row = currencies.circulation[UInt32(currency)]
    return row.held <= Int128(Limit.cash) && row.owed <= Int128(Limit.cash)
      && row.supply >= -Int128(Limit.total)
  }

}

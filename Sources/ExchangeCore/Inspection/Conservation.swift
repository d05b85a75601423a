// Conservation of money (section 6): every unit is somebody's, and every reservation an order's.

import MarketModel

extension Exchange {
  func checkMoney(_ violations: inout [String]) {
    var reserved = [Int64](repeating: 0, count: Int(balances.holdingCount) + 1)
    for slot in stride(from: 1, through: orders.used, by: 1) where orders[slot].marks.isOpen {
      let lots = orders[slot].leaves / products.instruments[orders[slot].instrument].lot
      reserved[Int(balances.positions[orders[slot].position].holding)] +=
        orders[slot].reservePerLot * lots
    }
    for number in stride(from: 1, through: balances.holdingCount, by: 1)
    where balances.holdings[number].reserved != reserved[Int(number)] {
      violations.append(
        "account \(balances.holdings[number].account): reserved \(balances.holdings[number].reserved), "
          + "its orders need \(reserved[Int(number)])")
    }
    for row in 0..<UInt32(Currencies.capacity) where currencies.totals[row].isUsed {
      let currency = currencies.totals[row].currency
      let held = money(of: currency)
      let supply = currencies.totals[row].supply
      if held != Int128(supply) {
        violations.append("currency \(currency): \(held) held, \(supply) supplied")
      }
      checkCirculation(currency, supply, &violations)
    }
  }

  /// The sums that version 2 of the rules bounds, counted again.
  private func checkCirculation(_ currency: UInt16, _ supply: Int64, _ violations: inout [String]) {
    let row = currencies.circulation[UInt32(currency)]
    var (owed, counted, grid) = (Int128(0), Int128(0), Int128(0))
    for number in stride(from: 1, through: balances.holdingCount, by: 1)
    where balances.holdings[number].currency == currency {
      if balances.holdings[number].free < 0 {
        owed += Int128(balances.holdings[number].free.magnitude)
      }
      counted += Int128(balances.debts[number])
      if balances.holdings[number].owes != (balances.debts[number] != 0) {
        violations.append("account \(balances.holdings[number].account): a debt that is not marked")
      }
    }
    for number in stride(from: 1, through: capacity.areas, by: 1)
    where products.areas[number].exists && products.areas[number].currency == currency {
      grid += Int128(products.areas[number].grid)
    }
    if row.owed != counted || row.owed < owed || row.grid != grid || row.supply != Int128(supply) {
      violations.append("currency \(currency): \(row), counted \((owed, counted, grid, supply))")
    }
    if rules >= 2, !isWithinBounds(currency) {
      violations.append("currency \(currency): \(row) is out of bounds")
    }
  }

  /// All cash of a currency: accounts, fees and grids.
  private func money(of currency: UInt16) -> Int128 {
    var sum: Int128 = 0
    for number in stride(from: 1, through: balances.holdingCount, by: 1)
    where balances.holdings[number].currency == currency {
      sum += Int128(balances.holdings[number].free) + Int128(balances.holdings[number].reserved)
    }
    for number in stride(from: 1, through: capacity.areas, by: 1)
    where products.areas[number].exists && products.areas[number].currency == currency {
      sum += Int128(products.areas[number].fees) + Int128(products.areas[number].grid)
    }
    return sum
  }
}

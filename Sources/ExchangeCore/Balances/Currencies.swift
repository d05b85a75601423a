// What there is of each currency.

import MarketModel

/// Cash of one currency inside the exchange.
struct CurrencyTotal: BitwiseCopyable {
  var isUsed: Bool
  var currency: UInt16
  /// Deposits less withdrawals, 1e-8: what all accounts and houses hold together.
  var supply: Int64
}

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

/// What there is of each currency.
struct Currencies: ~Copyable, StateComponent {
  /// Currencies that an exchange can hold.
  static let capacity = 64

  /// Deposits less withdrawals, in order of the first deposit.
  let totals = Table<CurrencyTotal>(capacity: Currencies.capacity)
  /// The sums that version 2 of the rules bounds, by the currency's number (Circulation.swift).
  let circulation = Table<Circulation>(capacity: Int(UInt16.max) + 1)

  init(capacity: Capacity) {}

  static func add(to layout: inout StateLayout) {
    layout.add(CurrencyTotal.self)
    layout.add(Circulation.self)
  }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.currencies.totals.write(to: sink)
    exchange.currencies.circulation.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.currencies.totals.read(from: source)
    exchange.currencies.circulation.read(from: source)
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    for row in 0..<UInt32(Currencies.capacity) where exchange.currencies.totals[row].isUsed {
      let total = exchange.currencies.totals[row]
      hash.fold(UInt64(total.currency))
      hash.fold(total.supply)
      invariant(total.supply <= Limit.total, "a supply that was checked")
    }
  }

  /// Every unit is somebody's: what accounts and houses hold is what was deposited.
  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {
    for row in 0..<UInt32(Currencies.capacity) where exchange.currencies.totals[row].isUsed {
      let total = exchange.currencies.totals[row]
      let held = exchange.money(of: total.currency)
      if held != Int128(total.supply) {
        violations.append("currency \(total.currency): \(held) held, \(total.supply) supplied")
      }
      exchange.checkCirculation(total.currency, total.supply, &violations)
    }
  }
}

extension Exchange {
  /// The row of a currency's totals: its own, else the first unused; the capacity when none is left.
  func totals(of currency: Currency) -> UInt32 {
    var row: UInt32 = 0
    while row < UInt32(Currencies.capacity), currencies.totals[row].isUsed,
      currencies.totals[row].currency != currency.rawValue
    {
      row += 1
    }
    invariant(row <= UInt32(Currencies.capacity), "a row of the table, or the one behind it")
    return row
  }

  func validateCurrencyCapacity(_ currency: Currency) -> Refusal? {
    totals(of: currency) < UInt32(Currencies.capacity)
      ? nil : Refusal(.capacityExhausted, UInt32(Currencies.capacity))
  }

  // MARK: Its invariants

  /// The sums that version 2 of the rules bounds, counted again.
  fileprivate func checkCirculation(
    _ currency: UInt16, _ supply: Int64, _ violations: inout [String]
  ) {
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
  fileprivate func money(of currency: UInt16) -> Int128 {
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

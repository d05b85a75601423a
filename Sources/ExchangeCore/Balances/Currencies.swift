// The total and the circulation of each currency.

import MarketModel

/// The total of one currency inside the exchange.
struct CurrencyTotal: BitwiseCopyable {
  var isUsed: Bool
  var currency: UInt16
  /// Deposits less withdrawals, 1e-8: equal to the cash of all accounts and house accounts.
  var supply: Int64
}

/// The circulation of one currency, in 1e-8. It takes 128 bits because version 1 of the rules does
/// not bound it.
struct Circulation: BitwiseCopyable {
  /// Deposits less withdrawals.
  var supply: Int128
  /// Sum of the house accounts of the grids.
  var grid: Int128
  /// Sum of the counted debts of all accounts: an upper bound of what they owe.
  var owed: Int128

  /// An upper bound of what accounts and fee accounts hold.
  var held: Int128 { supply - grid + owed }
}

/// The total and the circulation of each currency.
struct Currencies: ~Copyable, StateComponent {
  /// The most currencies with a deposit that an exchange can hold.
  static let capacity = 64

  /// Totals, in order of the first deposit.
  let totals = Table<CurrencyTotal>(capacity: Currencies.capacity)
  /// The sums that version 2 of the rules bounds, by the currency's ISO number (Circulation.swift).
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
      invariant(total.supply <= Limit.total, "the supply is within its bound")
    }
  }

  /// Checks that the cash of accounts and house accounts equals deposits less withdrawals.
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
  /// The row of a currency in `totals`; the first unused row when it has none;
  /// `Currencies.capacity` when all rows are used.
  func totals(of currency: Currency) -> UInt32 {
    var row: UInt32 = 0
    while row < UInt32(Currencies.capacity), currencies.totals[row].isUsed,
      currencies.totals[row].currency != currency.rawValue
    {
      row += 1
    }
    invariant(
      row <= UInt32(Currencies.capacity), "the row is within the table or equals its capacity")
    return row
  }

  func validateCurrencyCapacity(_ currency: Currency) -> Refusal? {
    totals(of: currency) < UInt32(Currencies.capacity)
      ? nil : Refusal(.capacityExhausted, UInt32(Currencies.capacity))
  }

  // MARK: Its invariants

  /// Recounts the sums that version 2 of the rules bounds.
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

  /// The cash of all accounts, fee accounts and grid accounts in a currency, 1e-8.
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

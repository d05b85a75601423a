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

  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {
    exchange.checkMoney(&violations)
    for number in 1...exchange.capacity.areas where exchange.products.areas[number].exists {
      if let totals = exchange.totals(of: AreaId(UInt16(number))), !totals.isConserved {
        violations.append("area \(number): energy is not conserved: \(totals)")
      }
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

  func roomForTotals(_ currency: Currency) -> Refusal? {
    totals(of: currency) < UInt32(Currencies.capacity)
      ? nil : Refusal(.capacityExhausted, UInt32(Currencies.capacity))
  }
}

import MarketModel

/// An account's balance in one unit according to the engine.
public struct EngineHolding: Sendable, Hashable {
  /// The account.
  public var account: AccountId
  /// The unit of the amount.
  public var unit: LedgerUnit
  /// The balance: 1e-8 of the currency (free and reserved), or Wh.
  public var amount: Int128

  /// A balance of `amount` in `unit` (1e-8 of a currency, or Wh).
  public init(account: AccountId, unit: LedgerUnit, amount: some BinaryInteger & Sendable) {
    (self.account, self.unit, self.amount) = (account, unit, Int128(amount))
  }

  fileprivate var key: UInt64 { UInt64(unit.rawValue) << 32 | UInt64(account.rawValue) }

  /// The cash balance and the energy balance of a balance event.
  public static func both(of balance: Balance) -> [EngineHolding] {
    [
      EngineHolding(
        account: balance.account, unit: .currency(balance.currency),
        amount: Int128(balance.free.units) + Int128(balance.reserved.units)),
      EngineHolding(
        account: balance.account, unit: .energy(balance.area), amount: balance.energy.wattHours),
    ]
  }
}

/// A difference between the balances of the ledger and of the engine.
public struct HoldingDifference: Sendable, Hashable {
  /// The account.
  public var account: AccountId
  /// The unit of both amounts.
  public var unit: LedgerUnit
  /// The balance in the ledger.
  public var ledger: Int128
  /// The balance in the engine.
  public var engine: Int128

  /// A difference; both amounts are in `unit`.
  public init(account: AccountId, unit: LedgerUnit, ledger: Int128, engine: Int128) {
    (self.account, self.unit, self.ledger, self.engine) = (account, unit, ledger, engine)
  }
}

extension LedgerBalance {
  /// Compares the ledger's balances with the engine's at one command. All participants' accounts
  /// are compared, and the house accounts that are in `holdings`. A holding may occur several times
  /// if its amounts are equal, as for the cash of an account in several areas.
  /// - Returns: The differences, ascending by unit, then account. A missing balance counts as 0.
  public static func differences(
    ledger balances: [LedgerBalance], engine holdings: [EngineHolding]
  ) -> [HoldingDifference] {
    let asked = Set(holdings.map(\.key))
    var pairs: [UInt64: HoldingDifference] = [:]
    for balance in balances {
      let key = EngineHolding(account: balance.account, unit: balance.unit, amount: 0).key
      guard !balance.account.isHouse || asked.contains(key) else { continue }
      pairs[key] = HoldingDifference(
        account: balance.account, unit: balance.unit, ledger: balance.amount, engine: 0)
    }
    for holding in holdings {
      let empty = HoldingDifference(
        account: holding.account, unit: holding.unit, ledger: 0, engine: 0)
      pairs[holding.key, default: empty].engine = holding.amount
    }
    return pairs.sorted { $0.key < $1.key }.map(\.value).filter { $0.ledger != $0.engine }
  }
}

import MarketModel

/// What the engine says an account has in one unit.
public struct EngineHolding: Sendable, Hashable {
  /// Whose.
  public var account: AccountId
  /// In what.
  public var unit: LedgerUnit
  /// How much: 1e-8 of the currency (free and reserved), or Wh.
  public var amount: Int128

  /// A holding of `account`.
  public init(account: AccountId, unit: LedgerUnit, amount: some BinaryInteger & Sendable) {
    (self.account, self.unit, self.amount) = (account, unit, Int128(amount))
  }

  fileprivate var key: UInt64 { UInt64(unit.rawValue) << 32 | UInt64(account.rawValue) }

  /// The cash and the energy that `balance` says.
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

/// Where ledger and engine do not agree.
public struct HoldingDifference: Sendable, Hashable {
  /// Whose.
  public var account: AccountId
  /// In what.
  public var unit: LedgerUnit
  /// What the ledger says.
  public var ledger: Int128
  /// What the engine says.
  public var engine: Int128

  /// All fields, in order.
  public init(account: AccountId, unit: LedgerUnit, ledger: Int128, engine: Int128) {
    (self.account, self.unit, self.ledger, self.engine) = (account, unit, ledger, engine)
  }
}

extension LedgerBalance {
  /// Compares balances with what the engine says at the same command: participants' accounts, each
  /// at most once per unit (an account's cash is the same in every area of a currency: give it once,
  /// or as often as you like with the same amount). House accounts are compared when given.
  /// - Returns: the differences, ascending by unit, then account; nothing counts as zero.
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

// Cash of accounts: one holding for each currency. An account has few, linked in a list.

import MarketModel

/// Cash of one account in one currency.
struct Holding: BitwiseCopyable {
  /// Not reserved, 1e-8. Below zero by import only.
  fileprivate(set) var free: Int64
  /// Reserved by open orders, 1e-8.
  fileprivate(set) var reserved: Int64
  var account: UInt32
  var next: UInt32
  var currency: UInt16
  /// Whether a debt of it is counted (Balances/Circulation.swift).
  var owes: Bool
}

/// A holding in its place.
typealias HoldingRow = Row<Holding>

// MARK: Nothing else changes an account's cash.

extension Row<Holding> {
  /// Adds free cash, or takes it: what is deposited, moved, or paid by or to the grid.
  @inline(__always) func add(_ amount: Int64) { address.pointee.free += amount }

  /// Takes a reservation from the free cash.
  @inline(__always) func reserve(_ amount: Int64) {
    address.pointee.reserved += amount
    address.pointee.free -= amount
  }

  /// Gives a reservation back to the free cash.
  @inline(__always) func release(_ amount: Int64) {
    let left = address.pointee.reserved - amount
    invariant(left >= 0, "no more released than was reserved")
    address.pointee.reserved = left
    address.pointee.free += amount
  }

  /// Books a trade: what was reserved for it is free again, and `cash` is paid or, below zero, pays.
  @inline(__always) func trade(released: Int64, cash: Int64) {
    address.pointee.reserved -= released
    address.pointee.free += released + cash
  }
}

extension Exchange {
  /// The cash of an account in a currency; 0 without any.
  func findHolding(_ account: AccountId, _ currency: Currency) -> UInt32 {
    var holding = accounts[account.rawValue].firstHolding
    while holding != 0, balances.holdings[holding].currency != currency.rawValue {
      holding = balances.holdings[holding].next
    }
    invariant(
      holding == 0 || balances.holdings[holding].account == account.rawValue,
      "an account links its own cash"
    )
    return holding
  }

  /// The cash of an account in a currency, made when there is none.
  mutating func findOrMakeHolding(_ account: AccountId, _ currency: Currency) -> UInt32 {
    let found = findHolding(account, currency)
    if found != 0 { return found }
    invariant(balances.holdingCount < capacity.positions, "room for a holding was checked")
    balances.holdingCount += 1
    invariant(balances.holdings[balances.holdingCount].account == 0, "a new holding is nobody's")
    balances.holdings[balances.holdingCount] = Holding(
      free: 0, reserved: 0, account: account.rawValue,
      next: accounts[account.rawValue].firstHolding, currency: currency.rawValue, owes: false)
    accounts[account.rawValue].firstHolding = balances.holdingCount
    invariant(findHolding(account, currency) == balances.holdingCount, "what was made is found")
    return balances.holdingCount
  }

  /// Whether the account has a holding in the currency or can get one.
  func validateHoldingCapacity(_ account: AccountId, _ currency: Currency) -> Refusal? {
    findHolding(account, currency) != 0 || balances.holdingCount < capacity.positions
      ? nil : Refusal(.capacityExhausted, capacity.positions)
  }
}

// Cash of accounts: one holding for each account and currency. The few holdings of an account form
// a list.

import MarketModel

/// Cash of one account in one currency.
struct Holding: BitwiseCopyable {
  /// Cash that is not reserved, 1e-8. Only the cost of imported energy makes it negative.
  fileprivate(set) var free: Int64
  /// Reserved by open orders, 1e-8.
  fileprivate(set) var reserved: Int64
  var account: UInt32
  var next: UInt32
  var currency: UInt16
  /// Whether the circulation counts a debt of this holding (Circulation.swift).
  var owes: Bool
}

/// A holding in its table.
typealias HoldingRow = Row<Holding>

// MARK: The only functions that change cash

extension Row<Holding> {
  /// Adds to the free cash (negative: takes from it): a deposit, a transfer or a payment of the
  /// grid.
  @inline(__always) func add(_ amount: Int64) { address.pointee.free += amount }

  /// Moves a reservation out of the free cash.
  @inline(__always) func reserve(_ amount: Int64) {
    address.pointee.reserved += amount
    address.pointee.free -= amount
  }

  /// Moves a reservation back into the free cash.
  @inline(__always) func release(_ amount: Int64) {
    let left = address.pointee.reserved - amount
    invariant(left >= 0, "a release is at most what is reserved")
    address.pointee.reserved = left
    address.pointee.free += amount
  }

  /// Posts a trade: releases its reservation and adds `cash` to the free cash (negative: pays it).
  @inline(__always) func trade(released: Int64, cash: Int64) {
    address.pointee.reserved -= released
    address.pointee.free += released + cash
  }
}

extension Exchange {
  /// The holding of an account in a currency; 0 when it has none.
  func findHolding(_ account: AccountId, _ currency: Currency) -> UInt32 {
    var holding = accounts[account.rawValue].firstHolding
    while holding != 0, balances.holdings[holding].currency != currency.rawValue {
      holding = balances.holdings[holding].next
    }
    invariant(
      holding == 0 || balances.holdings[holding].account == account.rawValue,
      "the list of an account holds its own holdings"
    )
    return holding
  }

  /// The holding of an account in a currency; creates it when there is none.
  mutating func findOrMakeHolding(_ account: AccountId, _ currency: Currency) -> UInt32 {
    let found = findHolding(account, currency)
    if found != 0 { return found }
    invariant(balances.holdingCount < capacity.positions, "the table has a free row")
    balances.holdingCount += 1
    invariant(
      balances.holdings[balances.holdingCount].account == 0, "an unused holding has no account")
    balances.holdings[balances.holdingCount] = Holding(
      free: 0, reserved: 0, account: account.rawValue,
      next: accounts[account.rawValue].firstHolding, currency: currency.rawValue, owes: false)
    accounts[account.rawValue].firstHolding = balances.holdingCount
    invariant(
      findHolding(account, currency) == balances.holdingCount, "the created holding is found")
    return balances.holdingCount
  }

  /// Refuses when the account has no holding in the currency and none can be created.
  func validateHoldingCapacity(_ account: AccountId, _ currency: Currency) -> Refusal? {
    findHolding(account, currency) != 0 || balances.holdingCount < capacity.positions
      ? nil : Refusal(.capacityExhausted, capacity.positions)
  }
}

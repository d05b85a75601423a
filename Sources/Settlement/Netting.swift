import MarketModel

/// Sums transfers by account and unit. A sum of 2^64 transfers below 2^63 fits 128 bits, so no sum
/// can overflow.
struct Netting {
  private var slots: [UInt64: Int] = [:]
  private var sums: [NetChange] = []

  /// Empty sums with memory for `capacity` transfers.
  init(capacity: Int = 0) {
    slots.reserveCapacity(2 * capacity)
    sums.reserveCapacity(2 * capacity)
  }

  /// Adds `transfer` to the sums of its two accounts.
  mutating func add(_ transfer: LedgerTransfer) {
    let amount = Int128(transfer.amount)
    sums[slot(of: transfer.debit, in: transfer.unit)].debits += amount
    sums[slot(of: transfer.credit, in: transfer.unit)].credits += amount
  }

  /// The sums, ascending by unit, then account.
  func changes() -> [NetChange] { sums.sorted { $0.key < $1.key } }

  private mutating func slot(of account: AccountId, in unit: LedgerUnit) -> Int {
    let change = NetChange(account: account, unit: unit, debits: 0, credits: 0)
    if let slot = slots[change.key] { return slot }
    slots[change.key] = sums.count
    sums.append(change)
    return sums.count - 1
  }
}

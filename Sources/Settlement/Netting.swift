import MarketModel

/// Sums transfers per account and unit.
struct Netting {
  private var slots: [UInt64: Int] = [:]
  private var sums: [NetChange] = []

  /// Nothing summed, with room for `capacity` transfers.
  init(capacity: Int = 0) {
    slots.reserveCapacity(2 * capacity)
    sums.reserveCapacity(2 * capacity)
  }

  /// Adds what `transfer` does to both of its accounts.
  /// - Returns: `false` when a sum leaves Int64; the netting is of no use then.
  mutating func add(_ transfer: LedgerTransfer) -> Bool {
    let debit = slot(of: transfer.debit, in: transfer.unit)
    let credit = slot(of: transfer.credit, in: transfer.unit)
    let (debits, debitOverflow) = sums[debit].debits.addingReportingOverflow(transfer.amount)
    let (credits, creditOverflow) = sums[credit].credits.addingReportingOverflow(transfer.amount)
    if debitOverflow || creditOverflow { return false }
    sums[debit].debits = debits
    sums[credit].credits = credits
    return true
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

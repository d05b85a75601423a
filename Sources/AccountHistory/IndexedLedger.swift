// A ledger whose transfers of an account come from its history, and only those behind it from the
// ledger.

import MarketModel
import Settlement

/// A ledger that is read, with a history of its accounts. Owned by one thread.
public final class IndexedLedger: Ledger {
  /// Transfers that are read from the ledger at once.
  private static let page = 50_000

  private let ledger: any Ledger
  private let history: AccountHistory

  /// The ledger with its history.
  /// - Returns: `nil` when the history is that of another ledger.
  /// - Throws: `.unavailable`, `.corrupt`.
  public init?(_ ledger: any Ledger, _ history: AccountHistory) throws(LedgerError) {
    guard try history.fits(ledger) else { return nil }
    (self.ledger, self.history) = (ledger, history)
  }

  /// The transfers of `account` in `period`: a lookup for each chunk of the history, and the
  /// transfers behind it.
  public func transfers(
    of account: AccountId, in period: Range<Timestamp>
  ) throws(LedgerError) -> [LedgerTransfer] {
    try snapshot { () throws(LedgerError) in
      let head = try ledger.head().transfers
      // Read before the lines, so that nothing is missing between the two.
      var next = try history.extent().transfer + 1
      var found = try history.transfers(of: account, in: period, through: min(head, next - 1))
      while next <= head {
        let transfers = try ledger.transfers(from: next, most: Self.page)
        guard let last = transfers.last else { break }
        found += transfers.filter {
          ($0.debit == account || $0.credit == account) && period.contains($0.time)
        }
        next = last.id + 1
      }
      return found
    }
  }

  /// Of the ledger.
  public var genesis: LedgerGenesis { ledger.genesis }
  /// Of the ledger.
  public func head() throws(LedgerError) -> LedgerHead { try ledger.head() }
  /// Never called: the ledger is read.
  public func apply(_ batch: SettlementBatch) throws(LedgerError) -> ApplyOutcome {
    throw .unavailable("the ledger is opened for reading")
  }
  /// Of the ledger.
  public func row(ofBatch id: UInt64) throws(LedgerError) -> BatchRow? {
    try ledger.row(ofBatch: id)
  }
  /// Of the ledger.
  public func transfers(in row: BatchRow) throws(LedgerError) -> [LedgerTransfer] {
    try ledger.transfers(in: row)
  }
  /// Of the ledger.
  public func transfers(from id: UInt64, most: Int) throws(LedgerError) -> [LedgerTransfer] {
    try ledger.transfers(from: id, most: most)
  }
  /// Of the ledger.
  public func notes(about subject: NoteSubject) throws(LedgerError) -> [LedgerNote] {
    try ledger.notes(about: subject)
  }
  /// Of the ledger.
  public func readings(of account: AccountId) throws(LedgerError) -> [LedgerReading] {
    try ledger.readings(of: account)
  }
  /// Of the ledger.
  public func time(ofTransfer id: UInt64) throws(LedgerError) -> Timestamp? {
    try ledger.time(ofTransfer: id)
  }
  /// Of the ledger.
  public func transferCount() throws(LedgerError) -> UInt64 { try ledger.transferCount() }
  /// Of the ledger.
  public func balances() throws(LedgerError) -> [LedgerBalance] { try ledger.balances() }
  /// Of the ledger, in one transaction; within one, only the body.
  public func snapshot<Value>(
    _ body: () throws(LedgerError) -> Value
  ) throws(LedgerError) -> Value {
    if isInSnapshot { return try body() }
    isInSnapshot = true
    defer { isInSnapshot = false }
    return try ledger.snapshot(body)
  }
  private var isInSnapshot = false
  /// Of the ledger.
  public func reconnect() throws(LedgerError) { try ledger.reconnect() }
  /// Of the ledger.
  public func close() throws(LedgerError) { try ledger.close() }
}

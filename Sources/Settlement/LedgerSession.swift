// What backends with transactions share: how a batch is applied in one.

/// An open transaction of a ledger's store. Owned by the ledger's thread.
package protocol LedgerSession: AnyObject {
  /// The stored row of batch `id`; `nil` when there is none.
  func row(ofBatch id: UInt64) throws(LedgerError) -> BatchRow?
  /// The row of the last batch; `nil` when there is none.
  func lastRow() throws(LedgerError) -> BatchRow?
  /// Adds a batch: its transfers, the netted changes and its row.
  func insert(_ batch: SettlementBatch) throws(LedgerError)
  /// Ends the transaction; it took effect.
  func commit() throws(LedgerError)
  /// Ends the transaction without effect, after an error.
  /// - Returns: The error to throw: that one, or what became of the end.
  func rolledBack(after error: LedgerError) -> LedgerError
}

extension Ledger {
  /// Applies `batch` in the transaction that `session` has begun, and commits; see `apply`.
  /// - Parameter committed: Called after the commit.
  package func apply(
    _ batch: SettlementBatch, in session: some LedgerSession,
    committed: () throws(LedgerError) -> Void = {}
  ) throws(LedgerError) -> ApplyOutcome {
    do throws(LedgerError) {
      let stored = try session.row(ofBatch: batch.id)
      let head = try LedgerHead(after: session.lastRow(), genesis: genesis)
      let outcome = try admission(of: batch, after: head, stored: stored)
      if outcome == .applied { try session.insert(batch) }
      try session.commit()
      try committed()
      return outcome
    } catch {
      throw session.rolledBack(after: error)
    }
  }
}

import Journaling

/// The journal writer and the services that read the journal. There are none if nothing is kept.
struct DurableServices {
  /// Writes and syncs commands.
  let journal: JournalWriter
  /// Posts settled batches to the ledger, or follows a process that does.
  let settlement: any SettlingService
  /// Reads old reports from the journal.
  let retransmission: RetransmissionService
  /// Reads trades from the ledger; `nil` if only settlement may open it.
  let trades: TradesService?
  /// Fills the history of accounts; `nil` if the server does not.
  let history: HistoryService?
  /// Makes snapshots and removes old segments.
  let snapshots: SnapshotService

  /// In the order in which they end: first who reads the ledger, so that settlement closes it as the
  /// last; then settlement, since its last batches may need the others.
  var services: [any Service] {
    (trades.map { [$0] } ?? []) + (history.map { [$0] } ?? []) + [
      settlement, retransmission, snapshots,
    ]
  }
}

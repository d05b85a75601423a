import Journaling

/// The journal writer and the services that read the journal. There are none if nothing is kept.
struct DurableServices {
  /// Writes and syncs commands.
  let journal: JournalWriter
  /// Posts settled batches to the ledger.
  let settlement: SettlementService
  /// Reads old reports from the journal.
  let retransmission: RetransmissionService
  /// Makes snapshots and removes old segments.
  let snapshots: SnapshotService

  /// In the order in which they end: settlement first, since its last batches may need the others.
  var services: [any Service] { [settlement, retransmission, snapshots] }
}

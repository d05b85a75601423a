import Journaling

/// The journal and the services that read it again; there are none when nothing is kept.
struct DurableServices {
  /// Writes commands down.
  let journal: JournalWriter
  /// Settles what is durable.
  let settlement: SettlementService
  /// Reads old reports again.
  let retransmission: RetransmissionService
  /// Makes snapshots.
  let snapshots: SnapshotService

  /// In the order in which they end: settlement first, while the others still serve it.
  var services: [any Service] { [settlement, retransmission, snapshots] }
}

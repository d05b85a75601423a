// Who settles the journal of a server: a thread of its own (`SettlementService`), or another
// process (`SettlementWatch`). The stages ask either one the same questions.

import MarketModel

/// The settlement of a server's journal. All methods may be called from any thread.
protocol SettlingService: Service {
  /// The last command that is settled as far as possible; its confirmations are in the intake.
  var finished: SequenceNumber { get }
  /// Whether it waits for a ledger that does not respond.
  var isWaiting: Bool { get }
  /// Due time of the open batch; `nil` if none is open.
  var due: Timestamp? { get }
  /// Size of the ledger's write-ahead log, in bytes.
  var ledgerLogBytes: UInt64 { get }
  /// The transfers that the history of accounts lacks, where the settler fills it; else
  /// `HistoryService.noLag`.
  var historyLag: UInt64 { get }
  /// Whether settlement has stopped and needs an operator.
  var hasStopped: Bool { get }
  /// Whether it ended before the last command, so that closed batches may be missing in the ledger.
  var isBehind: Bool { get }
  /// Whether nothing more will be settled before the server's end.
  var isOver: Bool { get }

  /// Makes the service end after the command `sequence`, or earlier if the ledger does not respond.
  func end(after sequence: SequenceNumber)
}

extension SettlementService: SettlingService {
  /// None: the server's own service fills the history.
  var historyLag: UInt64 { HistoryService.noLag }
}

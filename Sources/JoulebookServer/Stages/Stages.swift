/// The stages after the gateways, and the services that they query. The references are fixed while
/// the loop runs and the server owns them, so that passing from stage to stage counts no
/// references.
final class Stages {
  /// Stages 3 to 7.
  let matching: MatchingStage
  /// The thread that runs them; `nil` if they run on the I/O thread.
  let thread: Borrowed<MatchingThread>?
  private let keptThread: MatchingThread?
  /// Verifies signatures of meter readings on its own thread; `nil` if the gateway verifies them.
  let verifier: SignatureVerifier?
  /// `nil` if no journal is kept; then nothing is settled.
  let settlement: (any SettlingService)?
  /// Reads old reports from the journal; `nil` if no journal is kept.
  let retransmission: RetransmissionService?
  /// Reads trades from the ledger; `nil` if there is none that it can read.
  let trades: TradesService?
  /// `nil` if no journal is kept.
  let snapshots: SnapshotService?
  /// Commands with many events, for whose work their senders pay.
  let longCommands: LongCommands
  /// When the first entry of the exchange's schedule is due.
  let scheduled: ScheduledMoment

  init(
    _ matching: MatchingStage, thread: MatchingThread? = nil, verifier: SignatureVerifier? = nil,
    settlement: (any SettlingService)? = nil, retransmission: RetransmissionService? = nil,
    trades: TradesService? = nil, snapshots: SnapshotService? = nil
  ) {
    (self.matching, self.verifier, keptThread) = (matching, verifier, thread)
    self.thread = thread.map(Borrowed.init)
    (longCommands, scheduled) = (matching.long, matching.scheduled)
    (self.settlement, self.retransmission) = (settlement, retransmission)
    (self.trades, self.snapshots) = (trades, snapshots)
  }

  /// Calls `body` with the matching stage, after every command accepted before was applied.
  func ask<Answer>(_ body: (MatchingStage) -> Answer) -> Answer {
    if let thread { return thread { $0.ask(body) } }
    matching.work()
    return body(matching)
  }

  /// Whether every accepted command is applied, durable and delivered.
  var isIdle: Bool { thread?({ $0.isIdle }) ?? matching.isIdle }
}

// Builds an exchange from its parts. `Server` and `SteppedServer` use the same builder and differ
// only in the surroundings they pass in:
//
//     Server          sockets, system disk and clocks, SQLite, threads ──────────┐
//     SteppedServer   simulated network, disk, time and ledger, no threads ──────┴▶ Surroundings
//                                                                                   │
//     lock, gateways ─▶ recover ─▶ exchange as recovered from the log ─▶ build ─▶ stages, services
//
// The builder starts nothing: the event loop drives the stages, and a `ServiceGroup` (or the
// simulation, step by step) runs the services.

import ExchangeCore
import Journaling
import Logging
import MarketModel
import Rings
import Settlement

/// Recovers an exchange and composes its stages and services. Used by one thread, before any other
/// thread is started.
struct ServerBuilder {
  /// The parts of the environment that differ between a real and a simulated server.
  struct Surroundings {
    /// Path of the journal's directory.
    var journal: String
    /// File system that contains the journal.
    var disk: any Disk = SystemDisk()
    /// Source of wall and steady time.
    var time: any TimeSource = SystemTime()
    /// Plausibility check of the system clock at the start.
    var clock = ClockCheck()
    /// Options of the journal writer, except the segment size, which comes from the configuration.
    var journalOptions = JournalWriter.Options()
    /// Called when a journal write or sync has failed; from then on nothing becomes durable. The
    /// default ends the process.
    var onJournalFailure: @Sendable (JournalError) -> Void = { JournalWriter.failStop($0) }
    /// Opens the ledger. Called on the settlement thread.
    var openLedger: @Sendable () throws(LedgerError) -> any Ledger
    /// Opens the ledger for reading, on the thread that reads trades; `nil` if only settlement may
    /// open it.
    var readLedger: (@Sendable () throws(LedgerError) -> any Ledger)?
    /// Path of the history of accounts; `nil` if the server does not fill it.
    var history: String?
    /// Wakes the event loop. May be called from any thread.
    var wake: @Sendable () -> Void = {}
    /// Wakes the matching thread (pipelined assembly); `nil` if the stages run on the I/O thread.
    var doorbell: Doorbell?
    /// Verifies signatures of meter readings on its own thread; `nil` if the gateway verifies them
    /// itself.
    var verifier: SignatureVerifier?

    /// Surroundings with the system's disk and clock, for the given journal and ledger.
    init(
      journal: String, openLedger: @escaping @Sendable () throws(LedgerError) -> any Ledger
    ) {
      (self.journal, self.openLedger) = (journal, openLedger)
    }
  }

  /// The result of `build`.
  struct Built {
    /// Stages 3 to 7 and the services that the I/O thread queries.
    let stages: Stages
    /// The services that depend on the journal; `nil` if the server keeps no journal.
    let durable: DurableServices?
  }

  /// The configuration, with the market settings that the data folder's first start fixed.
  let configuration: Configuration
  let surroundings: Surroundings
  let log: Logger

  /// Replays the journal into an exchange; without a journal, returns a new exchange. The system
  /// clock is checked before anything is journaled.
  /// - Parameters:
  ///   - lock: Lock of the journal's directory; `nil` if no journal is kept.
  ///   - delivery: Receives every replayed event, so that the gateways know the state.
  ///   - crash: Record of how the last run ended; `nil` if there is none.
  /// - Throws: the reason why the server cannot start. At most a torn tail of the journal was cut
  ///   off.
  func recover(
    _ lock: DirectoryLock?, _ delivery: Delivery, _ crash: CrashRecord? = nil
  ) throws(StartError) -> RecoveredExchange {
    guard let lock else {
      log.warning(
        "journal.kept is none: nothing is written, and all state is lost when the process ends")
      return RecoveredExchange.nothing(capacity: configuration.capacity)
    }
    let recovered = try RecoveredExchange.replay(
      lock, MarketState.Setting(configuration), delivery, crash: crash, log: log)
    if configuration.clock == .system { try checkClock(recovered) }
    return recovered
  }

  /// Opens the commit log after the recovered commands and creates the stages and services.
  /// - Throws: `journal` if the segment to append to cannot be opened.
  func build(
    _ recovered: consuming RecoveredExchange, _ lock: DirectoryLock?
  ) throws(StartError) -> Built {
    let intake = Intake(capacity: configuration.ingressCapacity)
    let journal = try openJournal(lock, recovered.journal)
    let commits = commitLog(journal, after: recovered.lastSequence)
    var durable: DurableServices?
    if let journal, let progress = commits.progress {
      durable = services(
        journal, progress, intake.ring, recovered: recovered.lastSequence,
        snapshot: recovered.snapshot, confirmed: recovered.exchange.counts.settledBatch)
    }
    return Built(stages: stages(recovered, commits, intake, durable), durable: durable)
  }

  private func commitLog(
    _ journal: JournalWriter?, after last: SequenceNumber
  ) -> ConfiguredLog {
    guard let journal else { return ConfiguredLog(NoLog(after: last)) }
    return ConfiguredLog(LocalLog(journal, direct: Int(configuration.journalDirect)))
  }

  private func stages(
    _ recovered: consuming RecoveredExchange, _ commits: consuming ConfiguredLog,
    _ intake: consuming Intake, _ durable: DurableServices?
  ) -> Stages {
    let matching = MatchingStage(
      recovered, commits: commits, intake: intake, configuration: configuration,
      time: surroundings.time, log: log)
    if let durable {
      let (history, settlement) = (durable.history, durable.settlement)
      matching.historyLag = { history?.lag ?? settlement.historyLag }
    }
    let thread = surroundings.doorbell.map { doorbell in
      MatchingThread(
        matching, doorbell: doorbell, spins: configuration.wait == .spin, wake: surroundings.wake)
    }
    return Stages(
      matching, thread: thread, verifier: surroundings.verifier, settlement: durable?.settlement,
      retransmission: durable?.retransmission, trades: durable?.trades,
      snapshots: durable?.snapshots)
  }

  private func services(
    _ journal: JournalWriter, _ progress: any CommitProgress, _ intake: ManyProducerRing<Command>,
    recovered: SequenceNumber, snapshot: SequenceNumber, confirmed: UInt64
  ) -> DurableServices {
    let market = MarketState.Setting(configuration)
    let retention = JournalRetention()
    let settlement = settlement(progress, intake, retention, recovered: recovered, confirmed)
    let retransmission = RetransmissionService(
      RetransmissionService.Setting(
        journal: surroundings.journal, disk: surroundings.disk, market: market, log: progress,
        wake: surroundings.wake, retention: retention),
      log: log)
    var setting = configuration.snapshots(
      surroundings.journal, found: snapshot, retention: retention, log: progress)
    (setting.disk, setting.time) = (surroundings.disk, surroundings.time)
    setting.isSettling = { !settlement.isWaiting && !settlement.hasStopped }
    return DurableServices(
      journal: journal, settlement: settlement, retransmission: retransmission,
      trades: surroundings.readLedger.map {
        TradesService(openLedger: $0, wake: surroundings.wake, log: log)
      },
      history: history(), snapshots: SnapshotService(setting, log: log))
  }

  private func history() -> HistoryService? {
    guard let path = surroundings.history, let readLedger = surroundings.readLedger else {
      return nil
    }
    return HistoryService(path: path, openLedger: readLedger, log: log)
  }

  private func settlement(
    _ progress: any CommitProgress, _ intake: ManyProducerRing<Command>,
    _ retention: JournalRetention, recovered: SequenceNumber, _ confirmed: UInt64
  ) -> any SettlingService {
    switch configuration.settler {
    case .thread:
      SettlementService(
        SettlementService.Setting(
          journal: surroundings.journal, disk: surroundings.disk,
          openLedger: surroundings.openLedger, market: MarketState.Setting(configuration),
          recovered: recovered, log: progress, intake: intake, wake: wakeMatching,
          retention: retention),
        log: log)
    case .process:
      SettlementWatch(
        SettlementWatch.Setting(
          folder: DataFolder(configuration.dataFolder), confirmed: confirmed, log: progress,
          intake: intake, wake: wakeMatching, retention: retention),
        log: log)
    }
  }

  /// Wakes the thread that runs the stages.
  private var wakeMatching: @Sendable () -> Void {
    guard let doorbell = surroundings.doorbell else { return surroundings.wake }
    return { doorbell.ring() }
  }

  /// - Returns: the writer; `nil` if no journal is kept.
  private func openJournal(
    _ lock: DirectoryLock?, _ recovered: RecoveredJournal?
  ) throws(StartError) -> JournalWriter? {
    guard let lock, let recovered else { return nil }
    var options = surroundings.journalOptions
    options.segmentBytes = Int(configuration.segmentBytes) & ~4095
    let wake = wakeMatching
    do throws(JournalError) {
      return try JournalWriter(
        lock, recovered, options: options, onDurable: { _ in wake() },
        onFailure: surroundings.onJournalFailure)
    } catch {
      throw .journal(error)
    }
  }

  private func checkClock(_ recovered: borrowing RecoveredExchange) throws(StartError) {
    let clock = surroundings.clock
    let last = recovered.lastSequence > .none ? recovered.lastTime : nil
    if let doubt = try clock.admit(wall: surroundings.time.wall, last: last) {
      log.warning(
        "the system's clock was accepted: time continues from it and never goes back",
        metadata: ["clock": "\(doubt.clock.iso8601)", "reference": "\(doubt.reference.iso8601)"])
    } else if clock.acceptsTime {
      log.notice("--accept-time was not needed: omit it, so that the next start checks the clock")
    }
  }
}

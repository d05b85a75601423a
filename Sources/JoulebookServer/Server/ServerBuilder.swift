// How an exchange is put together, once for all that run one; they differ in what they give:
//
//     Server          sockets, the system's disk and clocks, SQLite, threads ──┐
//     SteppedServer   simulated network, disk, time and ledger, no threads ────┴▶ Surroundings
//                                                                                     │
//     lock, gateways ─▶ recover ─▶ exchange as the log has it ─▶ build ─▶ stages, services
//
// Nothing runs yet when it returns: stages are driven by the loop, services by a ServiceGroup or step by step.

import ExchangeCore
import Journaling
import Logging
import MarketModel
import Rings
import Settlement

/// Recovers an exchange and composes its stages and services. Used by one thread, before anything runs.
struct ServerBuilder {
  /// What stands around the stages and services.
  struct Surroundings {
    /// The journal's directory.
    var journal: String
    /// Where it is.
    var disk: any Disk = SystemDisk()
    /// What time it is.
    var time: any TimeSource = SystemTime()
    /// What the clock must agree with.
    var clock = ClockCheck()
    /// How the journal is written.
    var journalOptions = JournalWriter.Options()
    /// Called when a write or sync failed: nothing becomes durable any more. By default ends the process.
    var onJournalFailure: @Sendable (JournalError) -> Void = { JournalWriter.failStop($0) }
    /// Opens the ledger. The settlement thread.
    var openLedger: @Sendable () throws(LedgerError) -> any Ledger
    /// Wakes the loop. Any thread.
    var wake: @Sendable () -> Void = {}
    /// Rung for the thread that has the stages; `nil`: that is the loop's.
    var bell: Doorbell?
    /// Checks the signatures of readings; `nil`: the gateway does.
    var verifier: SignatureVerifier?

    /// Everything else as the system has it.
    init(
      journal: String, openLedger: @escaping @Sendable () throws(LedgerError) -> any Ledger
    ) {
      (self.journal, self.openLedger) = (journal, openLedger)
    }
  }

  /// What was put together.
  struct Built {
    /// Stages 3 to 7, and the services that the I/O thread asks.
    let stages: Stages
    /// `nil`: nothing is kept.
    let durable: DurableServices?
  }

  /// What was chosen, with what the first start of the data folder fixed.
  let configuration: Configuration
  let surroundings: Surroundings
  let log: Logger

  /// The exchange as its journal has it; a new one when nothing is kept. The clock is judged before anything is
  /// journaled.
  /// - Parameters:
  ///   - lock: That of the journal's directory; `nil`: nothing is kept.
  ///   - delivery: Is told what came of every command.
  ///   - crash: Knows of the end of the last run; `nil`: nobody does.
  /// - Throws: what keeps the server from starting; nothing was changed but a torn tail.
  func recover(
    _ lock: DirectoryLock?, _ delivery: Delivery, _ crash: CrashRecord? = nil
  ) throws(StartError) -> RecoveredExchange {
    guard let lock else {
      log.warning("journal.kept is none: nothing is written, all is gone at the end")
      return RecoveredExchange.nothing(capacity: configuration.capacity)
    }
    let recovered = try RecoveredExchange.replay(
      lock, MarketState.Setting(configuration), delivery, crash: crash, log: log)
    if configuration.clock == .system { try judgeClock(recovered) }
    return recovered
  }

  /// Opens the log behind what was recovered, and makes the stages and services around it.
  /// - Throws: `journal` when the segment to append to cannot be opened.
  func build(
    _ recovered: consuming RecoveredExchange, _ lock: DirectoryLock?
  ) throws(StartError) -> Built {
    let intake = Intake(capacity: Int(configuration.ingressCommands))
    let journal = try openJournal(lock, recovered.journal)
    let commits = commitLog(journal, after: recovered.lastSequence)
    var durable: DurableServices?
    if let journal, let progress = commits.progress {
      durable = services(
        journal, progress, intake.ring, recovered: recovered.lastSequence,
        snapshot: recovered.snapshot)
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
    let thread = surroundings.bell.map { bell in
      MatchingThread(
        matching, bell: bell, spins: configuration.wait == .spin, wake: surroundings.wake)
    }
    return Stages(
      matching, thread: thread, verifier: surroundings.verifier, settlement: durable?.settlement,
      retransmission: durable?.retransmission, snapshots: durable?.snapshots)
  }

  private func services(
    _ journal: JournalWriter, _ progress: any CommitProgress, _ intake: ManyProducerRing<Command>,
    recovered: SequenceNumber, snapshot: SequenceNumber
  ) -> DurableServices {
    let market = MarketState.Setting(configuration)
    let retention = JournalRetention()
    let settlement = SettlementService(
      SettlementService.Setting(
        journal: surroundings.journal, disk: surroundings.disk,
        openLedger: surroundings.openLedger, market: market, recovered: recovered, log: progress,
        intake: intake, wake: wakeMatching, retention: retention),
      log: log)
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
      snapshots: SnapshotService(setting, log: log))
  }

  /// Wakes the thread that has the stages.
  private var wakeMatching: @Sendable () -> Void {
    guard let bell = surroundings.bell else { return surroundings.wake }
    return { bell.ring() }
  }

  /// - Returns: `nil` when nothing is kept.
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

  private func judgeClock(_ recovered: borrowing RecoveredExchange) throws(StartError) {
    let clock = surroundings.clock
    let last = recovered.lastSequence > .none ? recovered.lastTime : nil
    if let doubt = try clock.admit(wall: surroundings.time.wall, last: last) {
      log.warning(
        "the system's clock was accepted: time goes on from there and never goes back",
        metadata: ["clock": "\(doubt.clock.iso8601)", "reference": "\(doubt.reference.iso8601)"])
    } else if clock.acceptsTime {
      log.notice("--accept-time was not needed: leave it out, or a wrong clock is accepted once")
    }
  }
}

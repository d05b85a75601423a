import JoulebookServer
import Journaling
import LedgerSQLite
import Logging
import MarketModel
import Settlement

// Every start is checked: the server must recover everything that was durable, and a refused start
// must have a reason.

extension Run {
  static let noLog = Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }

  /// Starts the server on the files of the disk.
  /// - Throws: A violation when it recovers less than was durable, or refuses to start without a
  ///   reason.
  func boot() throws(Violation) {
    let (flips, damages) = (disk.counts.readFlips, disk.damages.count)
    let started: SteppedServer
    network = SimulatedNetwork(clock: clock)
    network.overhear = { [eavesdropper] in eavesdropper.hear($0) }
    do throws(StartError) {
      started = try SteppedServer(
        setting.configuration, world(), network: network, log: Run.noLog)
    } catch {
      return try didNotStart(error, sawFlips: disk.counts.readFlips > flips)
    }
    acceptsTime = false
    (network.handler, network.turn) = (started.handler, started.turn)
    report.starts += 1
    disk.story?("started after command \(started.recoveredThrough.rawValue)")
    try inspect(started, damages)
    server = started
  }

  private func world() -> SteppedServer.World {
    let (name, genesis) = (files.name, setting.genesis)
    let (signed, nonces) = (signed, nonces)
    var world = SteppedServer.World(
      disk: disk, time: clock,
      openLedger: { () throws(LedgerError) in
        try SQLiteLedger(path: RunSetting.ledger, genesis: genesis, files: name)
      }, operatorKeys: [village.publicKey(of: SessionId(1))])
    world.nonce = { nonces.next() }
    world.verify = { signed.verify($0, $1, $2, $3) }
    world.clock = ClockCheck(acceptsTime: acceptsTime)
    return world
  }

  /// Acts as the operator after a start that was refused because of the clock: corrects a clock
  /// that is wrong by a year, and accepts a correct clock if the journal began with one that was a
  /// year behind.
  private func handle(_ doubt: ClockCheck.Doubt) throws(Violation) {
    if clock.wallError > Int64(ClockCheck.longestPause) / 2 {
      clock.wallError = 0
    } else if doubt.reference.nanoseconds < SimulatedClock.beginning {
      acceptsTime = true
    } else {
      throw Violation("the server refuses a correct clock: \(doubt)")
    }
  }

  private func didNotStart(_ error: StartError, sawFlips: Bool) throws(Violation) {
    disk.story?("does not start: \(error)")
    switch error {
    case .clock(let doubt):
      try handle(doubt)
      report.clockRefusals += 1
      disk.endProcess()
      disk.start()
    case .journal(.system):
      report.failedStarts += 1
      disk.endProcess()
      disk.start()
    case .journal(.tooEarly), .journal(.badSnapshot), .journal(.onlySnapshots):
      // Only snapshots contain the removed commands, so damage to all of them is a reason not to
      // start.
      guard disk.restoreSnapshots() || sawFlips else {
        throw Violation("the server does not start: \(error)")
      }
      report.refusals += 1
      disk.endProcess()
      disk.start()
    case .journal(.corrupt):
      if disk.isDamaged {
        report.refusals += 1
        disk.restore()
      } else if !sawFlips {
        throw Violation("the server refuses to start on an undamaged disk: \(error)")
      }
      disk.endProcess()
      disk.start()
    default: throw Violation("the server does not start: \(error)")
    }
  }

  /// Compares what a start recovered with what was durable and acknowledged.
  private func inspect(_ started: SteppedServer, _ damages: Int) throws(Violation) {
    let recovered = started.recoveredThrough
    let claimed = sessions.reduce(into: Set<Claim>()) { $0.formUnion($1.claims) }
    if recovered < durable {
      guard disk.isDamaged(after: recovered.rawValue, through: durable.rawValue) else {
        throw Violation(
          "command \(durable.rawValue) was durable, only \(recovered.rawValue) were recovered")
      }
      report.excusedLosses += 1
      ledgerMayBeAhead = true
      return
    }
    // Marks after the last durable command are dropped: the next process writes other commands
    // there.
    let sure = durable
    marks.removeAll { $0.sequence > sure }
    durable = recovered
    disk.forgetBlocks(after: recovered.rawValue)
    disk.forgetDamage(damages, after: started.snapshot.rawValue)
    // Faults during this start may have damaged the medium; the next start is audited instead.
    if disk.isDamaged { return }
    _ = try audit(claimed, isFinal: false)
    guard started.snapshot > .none else { return }
    report.snapshotStarts += 1
    try disk.quietly { () throws(Violation) in
      do throws(JournalError) {
        guard try started.startedFaithfully() else {
          throw JournalError.badSnapshot(
            path: "\(started.snapshot)", "a replay of the journal gives another state")
        }
      } catch {
        throw Violation("snapshot and tail differ from the journal: \(error)")
      }
    }
  }

  /// Audits journal and ledger without faults.
  /// - Returns: Event hash and state hash of the replay.
  func audit(
    _ claimed: Set<Claim>, isFinal: Bool
  ) throws(Violation) -> (eventHash: UInt64, stateHash: UInt64) {
    try disk.quietly { () throws(Violation) in
      let observations = sessions.reduce(into: Set<Observation>()) { $0.formUnion($1.observations) }
      let audit = try Audit(disk, setting, marks: marks, expects: claimed, observations)
      report.audits += 1
      report.commands = audit.commands
      (report.readings, report.corrections) = (audit.metering.readings, audit.metering.corrections)
      (report.quarantined, report.released) = (audit.metering.quarantined, audit.metering.released)
      if disk.exists(RunSetting.ledger), !ledgerMayBeAhead {
        let isFailing = files.isFailing
        let callsUntilFailure = files.callsUntilFailure
        (files.isFailing, files.callsUntilFailure) = (false, nil)
        defer { (files.isFailing, files.callsUntilFailure) = (isFailing, callsUntilFailure) }
        let ledger: SQLiteLedger
        do throws(LedgerError) {
          ledger = try SQLiteLedger(
            path: RunSetting.ledger, genesis: setting.genesis, files: files.name)
        } catch {
          throw Violation("the ledger cannot be opened: \(error)")
        }
        report.batches = try audit.check(ledger, isFinal: isFinal).batch
      }
      return (audit.eventHash, audit.stateHash)
    }
  }
}

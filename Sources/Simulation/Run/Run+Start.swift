import JoulebookServer
import Journaling
import LedgerSQLite
import Logging
import MarketModel
import Settlement

// Every start is inspected: what it found must be what was there, and a refusal must have a reason.

extension Run {
  static let silence = Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }

  /// Starts the server on what the disk holds.
  /// - Throws: when it finds less than was acknowledged, or refuses without a reason.
  func boot() throws(Violation) {
    let (flips, damages) = (disk.counts.readFlips, disk.damages.count)
    let started: SteppedServer
    network = SimulatedNetwork(clock: clock)
    do throws(StartError) {
      started = try SteppedServer(
        setting.configuration, world(), network: network, log: Run.silence)
    } catch {
      return try didNotStart(error, sawFlips: disk.counts.readFlips > flips)
    }
    acceptsTime = false
    (network.handler, network.turn) = (started.handler, started.turn)
    report.starts += 1
    disk.story?("started behind command \(started.recoveredThrough.rawValue)")
    try inspect(started, damages)
    server = started
  }

  private func world() -> SteppedServer.World {
    let (name, genesis) = (files.name, setting.genesis)
    let signed = signed
    var world = SteppedServer.World(
      disk: disk, time: clock,
      openLedger: { () throws(LedgerError) in
        try SQLiteLedger(path: RunSetting.ledger, genesis: genesis, files: name)
      }, operatorKeys: [village.publicKey(of: SessionId(1))])
    world.verify = { signed.verify($0, $1, $2, $3) }
    world.clock = ClockCheck(acceptsTime: acceptsTime)
    return world
  }

  /// The operator sets a clock right that is wrong by a year. One that is right is accepted, where the journal
  /// began with a clock that was a year behind.
  private func judge(_ doubt: ClockCheck.Doubt) throws(Violation) {
    if clock.wallError > Int64(ClockCheck.longestPause) / 2 {
      clock.wallError = 0
    } else if doubt.reference.nanoseconds < SimulatedClock.beginning {
      acceptsTime = true
    } else {
      throw Violation("it refuses a clock that is right: \(doubt)")
    }
  }

  private func didNotStart(_ error: StartError, sawFlips: Bool) throws(Violation) {
    disk.story?("does not start: \(error)")
    switch error {
    case .clock(let doubt):
      try judge(doubt)
      report.clockRefusals += 1
      disk.endProcess()
      disk.start()
    case .journal(.system):
      report.failedStarts += 1
      disk.endProcess()
      disk.start()
    case .journal(.tooEarly), .journal(.badSnapshot), .journal(.onlySnapshots):
      // Snapshots hold what was removed from the journal: only a medium that damaged all of them may
      // keep it from starting.
      guard disk.restoreSnapshots() || sawFlips else {
        throw Violation("it does not start: \(error)")
      }
      report.refusals += 1
      disk.endProcess()
      disk.start()
    case .journal(.corrupt):
      if disk.isDamaged {
        report.refusals += 1
        disk.restore()
      } else if !sawFlips {
        throw Violation("it refuses to start on a healthy disk: \(error)")
      }
      disk.endProcess()
      disk.start()
    default: throw Violation("it does not start: \(error)")
    }
  }

  /// Compares what a start found with what was durable and acknowledged.
  private func inspect(_ started: SteppedServer, _ damages: Int) throws(Violation) {
    let recovered = started.recoveredThrough
    let claimed = people.reduce(into: Set<Claim>()) { $0.formUnion($1.claims) }
    if recovered < durable {
      guard disk.isDamaged(behind: recovered.rawValue, through: durable.rawValue) else {
        throw Violation(
          "command \(durable.rawValue) was durable, only \(recovered.rawValue) are there")
      }
      report.excusedLosses += 1
      ledgerMayBeAhead = true
      return
    }
    // What was not durable may have been replaced by what another process wrote before.
    let sure = durable
    marks.removeAll { $0.sequence > sure }
    durable = recovered
    disk.forgetBlocks(behind: recovered.rawValue)
    disk.forgetDamage(damages, behind: started.snapshot.rawValue)
    // Damage done by the start itself shows at the next one.
    if disk.isDamaged { return }
    _ = try audit(claimed, isFinal: false)
    guard started.snapshot > .none else { return }
    report.snapshotStarts += 1
    try disk.quietly { () throws(Violation) in
      do throws(JournalError) {
        guard try started.startedFaithfully() else {
          throw JournalError.badSnapshot(path: "\(started.snapshot)", "the journal leads elsewhere")
        }
      } catch {
        throw Violation("snapshot and tail are not what the journal makes: \(error)")
      }
    }
  }

  /// Audits journal and ledger past all faults.
  /// - Returns: event hash and state hash of the replay.
  func audit(
    _ claimed: Set<Claim>, isFinal: Bool
  ) throws(Violation) -> (eventHash: UInt64, stateHash: UInt64) {
    try disk.quietly { () throws(Violation) in
      let sights = people.reduce(into: Set<Sight>()) { $0.formUnion($1.sights) }
      let audit = try Audit(disk, setting, marks: marks, expects: claimed, sights)
      report.audits += 1
      report.commands = audit.commands
      if disk.exists(RunSetting.ledger), !ledgerMayBeAhead {
        let isFailing = files.isFailing
        files.isFailing = false
        defer { files.isFailing = isFailing }
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

/// Counts of one run, or sums over many.
package struct RunReport: Sendable, Equatable {
  /// Number of runs.
  package var runs = 0
  /// Number of steps with faults.
  package var steps = 0
  /// Commands in the journal at the end.
  package var commands = 0
  /// Batches in the ledger at the end.
  package var batches: UInt64 = 0
  /// Acknowledged effects, each exactly once in the journal.
  package var claims = 0
  /// Readings settled, corrections of these, readings kept in quarantine, and released from there.
  package var readings = 0, corrections = 0, quarantined = 0, released = 0
  /// Answers to questions, each confirmed by the journal.
  package var observationCount = 0
  /// Starts that succeeded.
  package var starts = 0
  /// Snapshots made.
  package var snapshots = 0
  /// Starts from a snapshot, compared with a replay of the whole journal.
  package var snapshotStarts = 0
  /// Starts that failed by a disk error.
  package var failedStarts = 0
  /// Starts refused because of existing damage.
  package var refusals = 0
  /// Starts refused because the wall clock was far ahead.
  package var clockRefusals = 0
  /// Ends of the process for any reason.
  package var restarts = 0
  /// Ends of the process after a failed write or sync.
  package var failStops = 0
  /// Kills with SIGKILL.
  package var kills = 0
  /// Losses of power.
  package var powerLosses = 0
  /// Audits of journal and ledger.
  package var audits = 0
  /// Losses of damaged last blocks, which cannot be distinguished from torn writes.
  package var excusedLosses = 0
  /// Recorded log-ons that somebody without a key tried again, all refused.
  package var logOnsRefused = 0
  /// Bursts of an abuser with a key.
  package var abuses = 0
  /// Broken connections.
  package var cuts = 0
  /// Jumps of the wall clock.
  package var jumps = 0
  /// Read errors that stopped settlement until the next start.
  package var readsThatStoppedSettlement = 0
  /// Calls to the disk.
  package var diskCalls = 0
  /// Failed reads, and reads with a flipped bit.
  package var readErrors = 0, readFlips = 0
  /// Failed writes, and partial writes.
  package var writeErrors = 0, shortWrites = 0
  /// Failed syncs.
  package var syncErrors = 0
  /// Blocks written to a wrong offset.
  package var misdirected = 0
  /// Bits flipped on the medium.
  package var flips = 0
  /// Writes on a full disk.
  package var full = 0
  /// Failures of the ledger that began amid a transaction.
  package var ledgerBreaks = 0
  /// Slow calls, during which other threads ran.
  package var slow = 0
  /// Simulated time in seconds.
  package var seconds = 0.0
  /// All counts are zero.
  package init() {}

  /// A hash of the run: equal for two runs of a seed, if the simulation is deterministic.
  package var trace: UInt64 = 0

  mutating func note(_ counts: SimulatedDisk.Counts, _ elapsed: UInt64) {
    runs = 1
    powerLosses = counts.powerLosses
    (diskCalls, readErrors, readFlips) = (counts.calls, counts.readErrors, counts.readFlips)
    (writeErrors, shortWrites) = (counts.writeErrors, counts.shortWrites)
    (syncErrors, misdirected, flips) = (counts.syncErrors, counts.misdirected, counts.flips)
    (full, slow) = (counts.full, counts.slow)
    seconds = Double(elapsed) / 1e9
  }

  /// Adds the counts of `other`.
  package mutating func add(_ other: RunReport) {
    for row in Self.rows { self[keyPath: row.1] += other[keyPath: row.1] }
    batches += other.batches
    seconds += other.seconds
    trace ^= other.trace
  }

  /// Names and values of the counts, for a table.
  package static let rows: [(String, WritableKeyPath<RunReport, Int> & Sendable)] = [
    ("runs", \.runs), ("steps under faults", \.steps), ("commands journaled", \.commands),
    ("acknowledged effects", \.claims), ("answers confirmed by the journal", \.observationCount),
    ("readings settled", \.readings), ("readings corrected", \.corrections),
    ("readings in quarantine", \.quarantined), ("readings released", \.released),
    ("starts", \.starts),
    ("snapshots", \.snapshots), ("starts from a snapshot", \.snapshotStarts),
    ("starts failed by a disk error", \.failedStarts),
    ("starts refused for damage", \.refusals),
    ("starts refused for a wrong clock", \.clockRefusals), ("ends of the process", \.restarts),
    ("fail-stops after a failed write or sync", \.failStops), ("kill -9", \.kills),
    ("power losses", \.powerLosses), ("audits", \.audits),
    ("damaged last blocks taken for torn", \.excusedLosses),
    ("recorded log-ons refused", \.logOnsRefused), ("bursts of an abuser", \.abuses),
    ("connections cut", \.cuts),
    ("clock jumps", \.jumps), ("settlement stopped by a read", \.readsThatStoppedSettlement),
    ("calls to the disk", \.diskCalls), ("reads failed", \.readErrors),
    ("reads with a flipped bit", \.readFlips), ("writes failed", \.writeErrors),
    ("partial writes", \.shortWrites), ("syncs failed", \.syncErrors),
    ("blocks misdirected", \.misdirected), ("bits flipped", \.flips),
    ("writes on a full disk", \.full), ("slow calls", \.slow),
    ("ledgers that failed amid a transaction", \.ledgerBreaks),
  ]
}

/// What one run did, or many together.
package struct RunReport: Sendable, Equatable {
  /// Runs.
  package var runs = 0
  /// Steps before the calm.
  package var steps = 0
  /// Commands in the journal at the end.
  package var commands = 0
  /// Batches in the ledger at the end.
  package var batches: UInt64 = 0
  /// Acknowledgements of what happens once only.
  package var claims = 0
  /// Answers to questions, each true of the journal.
  package var sightings = 0
  /// Starts that succeeded.
  package var starts = 0
  /// Snapshots made.
  package var snapshots = 0
  /// Starts from a snapshot, compared with a replay of the whole journal.
  package var snapshotStarts = 0
  /// Starts that met an error of the disk.
  package var failedStarts = 0
  /// Starts refused for damage that was there.
  package var refusals = 0
  /// Starts refused for a wall clock that was far ahead.
  package var clockRefusals = 0
  /// Ends of the process, for whatever reason.
  package var restarts = 0
  /// Ends by the process itself, after a failed write or sync.
  package var failStops = 0
  /// kill -9.
  package var kills = 0
  /// Losses of power.
  package var powerLosses = 0
  /// Audits of journal and ledger.
  package var audits = 0
  /// Losses of damaged last blocks, which nothing can tell from torn writes.
  package var excusedLosses = 0
  /// Connections broken.
  package var cuts = 0
  /// Jumps of the wall clock.
  package var jumps = 0
  /// Errors of reads that ended settlement until the next start.
  package var readsThatStoppedSettlement = 0
  /// Calls to the disk.
  package var diskCalls = 0
  /// Failed reads, and reads with a wrong bit.
  package var readErrors = 0, readFlips = 0
  /// Failed writes, and writes of a part.
  package var writeErrors = 0, shortWrites = 0
  /// Failed syncs.
  package var syncErrors = 0
  /// Blocks that landed at another place.
  package var misdirected = 0
  /// Bits flipped on the medium.
  package var flips = 0
  /// Writes for which there was no room.
  package var full = 0
  /// Calls in the midst of which others worked.
  package var slow = 0
  /// Simulated seconds.
  package var seconds = 0.0
  /// Nothing yet.
  package init() {}

  /// Tells two runs of one seed apart.
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

  /// Adds another's counts.
  package mutating func add(_ other: RunReport) {
    for row in Self.rows { self[keyPath: row.1] += other[keyPath: row.1] }
    batches += other.batches
    seconds += other.seconds
    trace ^= other.trace
  }

  /// Names of the counts, for a table.
  package static let rows: [(String, WritableKeyPath<RunReport, Int> & Sendable)] = [
    ("runs", \.runs), ("steps under faults", \.steps), ("commands journaled", \.commands),
    ("acknowledgements kept", \.claims), ("answers true of the journal", \.sightings),
    ("starts", \.starts),
    ("snapshots", \.snapshots), ("starts from a snapshot", \.snapshotStarts),
    ("starts that met an error of the disk", \.failedStarts),
    ("starts refused for damage", \.refusals),
    ("starts refused for a wrong clock", \.clockRefusals), ("ends of the process", \.restarts),
    ("fail-stops after a failed write or sync", \.failStops), ("kill -9", \.kills),
    ("power losses", \.powerLosses), ("audits", \.audits),
    ("damaged last blocks taken for torn", \.excusedLosses), ("connections cut", \.cuts),
    ("clock jumps", \.jumps), ("settlement stopped by a read", \.readsThatStoppedSettlement),
    ("calls to the disk", \.diskCalls), ("reads failed", \.readErrors),
    ("reads with a wrong bit", \.readFlips), ("writes failed", \.writeErrors),
    ("writes cut short", \.shortWrites), ("syncs failed", \.syncErrors),
    ("blocks misdirected", \.misdirected), ("bits flipped", \.flips),
    ("writes on a full disk", \.full), ("slow calls with others at work", \.slow),
  ]
}

// While the snapshot service removes what is old, others read the journal:
//
//     settlement   reads on behind the last command that it has settled
//     reports      look for a snapshot, then read on behind it; now and then
//
// Each reader says which is the last command that it needs no more. While a reader selects a snapshot it pins
// the whole journal; it does not begin while something is being removed.

import MarketModel
import Synchronization

/// What of the journal and its snapshots is being read. Any thread; each reader's calls by its own.
final class JournalRetention: Sendable {
  /// The last command that settlement needs no more; 0: it has not found its beginning.
  private let settlement = Atomic<UInt64>(0)
  /// The same of the reports; the highest number: nobody asks for any.
  private let reports = Atomic<UInt64>(.max)
  private let isRemoving = Atomic<Bool>(false)

  init() {}

  /// Settlement is done with a command.
  func settled(_ sequence: SequenceNumber) {
    invariant(
      sequence.rawValue >= settlement.load(ordering: .relaxed), "settlement never goes back")
    settlement.store(sequence.rawValue, ordering: .releasing)
  }

  /// Settlement reads no more.
  func settlementIsOver() { settlement.store(.max, ordering: .releasing) }

  /// Reports are going to be read: a snapshot is looked for.
  /// - Returns: `false` while something is being removed: ask again soon.
  func beginReports() -> Bool {
    invariant(reports.load(ordering: .relaxed) == .max, "reports are read once at a time")
    // Each side says what it does, then looks at the other: of two at once, at least one sees the other.
    reports.store(0, ordering: .sequentiallyConsistent)
    if !isRemoving.load(ordering: .sequentiallyConsistent) { return true }
    reports.store(.max, ordering: .releasing)
    return false
  }

  /// Reports are read behind this command.
  func readReports(behind sequence: SequenceNumber) {
    invariant(reports.load(ordering: .relaxed) == 0, "a snapshot was looked for")
    reports.store(sequence.rawValue, ordering: .releasing)
  }

  /// No reports are read any more.
  func endReports() { reports.store(.max, ordering: .releasing) }

  /// Removes what nobody needs.
  /// - Parameter body: Is given the last command that nobody needs any more; `.none`: nothing may go.
  /// - Throws: what `body` throws.
  func remove<Failure: Error, Result>(
    _ body: (SequenceNumber) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    invariant(!isRemoving.load(ordering: .relaxed), "one thread removes")
    isRemoving.store(true, ordering: .sequentiallyConsistent)
    defer { isRemoving.store(false, ordering: .releasing) }
    let held = min(
      settlement.load(ordering: .sequentiallyConsistent),
      reports.load(ordering: .sequentiallyConsistent))
    return try body(SequenceNumber(held))
  }
}

// Coordinates the removal of old segments and snapshots with the threads that read them:
//
//     settlement   reads on after the last command that it has settled
//     reports      select a snapshot, then read on after it; only while queries are answered
//
// Each reader publishes the last command that it no longer needs. While a reader selects a
// snapshot it pins the whole journal; it waits if a removal is in progress.

import MarketModel
import Synchronization

/// What part of the journal and its snapshots is still needed. Any thread; each reader's methods
/// are called by that reader's thread only.
final class JournalRetention: Sendable {
  /// The last command that settlement no longer needs; 0 until it has found its starting point.
  private let settlement = Atomic<UInt64>(0)
  /// The last command that report readers no longer need; `UInt64.max` while none reads.
  private let reports = Atomic<UInt64>(.max)
  private let isRemoving = Atomic<Bool>(false)

  init() {}

  /// Settlement no longer needs `sequence` and all before it.
  func settled(_ sequence: SequenceNumber) {
    invariant(
      sequence.rawValue >= settlement.load(ordering: .relaxed), "settlement never goes back")
    settlement.store(sequence.rawValue, ordering: .releasing)
  }

  /// Settlement reads nothing any more.
  func settlementIsOver() { settlement.store(.max, ordering: .releasing) }

  /// Pins the whole journal while a snapshot is selected.
  /// - Returns: `false` if a removal is in progress; call again later.
  func beginReports() -> Bool {
    invariant(reports.load(ordering: .relaxed) == .max, "reports are read once at a time")
    // Each side first publishes what it does, then looks at the other, so if both start at once at
    // least one of them sees the other (Dekker's algorithm; needs sequential consistency).
    reports.store(0, ordering: .sequentiallyConsistent)
    if !isRemoving.load(ordering: .sequentiallyConsistent) { return true }
    reports.store(.max, ordering: .releasing)
    return false
  }

  /// Reports are now read from the command after `sequence` on.
  func readReports(after sequence: SequenceNumber) {
    invariant(reports.load(ordering: .relaxed) == 0, "a snapshot was looked for")
    reports.store(sequence.rawValue, ordering: .releasing)
  }

  /// No reports are read any more.
  func endReports() { reports.store(.max, ordering: .releasing) }

  /// Removes files that no reader needs.
  /// - Parameter body: Receives the last command that no reader needs; `.none` if everything must
  ///   stay.
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

import Journaling
import MarketModel

/// A log that keeps nothing (`journal.kept: none`): an applied command counts as durable
/// immediately and is lost when the process ends.
struct NoLog: CommitLog {
  /// The last command applied.
  private(set) var durable: SequenceNumber

  /// Creates a log that continues after the command `last`.
  init(after last: SequenceNumber) { durable = last }

  var headroom: DiskHeadroom { .ample }
  var obstacle: JournalError? { nil }
  var isHindered: Bool { false }
  var progress: (any CommitProgress)? { nil }

  func hasCapacity(for count: Int) -> Bool { true }
  mutating func append(_ command: borrowing Command) { durable = command.sequence }
  func endTurn() {}
  func close() {}
}

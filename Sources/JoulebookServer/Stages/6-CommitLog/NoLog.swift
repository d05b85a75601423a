import Journaling
import MarketModel

/// Keeps nothing (`journal.kept: none`): what is applied counts as durable at once, and is gone at the end.
struct NoLog: CommitLog {
  /// The last command that was applied.
  private(set) var durable: SequenceNumber

  /// A log behind the command `last`.
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

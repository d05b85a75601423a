// Stage 6: the log of applied commands. The matching stage appends; other threads read `durable`:
//
//     matching stage ── append ... endTurn ──▶ commit log ──▶ disk, other machines, or nowhere
//                                                  │
//     outbox gate, services  ◀───── durable ───────┘
//
// Contract of every log:
//
//   - `append` accepts, in order, every command for which `hasCapacity` returned true, and never
//     blocks;
//   - `endTurn` starts making the turn's commands durable, immediately or on another thread;
//   - `durable` never falls; it covers a command only when that command and all before it survive
//     the failures the log promises to survive. Each increase wakes the thread that delivers;
//   - if commands can no longer be made durable, the process ends: nothing after them may be
//     acknowledged.

import Journaling
import MarketModel

/// A log of commands, as seen by the thread that applies them.
///
/// The matching stage calls `append` for every command, so the call must be statically
/// dispatched. A new kind of log, such as a replicated one, conforms to this protocol, becomes a
/// field of `ConfiguredLog` and is made in `ServerBuilder`.
protocol CommitLog: ~Copyable {
  /// The last command such that it and all before it survive a crash. Never falls.
  var durable: SequenceNumber { get }
  /// How much the log can still accept before its disk needs attention.
  var headroom: DiskHeadroom { get }
  /// The persistent problem that the log is retrying; `nil` if there is none. It builds text, so it
  /// is not for the hot path.
  var obstacle: JournalError? { get }
  /// Whether there is an `obstacle`. Costs one load.
  var isHindered: Bool { get }
  /// The log's progress, for other threads; `nil` if nothing is kept and nothing can be read back.
  var progress: (any CommitProgress)? { get }

  /// Whether `count` commands, followed by a checkpoint, can be appended now.
  mutating func hasCapacity(for count: Int) -> Bool
  /// Appends a stamped command.
  /// - Precondition: `hasCapacity` returned true for it.
  mutating func append(_ command: borrowing Command)
  /// Ends a turn: the appended commands become durable, immediately or through another thread.
  mutating func endTurn()
  /// Makes all appended commands durable and closes the log. Called once, after the last `endTurn`.
  mutating func close()
}

/// The progress of a log, for services that read it back. Any thread.
protocol CommitProgress: Sendable {
  /// The last command that can be read back. Never falls.
  var durable: SequenceNumber { get }
  /// Whether the log's directory is still in its place. If another one has replaced it, nothing may
  /// be removed.
  var isInPlace: Bool { get }
}

extension JournalWriter: CommitProgress {}

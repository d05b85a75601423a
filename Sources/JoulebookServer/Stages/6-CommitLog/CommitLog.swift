// Stage 6: where applied commands are kept. The matching stage writes, other threads read how far it is:
//
//     matching stage ── append ... endTurn ──▶ commit log ──▶ disk, other machines, or nowhere
//                                                  │
//     outbox gate, services  ◀───── durable ───────┘
//
// A log must keep this contract, whatever is behind it:
//
//   - `append` takes every command for which `hasCapacity` said yes, in order, and never waits;
//   - `endTurn` has the commands of a turn made durable, at once or later, on whatever thread;
//   - `durable` never falls and is published only when every command up to it survives what the log promises to
//     survive; the thread that delivers is woken each time it has grown;
//   - what cannot be made durable any more ends the process: nothing may be acknowledged behind it.

import Journaling
import MarketModel

/// A log of commands, as seen by the thread that applies them.
///
/// The matching stage calls `append` for every command, so the call must be static: a further log, such as one
/// that is replicated, conforms here, becomes a field of `ConfiguredLog`, and is made in `ServerBuilder`.
protocol CommitLog: ~Copyable {
  /// Every command up to here survives a crash, or as much as the log promises. Never falls.
  var durable: SequenceNumber { get }
  /// How much the log can take before something is done about its disk.
  var headroom: DiskHeadroom { get }
  /// What keeps the log from going on for long, and is tried again; `nil`: nothing. Makes text: not for every
  /// turn.
  var obstacle: JournalError? { get }
  /// Whether there is an `obstacle`. One load.
  var isHindered: Bool { get }
  /// What other threads may ask; `nil`: nothing is kept, so that nothing can be read again.
  var progress: (any CommitProgress)? { get }

  /// Whether so many commands and a checkpoint behind them can be appended now.
  mutating func hasCapacity(for count: Int) -> Bool
  /// Takes a stamped command.
  /// - Precondition: `hasCapacity` said that there is capacity for it.
  mutating func append(_ command: borrowing Command)
  /// A turn is over: what was appended becomes durable, at once or on another thread.
  mutating func endTurn()
  /// Makes durable what was appended, and ends the log in order. Once, behind the last `endTurn`.
  mutating func close()
}

/// How far a log is, for the services that read it again. Any thread.
protocol CommitProgress: Sendable {
  /// Every command up to here can be read. Never falls.
  var durable: SequenceNumber { get }
  /// Whether the log still lies where it was; where another lies in its place, nothing may be removed.
  var isInPlace: Bool { get }
}

extension JournalWriter: CommitProgress {}

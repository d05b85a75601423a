// Records which command each thread is applying, in case it ends the process:
//
//     matching thread      begin(4711) ─▶ apply ─▶ end()
//     settlement thread    begin(4698) ─▶ apply ─▶ begin(4699) ...
//                                 │
//                                 ▼
//     slots     | thread, command, purpose | thread, command, purpose |  ...   never moved
//                                 ▲
//     CrashHandler, on the failing thread: "this thread was applying command 4711"
//
// The cost is one store per command. The only reader is a signal handler on the same thread.

import Glibc
import MarketModel
import Synchronization

/// A record of the command that a thread is applying. Owned by the thread that applies commands.
public struct CurrentCommand: ~Copyable, @unchecked Sendable {
  /// The purpose for which commands are applied.
  public enum Purpose: UInt64, Sendable, CaseIterable {
    /// The live exchange that answers clients.
    case live = 1
    /// Recovery at a start.
    case recovery
    /// Settlement.
    case settlement
    /// A replay for the retransmission of reports.
    case reports
    /// A replay for a snapshot.
    case snapshot
    /// A replay by a tool.
    case replay
  }

  /// Number of words per slot: two cache lines, since neighbours are fetched together.
  static let stride = 16
  /// Number of slots. Threads beyond this number use one that is never read.
  static let slots = 32
  static let threadWord = 0
  @usableFromInline static let commandWord = 1
  static let purposeWord = 2

  /// All slots and one that is never read. Never freed, because a signal may arrive at any time.
  nonisolated(unsafe) static let board: UnsafeMutablePointer<Atomic<UInt64>> = {
    let count = (slots + 1) * stride
    let words = UnsafeMutablePointer<Atomic<UInt64>>.allocate(capacity: count)
    for index in 0..<count { (words + index).initialize(to: Atomic(0)) }
    return words
  }()

  @usableFromInline let words: UnsafeMutablePointer<Atomic<UInt64>>

  /// Takes a slot for commands applied for `purpose`.
  public init(_ purpose: Purpose) {
    var free = Self.board + Self.slots * Self.stride
    for slot in 0..<Self.slots {
      let words = Self.board + slot * Self.stride
      let (isTaken, _) = words[Self.purposeWord].compareExchange(
        expected: 0, desired: purpose.rawValue, ordering: .relaxed)
      guard isTaken else { continue }
      free = words
      break
    }
    words = free
  }

  deinit {
    end()
    words[Self.threadWord].store(0, ordering: .relaxed)
    words[Self.purposeWord].store(0, ordering: .relaxed)
  }

  /// Registers the calling thread; called again whenever the thread may have changed.
  public func registerThread() {
    let thread = UInt64(pthread_self())
    guard words[Self.threadWord].load(ordering: .relaxed) != thread else { return }
    words[Self.threadWord].store(thread, ordering: .relaxed)
    CrashHandler.coverThread()
  }

  /// The command `sequence` is about to be journaled or applied.
  @inlinable @inline(__always) public func begin(_ sequence: SequenceNumber) {
    // The release order is for this thread only: work on the command must not be moved before the
    // store.
    words[Self.commandWord].store(sequence.rawValue, ordering: .releasing)
  }

  /// No command is being applied.
  @inlinable @inline(__always) public func end() {
    words[Self.commandWord].store(0, ordering: .releasing)
  }

  /// The recorded command; `.none` if none is being applied.
  package var sequence: SequenceNumber {
    SequenceNumber(words[Self.commandWord].load(ordering: .relaxed))
  }
}

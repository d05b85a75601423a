// Which command each thread is applying, for the moment in which one of them ends the process:
//
//     exchange thread      begin(4711) ─▶ apply ─▶ end()
//     settlement thread    begin(4698) ─▶ apply ─▶ begin(4699) ...
//                                 │
//                                 ▼
//     places     | thread, command, purpose | thread, command, purpose |  ...   plain memory, never moved
//                                 ▲
//     CrashHandler, on the thread that failed: "it is me, and I was at 4711"
//
// It costs the thread a store for each command. Who reads is a signal handler on that very thread.

import Glibc
import MarketModel
import Synchronization

/// A place where a thread notes which command it is applying. Owned by whoever applies commands.
public struct CommandInHand: ~Copyable, @unchecked Sendable {
  /// What the commands are applied for.
  public enum Purpose: UInt64, Sendable, CaseIterable {
    /// The exchange that answers clients.
    case live = 1
    /// The recovery of a start.
    case recovery
    /// Settlement.
    case settlement
    /// A replay for reports that a session asked for again.
    case reports
    /// A snapshot in the making.
    case snapshot
    /// A tool's replay.
    case replay
  }

  /// Words of a place: in a line of the cache of its own, and its neighbour, which is fetched with it.
  static let stride = 16
  /// Places that can be told apart; who comes later notes nothing that anybody reads.
  static let places = 32
  static let threadWord = 0
  @usableFromInline static let commandWord = 1
  static let purposeWord = 2

  /// All places, and one behind them that is never read. Never freed: a signal may come at any time.
  nonisolated(unsafe) static let board: UnsafeMutablePointer<Atomic<UInt64>> = {
    let count = (places + 1) * stride
    let words = UnsafeMutablePointer<Atomic<UInt64>>.allocate(capacity: count)
    for index in 0..<count { (words + index).initialize(to: Atomic(0)) }
    return words
  }()

  @usableFromInline let words: UnsafeMutablePointer<Atomic<UInt64>>

  /// A place for commands that are applied for `purpose`.
  public init(_ purpose: Purpose) {
    var free = Self.board + Self.places * Self.stride
    for place in 0..<Self.places {
      let words = Self.board + place * Self.stride
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

  /// Says that the calling thread applies the commands that come; again whenever that may have changed.
  public func takeThread() {
    let thread = UInt64(pthread_self())
    guard words[Self.threadWord].load(ordering: .relaxed) != thread else { return }
    words[Self.threadWord].store(thread, ordering: .relaxed)
    CrashHandler.coverThread()
  }

  /// The command `sequence` is applied next, or written down to be applied.
  @inlinable @inline(__always) public func begin(_ sequence: SequenceNumber) {
    // Not for another thread: what is done with the command comes behind it in this one's order.
    words[Self.commandWord].store(sequence.rawValue, ordering: .releasing)
  }

  /// No command is being applied.
  @inlinable @inline(__always) public func end() {
    words[Self.commandWord].store(0, ordering: .releasing)
  }

  /// The command noted; `.none`: none is being applied.
  package var sequence: SequenceNumber {
    SequenceNumber(words[Self.commandWord].load(ordering: .relaxed))
  }
}

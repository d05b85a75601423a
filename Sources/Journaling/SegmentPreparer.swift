// Writes the zeros of the next segment while the present one fills:
//
//   wanted --(preparer: write zeros, sync)--> ready --(writer: take, rename)--> wanted ...
//     ^  \--> failed (the error is handed to the writer)
//     '-- the disk has no room: the beginnings are removed, it is tried again
//
// Zeros are written in pieces, with a rest behind each, so that the disk is there for syncs:
//
//   zeros   |==|          |==|          |==|        unless the writer waits for the segment
//   syncs        |-||-||-|    |-||-||-|    |-|

import Glibc
import MarketModel
import Rings
import Synchronization

/// Keeps one empty segment ready, on a thread of its own or step by step. Its methods belong to the
/// journal thread, but for `isStarved`.
final class SegmentPreparer: @unchecked Sendable {
  private enum State: Int, AtomicRepresentable { case wanted, ready, failed, stopped }

  /// How long it waits before it looks for room again.
  private static let retryNanoseconds: UInt64 = 200_000_000
  /// The disk is left alone so many times as long as a piece took, at most so many ns.
  private static let (rests, longestRest): (UInt64, UInt64) = (3, 5_000_000)

  private let path: String
  private let bytes: Int
  private let disk: any Disk
  private let state = Atomic<State>(.wanted)
  private let starved = Atomic<Bool>(false)
  private let ending = Atomic<Bool>(false)
  /// The writer waits for it.
  private let awaited = Atomic<Bool>(false)
  private let isStepped: Bool
  private let wanted = Doorbell()
  private let done = Doorbell()
  /// Written before `state` becomes failed.
  private nonisolated(unsafe) var failure: JournalError?
  private nonisolated(unsafe) var thread: RoomThread?

  /// Starts preparing the first segment.
  /// - Parameter isStepped: It has no thread; `prepare` does its work.
  init(directory: String, bytes: Int, on disk: any Disk, isStepped: Bool) {
    precondition(
      bytes > 0 && bytes % BlockHeader.alignment == 0, "a segment holds whole blocks")
    path = JournalDirectory.preparedPath(directory)
    (self.bytes, self.disk, self.isStepped) = (bytes, disk, isStepped)
    if !isStepped { thread = RoomThread { [unowned self] in self.run() } }
  }

  /// Whether the next segment waits for room on the disk. Any thread.
  var isStarved: Bool { starved.load(ordering: .relaxed) }

  /// Whether `take` returns at once, or throws.
  var isReady: Bool { state.load(ordering: .acquiring) != .wanted }

  /// Prepares the next segment unless it is ready. For one that is stepped.
  /// - Returns: `false` when the disk has no room.
  /// - Throws: what failed.
  func prepare() throws(JournalError) -> Bool {
    precondition(thread == nil, "its thread does that")
    if state.load(ordering: .relaxed) == .wanted { attempt() }
    if let failure { throw failure }
    let isReady = state.load(ordering: .relaxed) == .ready
    invariant(isReady != isStarved, "a segment, or no room for one")
    return isReady
  }

  /// The path of a zero-filled, synced segment; waits for it when it is not ready. The caller renames
  /// it, then calls `renew`.
  func take() throws(JournalError) -> String {
    if thread == nil {
      let hasRoom = try prepare()
      guard hasRoom else { throw .system(.write, path, DiskFailure(ENOSPC)) }
    }
    awaited.store(true, ordering: .relaxed)
    wanted.ring()
    // Acquire: pairs with the release in `attempt`, the file and the failure are complete.
    _ = done.wait { state.load(ordering: .acquiring) != .wanted }
    if let failure, state.load(ordering: .acquiring) == .failed { throw failure }
    invariant(state.load(ordering: .relaxed) == .ready, "a segment is taken when it is ready")
    invariant(failure == nil, "what is ready has not failed")
    return path
  }

  /// Asks for the next segment; the one taken has been renamed.
  func renew() {
    invariant(state.load(ordering: .relaxed) == .ready, "one segment is asked for at a time")
    invariant(!isStarved, "a segment that was ready had room")
    awaited.store(false, ordering: .relaxed)
    state.store(.wanted, ordering: .releasing)
    wanted.ring()
  }

  /// Ends the thread, after the segment it is at. Once.
  func stop() {
    guard let thread else { return }
    ending.store(true, ordering: .relaxed)
    wanted.ring()
    _ = done.wait { state.load(ordering: .acquiring) != .wanted }
    invariant(state.load(ordering: .relaxed) != .stopped, "stopped once")
    state.store(.stopped, ordering: .releasing)
    wanted.ring()
    thread.join()
    self.thread = nil
  }

  private func run() {
    while true {
      // Acquire: pairs with the releases in `renew` and `stop`.
      _ = wanted.wait {
        let state = state.load(ordering: .acquiring)
        return state == .wanted || state == .stopped
      }
      guard state.load(ordering: .acquiring) == .wanted else { return }
      attempt()
      if isStarved {
        _ = wanted.wait(timeoutNanoseconds: Self.retryNanoseconds) {
          ending.load(ordering: .relaxed)
        }
      }
    }
  }

  private func attempt() {
    invariant(state.load(ordering: .relaxed) == .wanted, "only what is wanted is prepared")
    invariant(failure == nil, "nothing is prepared after a failure")
    do throws(JournalError) {
      var begin = SystemTime().steady
      try SegmentFile.createZeroed(path, bytes: bytes, on: disk) { rest(since: &begin) }
      starved.store(false, ordering: .relaxed)
      state.store(.ready, ordering: .releasing)
    } catch {
      if error.isFull, !ending.load(ordering: .relaxed) {
        starved.store(true, ordering: .relaxed)
        giveBack()
        return
      }
      failure = error
      state.store(.failed, ordering: .releasing)
    }
    done.ring()
  }

  /// Leaves the disk to others for a while.
  /// - Parameter begin: When the last piece was begun; then, when the next is.
  private func rest(since begin: inout UInt64) {
    if isStepped { return }
    let took = SystemTime().steady - begin
    _ = wanted.wait(timeoutNanoseconds: min(Self.rests * took, Self.longestRest)) {
      awaited.load(ordering: .relaxed) || ending.load(ordering: .relaxed)
    }
    begin = SystemTime().steady
  }

  /// What was written of a segment that did not fit would take the room from others.
  private func giveBack() {
    invariant(
      isStarved && state.load(ordering: .relaxed) == .wanted, "a segment that is ready stays")
    do throws(DiskFailure) {
      try disk.remove(path)
    } catch {
      // It is overwritten or removed at the next attempt.
      return
    }
  }
}

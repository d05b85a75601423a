// Writes the zeros of the next segment while the present one fills:
//
//   wanted --(preparer: write zeros, sync)--> ready --(writer: take, rename)--> wanted ...
//     ^  \--> failed (the error is handed to the writer)
//     '-- hindered (no room on the disk, no descriptor): the beginnings are removed, it is tried again
//     ^--- discarded: another file was put in the place of what is ready, or none is there
//
// What is ready is open: the writer takes it over without opening anything, so that no shortage of descriptors
// comes between two segments.
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

  private let directory, path: String
  private let bytes: Int
  private let disk: any Disk
  /// Until it stops: the directory is free when the journal is closed.
  private let lock: Mutex<DirectoryLock?>
  private let state = Atomic<State>(.wanted)
  private let starved = Atomic<Bool>(false)
  /// What keeps it from preparing the next segment; tried again meanwhile.
  private let hindrance = Mutex<JournalError?>(nil)
  private let ending = Atomic<Bool>(false)
  /// The writer waits for it.
  private let awaited = Atomic<Bool>(false)
  private let isStepped: Bool
  private let wanted = Doorbell()
  private let done = Doorbell()
  /// Written before `state` becomes failed.
  private nonisolated(unsafe) var failure: JournalError?
  /// Written before `state` becomes ready.
  private nonisolated(unsafe) var prepared: SegmentFile?
  private nonisolated(unsafe) var thread: ServiceThread?

  /// Starts preparing the first segment.
  /// - Parameter isStepped: It has no thread; `prepare` does its work.
  init(_ lock: DirectoryLock, bytes: Int, isStepped: Bool) {
    precondition(
      bytes > 0 && bytes % BlockHeader.alignment == 0, "a segment holds whole blocks")
    (directory, path) = (lock.directory, JournalDirectory.preparedPath(lock.directory))
    (self.bytes, disk, self.isStepped) = (bytes, lock.disk, isStepped)
    self.lock = Mutex(lock)
    if !isStepped { thread = ServiceThread("segments") { [unowned self] in self.run() } }
  }

  /// Whether the next segment waits for room on the disk, or whatever else it needs. Any thread.
  var isStarved: Bool { starved.load(ordering: .relaxed) }

  /// Why; `nil`: it does not. Any thread.
  var obstacle: JournalError? { isStarved ? hindrance.withLock { $0 } : nil }

  /// Whether the directory is still where it was. Any thread.
  var isInPlace: Bool { lock.withLock { $0?.isInPlace ?? true } }

  /// Whether `take` returns at once, or throws. What is ready and no longer has its name is not: another is made.
  var isReady: Bool {
    guard state.load(ordering: .acquiring) == .ready else {
      return state.load(ordering: .acquiring) != .wanted
    }
    if isNamed { return true }
    prepared = nil
    discard()
    return false
  }

  /// Whether what is ready still has its name.
  private var isNamed: Bool {
    lock.withLock { lock in
      guard let lock else { return true }
      return prepared?.isNamed(by: lock) ?? true
    }
  }

  /// Prepares the next segment unless it is ready. For one that is stepped.
  /// - Returns: `false` when the disk has no room, or something else keeps it from being made.
  /// - Throws: what failed.
  func prepare() throws(JournalError) -> Bool {
    precondition(thread == nil, "its thread does that")
    if state.load(ordering: .relaxed) == .wanted { attempt() }
    if let failure { throw failure }
    let isReady = state.load(ordering: .relaxed) == .ready
    invariant(isReady != isStarved, "a segment, or no room for one")
    return isReady
  }

  /// A zero-filled, synced segment, open to write; waits for it when it is not ready. The caller gives it its
  /// name, then calls `renew`.
  func take() throws(JournalError) -> SegmentFile {
    if thread == nil {
      let isPrepared = try prepare()
      guard isPrepared else { throw obstacle ?? .system(.write, path, DiskFailure(ENOSPC)) }
    }
    awaited.store(true, ordering: .relaxed)
    wanted.ring()
    // Acquire: pairs with the release in `attempt`, the file and the failure are complete.
    _ = done.wait { state.load(ordering: .acquiring) != .wanted }
    if let failure, state.load(ordering: .acquiring) == .failed { throw failure }
    invariant(state.load(ordering: .relaxed) == .ready, "a segment is taken when it is ready")
    invariant(failure == nil, "what is ready has not failed")
    guard let file = prepared.take() else { preconditionFailure("what is ready is open") }
    return file
  }

  /// Asks for the next segment; the one taken has been renamed.
  func renew() {
    invariant(state.load(ordering: .relaxed) == .ready, "one segment is asked for at a time")
    invariant(!isStarved, "a segment that was ready had room")
    awaited.store(false, ordering: .relaxed)
    state.store(.wanted, ordering: .releasing)
    wanted.ring()
  }

  /// What was ready has lost its name to another file, or altogether: another segment is asked for. The caller
  /// has let go of it.
  func discard() {
    invariant(state.load(ordering: .relaxed) == .ready, "only what was ready is discarded")
    state.store(.wanted, ordering: .releasing)
    wanted.ring()
  }

  /// Ends the thread, after the segment it is at, and lets go of the directory. Once.
  func stop() {
    defer { lock.withLock { $0 = nil } }
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
    invariant(
      failure == nil && prepared == nil, "one segment is prepared, and none after a failure")
    do throws(JournalError) {
      prepared = try make()
      starved.store(false, ordering: .relaxed)
      state.store(.ready, ordering: .releasing)
    } catch {
      // Nothing was promised yet that is not in the present segment: whatever can pass is waited for.
      if error.canPass, !ending.load(ordering: .relaxed) {
        hindrance.withLock { $0 = error }
        starved.store(true, ordering: .relaxed)
        if error.isFull { giveBack() }
        return
      }
      failure = error
      state.store(.failed, ordering: .releasing)
    }
    done.ring()
  }

  /// The next segment's zeros, and the file open for what comes into it.
  private func make() throws(JournalError) -> SegmentFile {
    // In another's folder nothing is touched.
    guard isInPlace else { throw .moved(path: directory) }
    var begin = SystemTime().steady
    return try SegmentFile.createZeroed(path, bytes: bytes, on: disk) { rest(since: &begin) }
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

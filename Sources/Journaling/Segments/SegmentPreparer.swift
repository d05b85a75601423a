// Writes the zeros of the next segment while the present one fills:
//
//   wanted --(preparer: write zeros, sync)--> ready --(writer: take, rename)--> wanted ...
//     ^  \--> failed (the error is thrown to the writer)
//     '-- hindered (disk full, no free descriptor): the partial file is removed, then retried
//     ^--- discarded: the prepared file was replaced or removed
//
// The prepared segment is open, so the writer needs no descriptor to switch segments.
//
// Zeros are written in pieces with a pause after each, so that the disk can serve syncs:
//
//   zeros   |==|          |==|          |==|        unless the writer waits for the segment
//   syncs        |-||-|-|    |-||-|-|    |-|

import Glibc
import MarketModel
import Rings
import Synchronization

/// Keeps one empty segment ready, on its own thread or step by step. The methods belong to the
/// journal thread, except where they say otherwise.
final class SegmentPreparer: @unchecked Sendable {
  private enum State: Int, AtomicRepresentable { case wanted, ready, failed, stopped }

  /// Interval between attempts while the disk is full, ns.
  private static let retryNanoseconds: UInt64 = 200_000_000
  /// A pause is this many times as long as writing the piece took, and at most this long (ns).
  private static let (rests, longestRest): (UInt64, UInt64) = (3, 5_000_000)

  private let directory, path: String
  private let bytes: Int
  private let disk: any Disk
  /// The lock on the directory; released when the preparer stops, so that a closed journal is
  /// unlocked.
  private let lock: Mutex<DirectoryLock?>
  private let state = Atomic<State>(.wanted)
  private let starved = Atomic<Bool>(false)
  /// The error of the last attempt to prepare the next segment; it is being retried.
  private let hindrance = Mutex<JournalError?>(nil)
  private let ending = Atomic<Bool>(false)
  /// Whether the writer waits for the segment.
  private let awaited = Atomic<Bool>(false)
  private let isStepped: Bool
  private let wanted = Doorbell()
  private let done = Doorbell()
  /// Written before `state` becomes failed.
  private nonisolated(unsafe) var failure: JournalError?
  /// Written before `state` becomes ready.
  private nonisolated(unsafe) var prepared: SegmentFile?
  private nonisolated(unsafe) var thread: ServiceThread?

  /// Starts to prepare the first segment.
  /// - Parameter isStepped: Starts no thread; `prepare` does the work.
  init(_ lock: DirectoryLock, bytes: Int, isStepped: Bool) {
    precondition(
      bytes > 0 && bytes % BlockHeader.alignment == 0, "a segment holds whole blocks")
    (directory, path) = (lock.directory, JournalDirectory.preparedPath(lock.directory))
    (self.bytes, disk, self.isStepped) = (bytes, lock.disk, isStepped)
    self.lock = Mutex(lock)
    if !isStepped { thread = ServiceThread("segments") { [unowned self] in self.run() } }
  }

  /// Whether preparing the next segment fails and is retried. Any thread.
  var isStarved: Bool { starved.load(ordering: .relaxed) }

  /// The error of the last attempt; `nil` if preparing does not fail. Any thread.
  var obstacle: JournalError? { isStarved ? hindrance.withLock { $0 } : nil }

  /// Whether the directory is still in its place. Any thread.
  var isInPlace: Bool { lock.withLock { $0?.isInPlace ?? true } }

  /// Whether `take` returns or throws without waiting. A prepared segment that has lost its name
  /// does not count; another one is prepared.
  var isReady: Bool {
    guard state.load(ordering: .acquiring) == .ready else {
      return state.load(ordering: .acquiring) != .wanted
    }
    if isNamed { return true }
    prepared = nil
    discard()
    return false
  }

  /// Whether the prepared segment still has its name.
  private var isNamed: Bool {
    lock.withLock { lock in
      guard let lock else { return true }
      return prepared?.isNamed(by: lock) ?? true
    }
  }

  /// Prepares the next segment unless it is ready; for a stepped preparer.
  /// - Returns: `false` if the disk is full or another passing error occurred.
  /// - Throws: an error that will not pass.
  func prepare() throws(JournalError) -> Bool {
    precondition(thread == nil, "the caller does the work only if there is no thread")
    if state.load(ordering: .relaxed) == .wanted { attempt() }
    if let failure { throw failure }
    let isReady = state.load(ordering: .relaxed) == .ready
    invariant(isReady != isStarved, "a segment is ready, or none can be prepared")
    return isReady
  }

  /// Returns the zero-filled, synced segment, open for writing; waits if it is not ready. The
  /// caller renames it, then calls `renew`.
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
    invariant(failure == nil, "no attempt failed if a segment is ready")
    guard let file = prepared.take() else { preconditionFailure("a ready segment is open") }
    return file
  }

  /// Requests the next segment, after the last one was taken and renamed.
  func renew() {
    invariant(
      state.load(ordering: .relaxed) == .ready,
      "a segment is requested only after the last one was taken")
    invariant(!isStarved, "no attempt fails while a segment is ready")
    awaited.store(false, ordering: .relaxed)
    state.store(.wanted, ordering: .releasing)
    wanted.ring()
  }

  /// Requests another segment, because the prepared one was replaced or removed. The caller has
  /// closed it.
  func discard() {
    invariant(state.load(ordering: .relaxed) == .ready, "only a ready segment is discarded")
    state.store(.wanted, ordering: .releasing)
    wanted.ring()
  }

  /// Ends the thread after its present segment and unlocks the directory. Called once.
  func stop() {
    defer { lock.withLock { $0 = nil } }
    guard let thread else { return }
    ending.store(true, ordering: .relaxed)
    wanted.ring()
    _ = done.wait { state.load(ordering: .acquiring) != .wanted }
    invariant(state.load(ordering: .relaxed) != .stopped, "the preparer is stopped once")
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
    invariant(
      state.load(ordering: .relaxed) == .wanted, "a segment is prepared only if it was requested")
    invariant(
      failure == nil && prepared == nil, "no segment is ready, and no attempt has failed for good")
    do throws(JournalError) {
      prepared = try make()
      starved.store(false, ordering: .relaxed)
      state.store(.ready, ordering: .releasing)
    } catch {
      // All promised data are in the present segment, so errors that may pass are retried.
      if error.canPass, !ending.load(ordering: .relaxed) {
        hindrance.withLock { $0 = error }
        starved.store(true, ordering: .relaxed)
        if error.isFull { removePartialFile() }
        return
      }
      failure = error
      state.store(.failed, ordering: .releasing)
    }
    done.ring()
  }

  /// Creates the next segment: zero-filled and open for writing.
  private func make() throws(JournalError) -> SegmentFile {
    // If the directory was replaced by another one, nothing is changed there.
    guard isInPlace else { throw .moved(path: directory) }
    var begin = SystemTime().steady
    return try SegmentFile.createZeroed(path, bytes: bytes, on: disk) { rest(since: &begin) }
  }

  /// Pauses, so that the disk can serve other requests.
  /// - Parameter begin: Start of the last piece; set to the start of the next one.
  private func rest(since begin: inout UInt64) {
    if isStepped { return }
    let took = SystemTime().steady - begin
    _ = wanted.wait(timeoutNanoseconds: min(Self.rests * took, Self.longestRest)) {
      awaited.load(ordering: .relaxed) || ending.load(ordering: .relaxed)
    }
    begin = SystemTime().steady
  }

  /// Removes the partial file of a segment that did not fit, whose space others need.
  private func removePartialFile() {
    invariant(
      isStarved && state.load(ordering: .relaxed) == .wanted, "a ready segment is not removed")
    do throws(DiskFailure) {
      try disk.remove(path)
    } catch {
      // A file that cannot be removed is overwritten by the next attempt.
      return
    }
  }
}

// Writes the zeros of the next segment while the present one fills:
//
//   wanted --(preparer: write zeros, sync)--> ready --(writer: take, rename)--> wanted ...
//                                        \--> failed (the error is handed to the writer)

import Glibc
import MarketModel
import Rings
import Synchronization

/// Keeps one empty segment ready, on a thread of its own. Its methods belong to the journal thread.
final class SegmentPreparer: @unchecked Sendable {
  private enum State: Int, AtomicRepresentable { case wanted, ready, failed, stopped }

  private let path: String
  private let bytes: Int
  private let operations: FileOperations
  private let state = Atomic<State>(.wanted)
  private let wanted = Doorbell()
  private let done = Doorbell()
  /// Written before `state` becomes failed.
  private nonisolated(unsafe) var failure: JournalError?
  private nonisolated(unsafe) var thread: RoomThread?

  /// Starts preparing the first segment.
  init(directory: String, bytes: Int, operations: FileOperations) {
    path = JournalDirectory.preparedPath(directory)
    (self.bytes, self.operations) = (bytes, operations)
    thread = RoomThread { [unowned self] in self.run() }
  }

  /// The path of a zero-filled, synced segment; waits for it when it is not ready. The caller renames
  /// it, then calls `renew`.
  func take() throws(JournalError) -> String {
    // Acquire: pairs with the release in `run`, the file and the failure are complete.
    _ = done.wait { state.load(ordering: .acquiring) != .wanted }
    if let failure, state.load(ordering: .acquiring) == .failed { throw failure }
    return path
  }

  /// Asks for the next segment; the one taken has been renamed.
  func renew() {
    state.store(.wanted, ordering: .releasing)
    wanted.ring()
  }

  /// Ends the thread, after the segment it is at. Once.
  func stop() {
    _ = done.wait { state.load(ordering: .acquiring) != .wanted }
    state.store(.stopped, ordering: .releasing)
    wanted.ring()
    thread?.join()
    thread = nil
  }

  private func run() {
    while true {
      // Acquire: pairs with the releases in `renew` and `stop`.
      _ = wanted.wait {
        let state = state.load(ordering: .acquiring)
        return state == .wanted || state == .stopped
      }
      guard state.load(ordering: .acquiring) == .wanted else { return }
      do throws(JournalError) {
        try SegmentFile.createZeroed(path, bytes: bytes, operations: operations)
        state.store(.ready, ordering: .releasing)
      } catch {
        failure = error
        state.store(.failed, ordering: .releasing)
      }
      done.ring()
    }
  }
}

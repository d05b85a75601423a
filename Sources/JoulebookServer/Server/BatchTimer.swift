import Journaling
import MarketModel

/// Closes due settlement batches in a quiet market, where no command would close them. Owned by the
/// I/O thread, which calls `closeDueBatch` four times a second.
final class BatchTimer {
  /// Number of calls after which the exchange is asked even if the wall clock says that the batch
  /// is not yet due: the wall clock may be behind journaled time.
  private static let maximumSkips = 8

  private let time: any TimeSource
  private var calls = 0

  init(time: any TimeSource) { self.time = time }

  /// Closes the open settlement batch if it is due.
  func closeDueBatch(_ stages: Stages) {
    guard let due = stages.settlement?.due else {
      calls = 0
      return
    }
    calls += 1
    guard time.wall >= due.nanoseconds || calls >= Self.maximumSkips else { return }
    calls = 0
    stages.ask { $0.closeBatch(dueAt: due) }
  }
}

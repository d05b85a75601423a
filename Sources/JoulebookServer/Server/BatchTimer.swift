import Journaling
import MarketModel

/// Closes due settlement batches in a quiet market, where no command would close them. Owned by the
/// I/O thread, which calls `closeDueBatch` four times a second.
final class BatchTimer {
  /// Number of calls after which the exchange is asked even if the wall clock says that the batch
  /// is not yet due: the wall clock may be behind journaled time.
  private static let longestPatience = 8

  private let time: any TimeSource
  private var looks = 0

  init(time: any TimeSource) { self.time = time }

  /// Closes the open settlement batch if it is due.
  func closeDueBatch(_ stages: Stages) {
    guard let due = stages.settlement?.due else {
      looks = 0
      return
    }
    looks += 1
    guard time.wall >= due.nanoseconds || looks >= Self.longestPatience else { return }
    looks = 0
    stages.ask { $0.closeBatch(dueAt: due) }
  }
}

import Journaling
import MarketModel

/// Closes settlement batches on time, though no command comes. Owned by the I/O thread; looks a few times a second.
final class BatchTimer {
  /// How many looks pass before the market is asked although the wall clock says that nothing is due: it
  /// may be behind journaled time.
  private static let longestPatience = 8

  private let time: any TimeSource
  private var looks = 0

  init(time: any TimeSource) { self.time = time }

  /// Looks whether a batch is due, and has it closed.
  func look(_ stages: Stages) {
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

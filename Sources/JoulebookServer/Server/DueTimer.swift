import Journaling
import MarketModel
import Synchronization

/// Journals a tick in a quiet market when a settlement batch or an entry of the exchange's schedule
/// (an expiry, an announced change) is due, where no command would bring the time. Owned by the I/O
/// thread, which calls `tickIfDue` four times a second: at most one tick per call, and none before
/// the next moment.
final class DueTimer {
  /// Number of calls after which the exchange is asked even if the wall clock says that nothing is
  /// due yet: the wall clock may be behind journaled time.
  private static let maximumSkips = 8

  private let time: any TimeSource
  private var calls = 0

  init(time: any TimeSource) { self.time = time }

  /// Journals a tick if the open settlement batch or the first entry of the schedule is due.
  func tickIfDue(_ stages: Stages) {
    let due = min(stages.settlement?.due ?? .never, stages.scheduled.value)
    if due == .never {
      calls = 0
      return
    }
    calls += 1
    guard time.wall >= due.nanoseconds || calls >= Self.maximumSkips else { return }
    calls = 0
    stages.ask { $0.tick(dueAt: due) }
  }
}

/// When the first entry of the exchange's schedule is due, as of the last turn. Written by the
/// thread that applies commands, read by any.
final class ScheduledMoment: Sendable {
  private let nanoseconds = Atomic<UInt64>(Timestamp.never.nanoseconds)

  /// The moment; `.never` while the schedule is empty. Nothing else is published with it, so no
  /// order is needed.
  var value: Timestamp { Timestamp(nanoseconds: nanoseconds.load(ordering: .relaxed)) }

  /// Sets the moment. The applying thread only.
  func set(_ moment: Timestamp) { nanoseconds.store(moment.nanoseconds, ordering: .relaxed) }
}

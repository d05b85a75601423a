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
    tickIfDue(batch: stages.settlement?.due ?? .never, entry: stages.scheduled.value) { due in
      stages.ask { $0.tick(dueAt: due) }
    }
  }

  /// Asks for a tick at each moment that has come. Each counts for itself: while settlement is behind,
  /// or its ledger away, the moment of its batch is long past, and must not hide that of the schedule.
  func tickIfDue(batch: Timestamp, entry: Timestamp, ask: (Timestamp) -> Void) {
    if min(batch, entry) == .never {
      calls = 0
      return
    }
    calls += 1
    let asksAnyway = calls >= Self.maximumSkips
    func isAsked(_ due: Timestamp) -> Bool {
      due != .never && (asksAnyway || time.wall >= due.nanoseconds)
    }
    if isAsked(batch) || isAsked(entry) { calls = 0 }
    if isAsked(batch) { ask(batch) }
    if isAsked(entry) { ask(entry) }
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

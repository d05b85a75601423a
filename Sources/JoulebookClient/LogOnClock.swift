import MarketModel
import Synchronization

/// The timestamps of this process's log-ons: the wall clock, but each above the one before, as
/// servers require of each identity. Any thread.
enum LogOnClock {
  /// If the wall clock was set back by more than this, in ns, timestamps follow it: servers do not
  /// accept what is further ahead.
  private static let window: UInt64 = 5_000_000_000
  private static let last = Mutex<UInt64>(0)

  /// The timestamp of the next Negotiate or Establish.
  static func next() -> Timestamp {
    let now = Client.wallClock().nanoseconds
    return last.withLock { last in
      last = next(after: last, now: now)
      return Timestamp(nanoseconds: last)
    }
  }

  /// The timestamp after `last` when the wall clock shows `now`.
  static func next(after last: UInt64, now: UInt64) -> UInt64 {
    last >= now && last - now < window ? last + 1 : now
  }
}

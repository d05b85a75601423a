import Synchronization

/// The versions of this process's sessions: the wall clock in ns, but each above the one before,
/// as servers require of each identity, also when the clock is set back. Any thread.
enum VersionClock {
  private static let last = Mutex<UInt64>(0)

  /// The version of the next session.
  static func next() -> UInt64 {
    let now = Client.wallClock().nanoseconds
    return last.withLock { last in
      last = next(after: last, now: now)
      return last
    }
  }

  /// The version after `last` when the wall clock shows `now`.
  static func next(after last: UInt64, now: UInt64) -> UInt64 { max(now, last + 1) }
}

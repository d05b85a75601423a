import Glibc
import MarketModel

/// The system's clocks. The wall clock is used only to check handshakes, the steady clock for all
/// intervals. The exchange's time comes from the sequencer.
public enum SystemClock {
  /// Present UTC time. It can be set, so it can jump.
  public static func now() -> Timestamp { Timestamp(nanoseconds: read(CLOCK_REALTIME)) }

  /// Present time of the monotonic clock, which cannot be set.
  public static func steady() -> SteadyTime { SteadyTime(nanoseconds: read(CLOCK_MONOTONIC)) }

  private static func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    let result = clock_gettime(clock, &time)
    invariant(result == 0, "a clock that every system has")
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

/// A moment of the monotonic clock, for durations. It is not a time of day and can be compared only
/// with moments of the same clock.
public struct SteadyTime: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// ns since an unspecified origin.
  public var nanoseconds: UInt64

  /// The moment `nanoseconds` after the clock's origin.
  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// Orders moments by time.
  public static func < (a: SteadyTime, b: SteadyTime) -> Bool { a.nanoseconds < b.nanoseconds }

  /// Time elapsed since `earlier`, in ns; 0 if that is in the future.
  public func since(_ earlier: SteadyTime) -> UInt64 {
    nanoseconds - min(nanoseconds, earlier.nanoseconds)
  }
}

/// Clock for keep-alive and cancel-on-disconnect intervals: the monotonic clock, minus the periods
/// in which the server itself did not run. A server that was stopped, or waited for its disk, could
/// not hear its clients during that time. Owned by the I/O thread; all gateways share one.
public final class ServingClock {
  /// Time at the last call of `look`.
  public private(set) var now: SteadyTime
  /// Longest gap between two calls of `look` that counts, ns.
  private let longest: UInt64
  private let steady: @Sendable () -> SteadyTime
  private var lastLook: SteadyTime
  /// Sum of the periods that did not count, ns.
  private var skipped: UInt64 = 0

  /// A clock that starts now.
  /// - Parameters:
  ///   - longest: Longest gap between two calls of `look` that counts, ns.
  ///   - steady: Reads the monotonic clock.
  public init(longest: UInt64, _ steady: @escaping @Sendable () -> SteadyTime) {
    (self.longest, self.steady) = (longest, steady)
    lastLook = steady()
    now = lastLook
  }

  /// Reads the clock.
  public func look() { look(steady()) }

  /// Advances to a reading of the monotonic clock.
  func look(_ steady: SteadyTime) {
    let passed = steady.since(lastLook)
    if passed > longest { skipped += passed - longest }
    lastLook = max(lastLook, steady)
    now = SteadyTime(nanoseconds: lastLook.nanoseconds - skipped)
  }
}

import Glibc
import MarketModel

/// The machine's clocks. The wall clock judges handshakes only, the steady one every interval; the market's
/// time comes from the sequencer.
public enum SystemClock {
  /// Now, UTC: can be set, can jump.
  public static func now() -> Timestamp { Timestamp(nanoseconds: read(CLOCK_REALTIME)) }

  /// Now, by a clock that no one sets.
  public static func steady() -> SteadyTime { SteadyTime(nanoseconds: read(CLOCK_MONOTONIC)) }

  private static func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    let result = clock_gettime(clock, &time)
    invariant(result == 0, "a clock that every system has")
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

/// A moment of a clock that no one sets: for everything that has a duration. Not a time of day: compared
/// only with other moments of the same clock.
public struct SteadyTime: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// ns since some moment.
  public var nanoseconds: UInt64

  /// The moment `nanoseconds` after the clock's beginning.
  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// Orders by time.
  public static func < (a: SteadyTime, b: SteadyTime) -> Bool { a.nanoseconds < b.nanoseconds }

  /// How long ago `earlier` was, in ns; 0 when it is still to come.
  public func since(_ earlier: SteadyTime) -> UInt64 {
    nanoseconds - min(nanoseconds, earlier.nanoseconds)
  }
}

/// The time that counts for intervals: the steady clock, without the time in which nobody looked. A server
/// that was stopped, or waited for its disk, has not heard its clients meanwhile, and they did not miss
/// anything. Owned by the I/O thread; all gateways share one.
public final class ServingClock {
  /// What time it is, as of the last look.
  public private(set) var now: SteadyTime
  /// The longest time between two looks that counts, ns.
  private let longest: UInt64
  private let steady: @Sendable () -> SteadyTime
  private var lastLook: SteadyTime
  /// What did not count so far, ns.
  private var skipped: UInt64 = 0

  /// A clock that is looked at from now on.
  /// - Parameters:
  ///   - longest: The longest time between two looks that counts, ns.
  ///   - steady: The clock below.
  public init(longest: UInt64, _ steady: @escaping @Sendable () -> SteadyTime) {
    (self.longest, self.steady) = (longest, steady)
    lastLook = steady()
    now = lastLook
  }

  /// Looks what time it is.
  public func look() { look(steady()) }

  /// Looks at a clock below that shows `steady`.
  func look(_ steady: SteadyTime) {
    let passed = steady.since(lastLook)
    if passed > longest { skipped += passed - longest }
    lastLook = max(lastLook, steady)
    now = SteadyTime(nanoseconds: lastLook.nanoseconds - skipped)
  }
}

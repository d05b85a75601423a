import Glibc
import MarketModel

/// Where the sequencer reads the time.
public protocol TimeSource: Sendable {
  /// The wall clock, UTC, ns since 1970: can be set, can jump.
  var wall: UInt64 { get }
  /// A clock that no one sets, ns since some moment.
  var steady: UInt64 { get }
}

/// The system's clocks. Any thread.
public struct SystemTime: TimeSource {
  /// The system's clocks.
  public init() {}
  /// CLOCK_REALTIME.
  public var wall: UInt64 { Self.read(CLOCK_REALTIME) }
  /// CLOCK_MONOTONIC.
  public var steady: UInt64 { Self.read(CLOCK_MONOTONIC) }

  private static func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    let result = clock_gettime(clock, &time)
    invariant(result == 0, "a clock that every system has")
    invariant(time.tv_sec >= 0 && time.tv_nsec < 1_000_000_000, "a time since 1970")
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

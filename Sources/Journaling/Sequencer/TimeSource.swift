import Glibc
import MarketModel

/// The clocks that the sequencer reads.
public protocol TimeSource: Sendable {
  /// The wall clock, ns since 1970 UTC. It can be set, so it can jump.
  var wall: UInt64 { get }
  /// The monotonic clock, which cannot be set; ns since an unspecified origin.
  var steady: UInt64 { get }
}

/// The system's clocks. Any thread.
public struct SystemTime: TimeSource {
  /// Creates a reader of the system's clocks.
  public init() {}
  /// Reads CLOCK_REALTIME.
  public var wall: UInt64 { Self.read(CLOCK_REALTIME) }
  /// Reads CLOCK_MONOTONIC.
  public var steady: UInt64 { Self.read(CLOCK_MONOTONIC) }

  private static func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    let result = clock_gettime(clock, &time)
    invariant(result == 0, "the system has this clock")
    invariant(time.tv_sec >= 0 && time.tv_nsec < 1_000_000_000, "the time is not before 1970")
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

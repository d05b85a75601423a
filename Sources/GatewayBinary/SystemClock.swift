import Glibc
import MarketModel

/// The machine's clock. Judges handshakes only; the market's time comes from the sequencer.
public enum SystemClock {
  /// Now, UTC.
  public static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
  }
}

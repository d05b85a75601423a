import Journaling
import MarketModel

/// The time of a run: stands still until the run moves it. The wall clock may jump away from it.
final class SimulatedClock: TimeSource, @unchecked Sendable {
  /// Where every run begins: 1 June 2026, UTC, ns since 1970.
  static let beginning: UInt64 = 1_780_272_000_000_000_000
  /// A year, in ns.
  static let year: UInt64 = 31_536_000_000_000_000

  /// ns since the run began.
  private(set) var elapsed: UInt64 = 0
  /// What the wall clock shows beyond the truth, ns.
  var wallError: Int64 = 0

  /// The clients' clock, which is right.
  var now: Timestamp { Timestamp(nanoseconds: Self.beginning + elapsed) }
  /// The server's wall clock.
  var wall: UInt64 { UInt64(Int64(Self.beginning + elapsed) + wallError) }
  /// The server's steady clock.
  var steady: UInt64 { 1_000_000_000 + elapsed }

  /// Time passes.
  func advance(nanoseconds: UInt64) { elapsed += nanoseconds }
}

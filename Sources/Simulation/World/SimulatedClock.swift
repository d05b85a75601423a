import Journaling
import MarketModel

/// The clock of a run, which only `advance` moves. The server's wall clock can differ from it.
final class SimulatedClock: TimeSource, @unchecked Sendable {
  /// Begin of every run: 1 June 2026 UTC, in ns since 1970.
  static let beginning: UInt64 = 1_780_272_000_000_000_000
  /// A year of 365 days in ns.
  static let year: UInt64 = 31_536_000_000_000_000

  /// Time since the begin of the run, in ns.
  private(set) var elapsed: UInt64 = 0
  /// Error of the server's wall clock in ns; positive when it is ahead.
  var wallError: Int64 = 0

  /// The clients' clock, which is correct.
  var now: Timestamp { Timestamp(nanoseconds: Self.beginning + elapsed) }
  /// The server's wall clock, in ns since 1970.
  var wall: UInt64 { UInt64(Int64(Self.beginning + elapsed) + wallError) }
  /// The server's steady clock, in ns.
  var steady: UInt64 { 1_000_000_000 + elapsed }

  /// Advances the clock.
  func advance(nanoseconds: UInt64) { elapsed += nanoseconds }
}

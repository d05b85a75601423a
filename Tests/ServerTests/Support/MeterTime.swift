import Foundation

/// The time at which the intervals of tests begin: readings must be younger than the area's window.
enum MeterTime {
  /// The quarter of an hour that began two hours before this process, ns since 1970.
  static let start: UInt64 = {
    let quarter: UInt64 = 900_000_000_000
    return (UInt64(Date().timeIntervalSince1970) * 1_000_000_000 / quarter - 8) * quarter
  }()
}

import MarketModel

// A profile value is a share of the rated power, in millionths. The energy of one interval is
//
//   Wh = millionths x rated W / (1,000,000 x intervals per hour)
//
// which is rarely a whole number. To keep the total exact, the remainder is carried to the next
// interval: the sum over the first n intervals is the exact sum rounded down, for every n.

/// Energy of successive intervals in whole watt-hours, none negative.
public struct EnergySeries: Sendable, Equatable {
  /// Energy of each interval, in Wh.
  public private(set) var wattHours: [Int64]

  /// A series with these values in Wh.
  /// - Precondition: none is negative.
  public init(wattHours: [Int64]) {
    precondition(wattHours.allSatisfy { $0 >= 0 }, "energy of an interval is never negative")
    self.wattHours = wattHours
  }

  /// A series of `count` intervals without energy.
  public init(zeros count: Int) { wattHours = Array(repeating: 0, count: count) }

  /// A profile multiplied by its rated power.
  /// - Parameters:
  ///   - profile: millionths of the rated power, none negative.
  ///   - ratedWatts: rated power in W.
  ///   - intervalsPerHour: 4 for quarters, 1 for hours.
  public init(profile: some Sequence<Int64>, ratedWatts: Int64, intervalsPerHour: Int64) {
    let divisor = 1_000_000 * intervalsPerHour
    var remainder: Int64 = 0
    wattHours = profile.map { millionths in
      let exact = millionths * ratedWatts + remainder
      remainder = exact % divisor
      return exact / divisor
    }
  }

  /// Number of intervals.
  public var count: Int { wattHours.count }

  /// Energy of interval `index`.
  public subscript(index: Int) -> Energy { Energy(wattHours: wattHours[index]) }

  /// Sum over all intervals.
  public var total: Energy { Energy(wattHours: wattHours.reduce(0, +)) }

  /// Largest energy of an interval; zero when there are none.
  public var peak: Energy { Energy(wattHours: wattHours.max() ?? 0) }

  /// The series of the intervals in `range`.
  public subscript(range: Range<Int>) -> EnergySeries {
    EnergySeries(wattHours: Array(wattHours[range]))
  }

  /// Adds `other` interval by interval.
  /// - Precondition: both have the same number of intervals.
  public static func += (series: inout EnergySeries, other: EnergySeries) {
    precondition(series.count == other.count, "series of different lengths")
    for index in series.wattHours.indices { series.wattHours[index] += other.wattHours[index] }
  }
}

import MarketModel

/// What a customer knows of its own meter: the readings of the last day.
///
/// A forecast is that day again. It needs no profile and knows nothing of the time to come.
public struct OwnReadings: Sendable {
  /// Readings of the last day in Wh, by interval of the day.
  private var produced: [Int64]
  private var consumed: [Int64]
  /// The interval of the day that comes next.
  private var next = 0

  /// The readings of one day, the first of them at midnight.
  /// - Precondition: Both series cover one day.
  public init(produced: EnergySeries, consumed: EnergySeries) {
    precondition(produced.count == consumed.count, "series of different lengths")
    (self.produced, self.consumed) = (produced.wattHours, consumed.wattHours)
  }

  /// No readings.
  public init() { (produced, consumed) = ([], []) }

  /// Adds the reading of the interval that has ended; it replaces that of the day before.
  public mutating func append(produced: Energy, consumed: Energy) {
    guard !self.produced.isEmpty else { return }
    self.produced[next] = produced.wattHours
    self.consumed[next] = consumed.wattHours
    next = (next + 1) % self.produced.count
  }

  /// Consumption of the last day.
  public var dailyConsumption: Energy { Energy(wattHours: consumed.reduce(0, +)) }

  /// What has to be stored now so that nothing is lacking before the sun is back, if the coming day
  /// is the last one again: the largest lack over the intervals from now on. Linear in the
  /// intervals of a day.
  public var need: Energy {
    var (lack, most): (Int64, Int64) = (0, 0)
    for step in produced.indices {
      let index = (next + step) % produced.count
      lack += consumed[index] - produced[index]
      most = max(most, lack)
    }
    return Energy(wattHours: most)
  }
}

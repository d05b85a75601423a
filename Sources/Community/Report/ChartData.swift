import Foundation
import MarketModel

/// What the charts over time draw.
struct ChartData {
  /// At the start, and at the end of each interval.
  var samples: [DemoResult.MarketSample]
  /// Length of an interval in seconds.
  var intervalSeconds: UInt64
  /// The grid's two prices; `nil` when they are not drawn.
  var tariff: (retail: Price, feedIn: Price)?
  /// Sum of the caps, Wh.
  var capacity: Int64 = 0
  /// Whether the samples have figures without a market.
  var hasAlone = false
  /// How prices are written.
  var unit: PriceUnit

  /// Whether times without production are shaded: where something is produced.
  var hasNights: Bool { samples.contains { $0.energy.produced > 0 } }
}

/// The unit in which prices are written.
struct PriceUnit {
  /// Name of the unit, such as "ct/kWh".
  let name: String
  /// Ticks of 1e-5 in one unit.
  let ticks: Double
  /// Fewest decimal places on an axis.
  let places: Int

  /// Hundredths of the currency.
  static let cents = PriceUnit(name: "ct/kWh", ticks: 1_000, places: 0)

  /// Units of a currency, such as "EUR/kWh".
  static func whole(_ currency: String) -> PriceUnit {
    PriceUnit(name: "\(currency)/kWh", ticks: 100_000, places: 2)
  }

  /// A price with as many places as `step`, the distance between prices that are to differ, needs.
  func text(_ ticks: Double, step: Double) -> String {
    let digits = step > 0 ? Int((-log10(step / self.ticks)).rounded(.up)) : 0
    return Format.decimal(ticks / self.ticks, min(5, max(places, digits)))
  }

  /// A price, exact to a hundredth of the step of a chart's axis.
  func text(_ ticks: Double) -> String { text(ticks, step: self.ticks == 1_000 ? 10 : 1) }

  /// A price of the grid, as short as it can be written.
  func short(_ price: Price) -> String {
    let value = Double(price.ticks) / ticks
    let places = (self.places...5).first { places in
      let scaled = value * pow(10, Double(places))
      return abs(scaled - scaled.rounded()) < 1e-6
    }
    return Format.decimal(value, places ?? 5)
  }
}

extension DemoResult {
  /// The charts of the whole run.
  var charts: ChartData {
    ChartData(
      samples: samples, intervalSeconds: setting.intervalSeconds,
      tariff: (setting.terms.retail, setting.terms.feedIn),
      capacity: setting.capacity.wattHours, hasAlone: true, unit: .cents)
  }
}

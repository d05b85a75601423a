import MarketModel

/// Bar charts: self-sufficiency by day and savings by customer.
enum CompareCharts {
  /// The chart of self-sufficiency by day, with and without the market.
  static func sufficiency(_ result: DemoResult) -> String {
    let days = byDay(result)
    return TimeCharts.both { screen in
      let height = screen.pick(230.0, 200.0)
      var drawing = Drawing(width: screen.width, height: height)
      let (left, right) = (screen.pick(44.0, 34.0), screen.width - screen.pick(8, 4))
      let y = Scale(0...1, from: height - 26, to: 22)
      for value in [0, 0.25, 0.5, 0.75, 1] {
        drawing.line(left, y(value), right, y(value), value == 0 ? "axis" : "rule")
        drawing.text(Format.decimal(value * 100, 0), left - 7, y(value) + 4, anchor: "end")
      }
      drawing.text("%", left - 7 - screen.pick(30, 24), 11, "unit")
      let slot = (right - left) / Double(max(1, days.count))
      let width = min(34, slot * 0.3)
      for (index, day) in days.enumerated() {
        let middle = left + slot * (Double(index) + 0.5)
        for (share, offset, style) in [
          (day.alone, -width - 1, "alone-bar"), (day.market, 1, "market-bar"),
        ] {
          drawing.rectangle(
            middle + offset, y(share), width, y(0) - y(share), style, radius: 2,
            title: "\(day.name): \(Format.percent(share, places: 1))")
          if screen == .wide {
            drawing.text(
              Format.decimal(share * 100, 0), middle + offset + width / 2, y(share) - 5, "value",
              anchor: "middle")
          }
        }
        drawing.text(
          screen.pick(day.name, String(day.name.prefix(3))), middle, height - 8, anchor: "middle")
      }
      return drawing.svg(screen, label: "Self-sufficiency by day with and without the market")
    }
  }

  /// Self-sufficiency of one day, 0...1.
  struct DayShare: Equatable {
    var name: String
    var market: Double
    var alone: Double
  }

  /// Self-sufficiency of each day of the run.
  static func byDay(_ result: DemoResult) -> [DayShare] {
    let perDay = Int(86_400 / max(1, result.setting.intervalSeconds))
    let steps = Array(result.samples.dropFirst())
    return stride(from: 0, to: steps.count, by: perDay).map { start in
      var (market, alone) = (EnergyTotals(), EnergyTotals())
      for sample in steps[start..<min(start + perDay, steps.count)] {
        market += sample.energy
        alone += sample.alone
      }
      let (weekday, date) = Format.day(result.samples[start].time)
      return DayShare(
        name: "\(weekday) \(date)", market: market.selfSufficiency, alone: alone.selfSufficiency)
    }
  }

  /// The chart of each customer's savings, largest first; the colour is the kind of customer.
  static func savings(_ result: DemoResult) -> String {
    let customers = result.customers.sorted { $0.saving > $1.saving }
    let values = customers.map { Double($0.saving.units) / 100_000_000 }
    let (top, low) = (max(values.max() ?? 0, 0.1), min(values.min() ?? 0, 0))
    let sign = result.setting.terms.currencySign
    return TimeCharts.both { screen in
      let height = screen.pick(270.0, 230.0)
      var drawing = Drawing(width: screen.width, height: height)
      let (left, right) = (screen.pick(44.0, 34.0), screen.width - screen.pick(8, 4))
      let y = Scale(low * 1.06...top * 1.06, from: height - 14, to: 22)
      for value in y.ticks(4) {
        drawing.line(left, y(value), right, y(value), value == 0 ? "axis" : "rule")
        let places = top < 4 ? 1 : 0
        drawing.text(Format.decimal(value, places), left - 7, y(value) + 4, anchor: "end")
      }
      drawing.text(sign, left - 7 - screen.pick(30, 24), 11, "unit")
      let slot = (right - left) / Double(max(1, values.count))
      for (index, customer) in customers.enumerated() {
        let place = left + slot * Double(index)
        drawing.rectangle(
          place + slot * 0.1, min(y(0), y(values[index])), slot * 0.8,
          max(0.8, abs(y(values[index]) - y(0))), style(customer),
          title: """
            \(customer.name): saved \(Format.money(customer.saving, sign)), paid \
            \(Format.money(customer.net, sign)) instead of \(Format.money(customer.aloneNet, sign))
            """)
      }
      return drawing.svg(screen, label: "Money saved by each customer")
    }
  }

  private static func style(_ customer: DemoResult.CustomerMoney) -> String {
    if customer.kind == .chargingStation { return "station-bar" }
    if customer.kind == .business { return "business-bar" }
    return customer.hasRoof ? "roof-bar" : "house-bar"
  }
}

import MarketModel

/// A chart over the time of the run with shaded nights, days and a vertical axis.
struct WeekPlot {
  /// The image drawn so far.
  var drawing: Drawing
  /// Maps sample indices to x coordinates.
  let x: Scale
  /// Maps values to y coordinates.
  let y: Scale
  let screen: Screen
  let top: Double
  let bottom: Double
  let left: Double
  let right: Double

  /// An empty chart for `samples` with values in `range`.
  init(
    _ samples: [DemoResult.MarketSample], screen: Screen, height: Double,
    range: ClosedRange<Double>
  ) {
    self.screen = screen
    drawing = Drawing(width: screen.width, height: height)
    left = screen.pick(44, 34)
    right = screen.width - screen.pick(8, 4)
    top = 22
    bottom = height - 26
    x = Scale(0...Double(max(1, samples.count - 1)), from: left, to: right)
    y = Scale(range, from: bottom, to: top)
    nights(samples)
  }

  /// Shades the times without production.
  private mutating func nights(_ samples: [DemoResult.MarketSample]) {
    var start: Int?
    for index in samples.indices {
      let dark = samples[index].energy.produced == 0
      if dark && start == nil { start = max(0, index - 1) }
      if let begun = start, !dark || index == samples.count - 1 {
        let end = dark ? index : index - 1
        drawing.rectangle(
          x(Double(begun)), top, x(Double(end)) - x(Double(begun)), bottom - top, "night")
        start = nil
      }
    }
  }

  /// Draws the vertical axis with `unit` above it, and the days below.
  mutating func axes(
    _ samples: [DemoResult.MarketSample], unit: String, label: (Double) -> String
  ) {
    for value in y.ticks(6) {
      drawing.line(left, y(value), right, y(value), value == 0 ? "axis" : "rule")
      drawing.text(label(value), left - 7, y(value) + 4, anchor: "end")
    }
    drawing.text(unit, left - 7 - screen.pick(30, 24), 11, "unit")
    days(samples)
  }

  /// Draws the name of each day and a line between days.
  private mutating func days(_ samples: [DemoResult.MarketSample]) {
    guard samples.count > 1 else { return }
    let step = samples[1].time.nanoseconds - samples[0].time.nanoseconds
    let perDay = max(1, Int(86_400_000_000_000 / step))
    for start in stride(from: 0, to: samples.count - 1, by: perDay) {
      let (weekday, date) = Format.day(samples[start].time)
      let middle = x(Double(start) + Double(perDay) / 2)
      let name = screen.pick("\(weekday) \(date)", weekday)
      drawing.text(name, min(middle, right), bottom + 18, anchor: "middle")
      if start > 0 { drawing.line(x(Double(start)), bottom, x(Double(start)), bottom + 6, "axis") }
    }
  }

  /// Draws a line through `values`, one per sample.
  mutating func line(_ values: [Double?], _ style: String) {
    let points = values.enumerated().map { (x: x(Double($0)), y: $1.map { y($0) }) }
    drawing.path(Drawing.polyline(points), style)
  }

  /// Draws the area between `base` and `values`.
  mutating func area(_ values: [Double], from base: [Double]? = nil, _ style: String) {
    let upper = values.enumerated().map { (x: x(Double($0)), y: y($1)) }
    let lower = values.indices.map { (x: x(Double($0)), y: y(base?[$0] ?? 0)) }
    drawing.path(Drawing.area(upper, lower), style)
  }

  /// The SVG element of the chart.
  func svg(_ label: String) -> String { drawing.svg(screen, label: label) }
}

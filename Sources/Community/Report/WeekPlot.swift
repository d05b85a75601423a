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

  /// An empty chart for `data` with values in `range`.
  init(_ data: ChartData, screen: Screen, height: Double, range: ClosedRange<Double>) {
    let samples = data.samples
    self.screen = screen
    drawing = Drawing(width: screen.width, height: height)
    left = screen.pick(44, 34)
    right = screen.width - screen.pick(8, 4)
    top = 22
    bottom = height - 26
    x = Scale(0...Double(max(1, samples.count - 1)), from: left, to: right)
    y = Scale(range, from: bottom, to: top)
    if data.hasNights { nights(samples) }
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

  /// Draws the vertical axis with `unit` above it, and the times below.
  /// - Parameter label: Writes a value; its second argument is the distance between two labels.
  mutating func axes(
    _ samples: [DemoResult.MarketSample], unit: String,
    label: (_ value: Double, _ step: Double) -> String
  ) {
    let values = y.ticks(6)
    let step = values.count > 1 ? values[1] - values[0] : 0
    for value in values {
      drawing.line(left, y(value), right, y(value), value == 0 ? "axis" : "rule")
      drawing.text(label(value, step), left - 7, y(value) + 4, anchor: "end")
    }
    drawing.text(unit, left - 7 - screen.pick(30, 24), 11, "unit")
    times(samples)
  }

  /// Draws the names of the days, or times of day where the chart has less than two days.
  private mutating func times(_ samples: [DemoResult.MarketSample]) {
    guard samples.count > 1, let first = samples.first, let last = samples.last else { return }
    let step = samples[1].time.nanoseconds - first.time.nanoseconds
    let span = last.time.nanoseconds - first.time.nanoseconds
    func place(_ time: UInt64) -> Double {
      x(Double(time - first.time.nanoseconds) / Double(step))
    }
    let day = TimeTicks.day
    let ticks = TimeTicks(
      from: first.time.nanoseconds, span: span, most: screen.pick(10, span < 3 * day ? 6 : 8))
    for time in ticks.times {
      let (weekday, date) = Format.day(Timestamp(nanoseconds: time))
      if ticks.step < day {
        let isMidnight = time % day == 0
        let clock = Format.timeOfDay(
          Timestamp(nanoseconds: time), withSeconds: ticks.step < TimeTicks.minute)
        let name = isMidnight ? date : clock
        drawing.line(place(time), bottom, place(time), bottom + 6, "axis")
        write(name, at: place(time))
      } else if ticks.step == day {
        // The name of a day stands in its middle.
        let end = min(time - time % day + day, last.time.nanoseconds)
        let middle = (place(time) + place(end)) / 2
        if end - time >= day / 2 {
          write(screen.pick("\(weekday) \(date)", weekday), at: middle)
        }
        if time > first.time.nanoseconds {
          drawing.line(place(time), bottom, place(time), bottom + 6, "axis")
        }
      } else {
        drawing.line(place(time), bottom, place(time), bottom + 6, "axis")
        let short = Format.shortDate(Timestamp(nanoseconds: time))
        write(screen.pick(date, short), at: place(time))
      }
    }
  }

  /// Writes a time below the chart, its middle at `x` or so far to the left that it does not leave
  /// the drawing.
  private mutating func write(_ name: String, at x: Double) {
    // A letter is about 6.5 units wide.
    let half = Double(name.count) * 6.5 / 2
    drawing.text(name, min(x, drawing.width - half), bottom + 18, anchor: "middle")
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

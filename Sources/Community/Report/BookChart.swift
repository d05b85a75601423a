import MarketModel

// The published book at one time. Bids are drawn above the axis and asks below it, by price. Where
// the book overlaps, a price has columns on both sides:
//
//     bids   ## ## %% ## %%
//     price  8  10 12 14 16 18 20 22 24
//     asks         %% %% ## %% ## ##           ## live   %% waiting

/// Draws the depth of an order book by price.
enum BookChart {
  /// Depth of one column: all levels within its price range.
  private struct Column {
    var liveBids = 0.0
    var waitingBids = 0.0
    var liveAsks = 0.0
    var waitingAsks = 0.0
  }

  /// The most columns of a chart.
  private static let most: Int64 = 80

  /// The chart of `book` for both screens.
  /// - Parameter shown: Prices that the chart contains beside those of the book.
  static func draw(
    _ book: DemoResult.BookPicture, shown: [Price], unit: PriceUnit
  ) -> String {
    TimeCharts.both { screen in draw(book, shown, unit, screen) }
  }

  /// Width of a column in ticks of 1e-5: 1, 2 or 5 of a power of ten.
  private static func step(_ range: Int64) -> Int64 {
    var power: Int64 = 1
    while true {
      for factor: Int64 in [1, 2, 5] where range / (factor * power) < most { return factor * power }
      power *= 10
    }
  }

  /// A quotient, rounded down.
  private static func floor(_ ticks: Int64, _ step: Int64) -> Int64 {
    ticks / step - (ticks % step < 0 ? 1 : 0)
  }

  private static func draw(
    _ book: DemoResult.BookPicture, _ shown: [Price], _ unit: PriceUnit, _ screen: Screen
  ) -> String {
    let prices = (shown + book.levels.map(\.price)).map(\.ticks)
    let (lowest, highest) = (prices.min() ?? 0, prices.max() ?? 0)
    let step = step(highest - lowest)
    let (first, last) = (floor(lowest, step), floor(highest, step))
    var columns = Array(repeating: Column(), count: Int(last - first) + 1)
    for level in book.levels {
      let index = Int(floor(level.price.ticks, step) - first)
      columns[index].liveBids += Double(level.liveBids) / 1_000
      columns[index].waitingBids += Double(level.waitingBids) / 1_000
      columns[index].liveAsks += Double(level.liveAsks) / 1_000
      columns[index].waitingAsks += Double(level.waitingAsks) / 1_000
    }
    let range = Double(first * step)...Double((last + 1) * step)
    var frame = Frame(columns: columns, range: range, screen: screen, unit: unit)
    frame.overlap(book)
    frame.axes()
    for (index, column) in columns.enumerated() {
      frame.bar(index, column, from: range.lowerBound, step: Double(step))
    }
    frame.center()
    return frame.drawing.svg(
      screen,
      label: """
        The book on \(Format.moment(book.time)): bids and asks by price, \
        \(Format.energy(book.overlap)) overlapping
        """)
  }

  /// The chart while it is drawn.
  private struct Frame {
    var drawing: Drawing
    let screen: Screen
    let x: Scale
    let up: Scale
    let down: Scale
    let left: Double
    let right: Double
    let height: Double
    let unit: PriceUnit

    init(columns: [Column], range: ClosedRange<Double>, screen: Screen, unit: PriceUnit) {
      (self.screen, self.unit) = (screen, unit)
      height = screen.pick(420, 380)
      drawing = Drawing(width: screen.width, height: height)
      left = screen.pick(44, 34)
      right = screen.width - screen.pick(8, 4)
      x = Scale(range, from: left, to: right)
      let bids = max(columns.map { $0.liveBids + $0.waitingBids }.max() ?? 0, 0.1)
      let asks = max(columns.map { $0.liveAsks + $0.waitingAsks }.max() ?? 0, 0.1)
      // Both directions have one scale, which determines where the axis is.
      let plotHeight = height - 24 - 44
      let share = min(max(bids / (bids + asks), 0.2), 0.8)
      let middle = 24 + plotHeight * share
      up = Scale(0...max(bids, asks * share / (1 - share)), from: middle, to: 24)
      down = Scale(0...max(asks, bids * (1 - share) / share), from: middle, to: height - 44)
    }

    /// Shades the prices between the buying price and the selling price above it.
    mutating func overlap(_ book: DemoResult.BookPicture) {
      guard let bid = book.publishedBid, let ask = book.publishedAsk, bid > ask else { return }
      let (from, to) = (x(Double(ask.ticks)), x(Double(bid.ticks)))
      drawing.rectangle(from, 24, to - from, height - 68, "overlap-band")
      drawing.text(
        "buying price \(unit.text(Double(ask.ticks)))", from + 5, height - 50, "overlap-label")
      drawing.text(
        "selling price \(unit.text(Double(bid.ticks)))", to - 5, 38, "overlap-label", anchor: "end")
    }

    mutating func axes() {
      for (scale, sign) in [(up, 1.0), (down, -1.0)] {
        for value in scale.ticks(3) where value > 0 {
          drawing.line(left, scale(value), right, scale(value), "rule")
          drawing.text(
            Format.axis(value, step: value), left - 7, scale(value) + 4 * sign, anchor: "end")
        }
      }
      drawing.text("kWh", left - 7 - screen.pick(30, 24), 11, "unit")
      let prices = x.ticks(screen.pick(12, 6))
      let step = prices.count > 1 ? prices[1] - prices[0] : 0
      for value in prices {
        drawing.text(unit.text(value, step: step), x(value), height - 24, anchor: "middle")
      }
      drawing.text(unit.name, right, height - 7, "unit", anchor: "end")
    }

    /// Draws column `index`: live quantities, then waiting ones.
    mutating func bar(_ index: Int, _ column: Column, from lowest: Double, step: Double) {
      let price = lowest + Double(index) * step
      let place = x(price) + 0.7
      let width = x(price + step) - x(price) - 1.4
      for (scale, live, waiting, side) in [
        (up, column.liveBids, column.waitingBids, "bid"),
        (down, column.liveAsks, column.waitingAsks, "ask"),
      ] {
        let (zero, solid, end) = (scale(0), scale(live), scale(live + waiting))
        let title = """
          \(unit.text(price)) to \(unit.text(price + step)) \(unit.name): \(side)s \
          \(Format.decimal(live, 2)) kWh live, \(Format.decimal(waiting, 2)) kWh waiting
          """
        drawing.rectangle(
          place, min(zero, solid), width, abs(solid - zero), "live-\(side)", title: title)
        drawing.rectangle(
          place, min(solid, end), width, abs(end - solid), "waiting-\(side)", title: title)
      }
    }

    /// Draws the axis between the sides, and their names over the columns.
    mutating func center() {
      drawing.line(left, up(0), right, up(0), "axis")
      drawing.text("bids", right - 6, up(0) - 7, "side-bid", anchor: "end")
      drawing.text("asks", left + 6, up(0) + 17, "side-ask")
    }
  }
}

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

  /// Width of a column in ticks of 1e-5: half a cent.
  private static let step: Int64 = 500

  /// The chart of `book` for both screens.
  static func draw(_ book: DemoResult.BookPicture, terms: MarketTerms) -> String {
    TimeCharts.both { screen in draw(book, terms: terms, screen: screen) }
  }

  private static func draw(
    _ book: DemoResult.BookPicture, terms: MarketTerms, screen: Screen
  ) -> String {
    let first = min(terms.feedIn.ticks, book.levels.first?.price.ticks ?? .max) / step
    let last = max(terms.retail.ticks, book.levels.last?.price.ticks ?? .min) / step
    var columns = Array(repeating: Column(), count: Int(last - first) + 1)
    for level in book.levels {
      let index = Int(level.price.ticks / step - first)
      columns[index].liveBids += Double(level.liveBids) / 1_000
      columns[index].waitingBids += Double(level.waitingBids) / 1_000
      columns[index].liveAsks += Double(level.liveAsks) / 1_000
      columns[index].waitingAsks += Double(level.waitingAsks) / 1_000
    }
    let range = Double(first * step)...Double((last + 1) * step)
    var frame = Frame(columns: columns, range: range, screen: screen)
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

    init(columns: [Column], range: ClosedRange<Double>, screen: Screen) {
      self.screen = screen
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

    /// Shades the prices between the best published ask and the best published bid above it.
    mutating func overlap(_ book: DemoResult.BookPicture) {
      guard let bid = book.publishedBid, let ask = book.publishedAsk, bid > ask else { return }
      let (from, to) = (x(Double(ask.ticks)), x(Double(bid.ticks)))
      drawing.rectangle(from, 24, to - from, height - 68, "overlap-band")
      drawing.text(
        "best ask \(Format.price(ask))", from + 5, height - 50, "overlap-label")
      drawing.text(
        "best bid \(Format.price(bid))", to - 5, 38, "overlap-label", anchor: "end")
    }

    mutating func axes() {
      for (scale, sign) in [(up, 1.0), (down, -1.0)] {
        for value in scale.ticks(3) where value > 0 {
          drawing.line(left, scale(value), right, scale(value), "rule")
          let places = value < 1 ? 1 : 0
          drawing.text(
            Format.decimal(value, places), left - 7, scale(value) + 4 * sign, anchor: "end")
        }
      }
      drawing.text("kWh", left - 7 - screen.pick(30, 24), 11, "unit")
      for value in x.ticks(screen.pick(12, 6)) {
        drawing.text(Format.cents(value, places: 0), x(value), height - 24, anchor: "middle")
      }
      drawing.text("ct/kWh", right, height - 7, "unit", anchor: "end")
      drawing.text("bids", left + 6, 20, "side-bid")
      drawing.text("asks", right - 6, height - 50, "side-ask", anchor: "end")
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
          \(Format.cents(price))–\(Format.cents(price + step)) ct/kWh: \(side)s \
          \(Format.decimal(live, 2)) kWh live, \(Format.decimal(waiting, 2)) kWh waiting
          """
        drawing.rectangle(
          place, min(zero, solid), width, abs(solid - zero), "live-\(side)", title: title)
        drawing.rectangle(
          place, min(solid, end), width, abs(end - solid), "waiting-\(side)", title: title)
      }
    }

    mutating func center() { drawing.line(left, up(0), right, up(0), "axis") }
  }
}

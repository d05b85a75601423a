import MarketModel

/// The charts over the time of the run. Each function returns the chart for both screens.
enum TimeCharts {
  /// Draws one chart for both screens.
  static func both(_ draw: (Screen) -> String) -> String {
    Screen.allCases.map(draw).joined()
  }

  /// Average trade price by interval, the live spread, and the tariff's two prices.
  static func price(_ data: ChartData) -> String {
    let samples = data.samples
    let prices = samples.map(\.averagePrice)
    let quotes = samples.flatMap { [$0.liveBid, $0.liveAsk] }.compactMap { $0 }
    let tariff = data.tariff.map { [$0.retail, $0.feedIn] } ?? []
    let all = prices.compactMap { $0 } + (quotes + tariff).map { Double($0.ticks) }
    let (low, top) = (min(0, all.min() ?? 0) * 1.08, max(all.max() ?? 0, 1) * 1.08)
    return both { screen in
      var plot = WeekPlot(data, screen: screen, height: screen.pick(340, 260), range: low...top)
      plot.axes(samples, unit: data.unit.name) { data.unit.text($0, step: $1) }
      if let tariff = data.tariff {
        let isTight = abs(tariff.retail.ticks - tariff.feedIn.ticks) < Int64((top - low) / 18)
        for (price, name) in [(tariff.retail, "retail"), (tariff.feedIn, "feed-in")] {
          let y = plot.y(Double(price.ticks))
          plot.drawing.line(plot.left, y, plot.right, y, "tariff")
          // Equal prices have their names at both ends of the line.
          let isLeft = isTight && name == "feed-in"
          plot.drawing.text(
            "\(name) \(data.unit.short(price))", isLeft ? plot.left + 4 : plot.right - 4, y - 6,
            "tariff-label", anchor: isLeft ? "start" : "end")
        }
      }
      spread(samples, &plot)
      plot.line(prices, "trade-line")
      for (index, price) in prices.enumerated() {
        guard let price else { continue }
        let sample = samples[index]
        plot.drawing.circle(
          plot.x(Double(index)), plot.y(price), screen.pick(1.7, 1.1), "trade-dot",
          title: """
            \(Format.moment(sample.time)): \(data.unit.text(price)) \(data.unit.name), \
            \(Format.energy(sample.traded)) in \(sample.trades) trades
            """)
      }
      return plot.svg("Price of the trades, and the spread of the live book, over time")
    }
  }

  /// Shades the spread between best live bid and best live ask.
  private static func spread(_ samples: [DemoResult.MarketSample], _ plot: inout WeekPlot) {
    var data = ""
    for index in samples.indices.dropLast() {
      guard let bid = samples[index].liveBid, let ask = samples[index].liveAsk else { continue }
      let (left, right) = (plot.x(Double(index)), plot.x(Double(index + 1)))
      let (low, high) = (plot.y(Double(bid.ticks)), plot.y(Double(ask.ticks)))
      let n = Drawing.n
      data += "M\(n(left)) \(n(low))H\(n(right))V\(n(high))H\(n(left))Z"
    }
    plot.drawing.path(data, "spread")
  }

  /// Best ask minus best bid: always positive in the live book, often negative in the published
  /// book.
  static func spread(_ data: ChartData) -> String {
    let samples = data.samples
    func gap(_ ask: Price?, _ bid: Price?) -> Double? {
      guard let ask, let bid else { return nil }
      return Double(ask.ticks - bid.ticks)
    }
    let live = samples.map { gap($0.liveAsk, $0.liveBid) }
    let published = samples.map { gap($0.publishedAsk, $0.publishedBid) }
    let all = (live + published).compactMap { $0 }
    let low = min(all.min() ?? 0, -10)
    let high = max(all.max() ?? 0, 10)
    return both { screen in
      var plot = WeekPlot(
        data, screen: screen, height: screen.pick(210, 200), range: low * 1.1...high * 1.1)
      plot.axes(samples, unit: data.unit.name) { data.unit.text($0, step: $1) }
      let below = published.map { min($0 ?? 0, 0) }
      plot.area(below, "overlap-area")
      plot.line(published, "overlap-line")
      plot.line(live, "live-line")
      return plot.svg("Spread of the live book and of the published book")
    }
  }

  /// Gross production and consumption, as average power of each interval.
  static func energy(_ data: ChartData) -> String {
    let samples = data.samples
    let hours = Double(data.intervalSeconds) / 3_600
    let produced = samples.map { Double($0.energy.produced) / hours / 1_000 }
    let consumed = samples.map { Double($0.energy.consumed) / hours / 1_000 }
    let top = max(produced.max() ?? 0, consumed.max() ?? 0, 0.001)
    return both { screen in
      var plot = WeekPlot(
        data, screen: screen, height: screen.pick(250, 210), range: 0...top * 1.06)
      plot.axes(samples, unit: "kW", label: Format.axis)
      plot.area(produced, "sun-area")
      // The first sample is at the start of the run and ends no interval.
      plot.line([nil] + consumed.dropFirst().map(Optional.some), "ink-line")
      return plot.svg("Power produced and consumed")
    }
  }

  /// Traded and imported energy above the axis, exported below, as average power.
  static func flows(_ data: ChartData) -> String {
    let samples = data.samples
    let hours = Double(data.intervalSeconds) / 3_600
    func power(_ wattHours: Int64) -> Double { Double(wattHours) / hours / 1_000 }
    let imported = samples.map { power($0.energy.imported) }
    let exported = samples.map { -power($0.energy.exported) }
    let traded = samples.map { power($0.traded) }
    let top = max(traded.max() ?? 0, imported.max() ?? 0, 0.001) * 1.06
    let low = min(exported.min() ?? 0, -0.001) * 1.06
    return both { screen in
      var plot = WeekPlot(data, screen: screen, height: screen.pick(270, 230), range: low...top)
      plot.axes(samples, unit: "kW") { Format.axis(abs($0), step: $1) }
      plot.area(imported, "import-area")
      plot.area(exported, "export-area")
      plot.line(traded, "trade-line")
      return plot.svg("Power traded, imported and exported")
    }
  }

  /// Stored energy with and without the market, and the capacity.
  static func storage(_ data: ChartData) -> String {
    let samples = data.samples
    let stored = samples.map { Double($0.energy.heldAtEnd) / 1_000 }
    let capacity = Double(data.capacity) / 1_000
    let top = max(capacity, stored.max() ?? 0, 0.001)
    return both { screen in
      var plot = WeekPlot(
        data, screen: screen, height: screen.pick(200, 190), range: 0...top * 1.12)
      plot.axes(samples, unit: "kWh", label: Format.axis)
      let y = plot.y(capacity)
      plot.drawing.line(plot.left, y, plot.right, y, "tariff")
      plot.drawing.text(
        "all caps together \(Format.energy(data.capacity))", plot.right - 4, y - 6,
        "tariff-label", anchor: "end")
      plot.area(stored, "stored-area")
      plot.line(stored, "stored-line")
      if data.hasAlone {
        plot.line(samples.map { Double($0.alone.heldAtEnd) / 1_000 }, "alone-line")
      }
      return plot.svg("Energy in the shared storage")
    }
  }

  /// Open asks above the axis and open bids below it; live quantities solid, waiting ones hatched.
  static func waiting(_ data: ChartData) -> String {
    let samples = data.samples
    func kilo(_ value: (DemoResult.MarketSample) -> Int64) -> [Double] {
      samples.map { Double(value($0)) / 1_000 }
    }
    let liveAsks = kilo { $0.liveAsks }
    let allAsks = kilo { $0.liveAsks + $0.awaitingEnergy }
    let liveBids = kilo { -$0.liveBids }
    let allBids = kilo { -$0.liveBids - $0.awaitingHeadroom }
    let top = max(allAsks.max() ?? 0, 0.001) * 1.06
    let low = min(allBids.min() ?? 0, -0.001) * 1.06
    return both { screen in
      var plot = WeekPlot(data, screen: screen, height: screen.pick(340, 300), range: low...top)
      plot.area(liveAsks, "live-ask")
      plot.area(allAsks, from: liveAsks, "waiting-ask")
      plot.area(liveBids, "live-bid")
      plot.area(allBids, from: liveBids, "waiting-bid")
      plot.axes(samples, unit: "kWh") { Format.axis(abs($0), step: $1) }
      return plot.svg(
        "Open asks and bids: live, waiting for energy and waiting for headroom")
    }
  }
}

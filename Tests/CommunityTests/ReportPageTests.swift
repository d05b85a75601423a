import MarketModel
import Testing

@testable import Community

@Suite("Charts of the reports")
struct ReportPageTests {
  /// The variables of the style sheet that a class of the charts is drawn with, and that a legend has
  /// to name. Classes that are missing here have their name beside them, or are lines of the grid.
  private static let colors: [String: [String]] = [
    "trade-line": ["trade"], "trade-dot": ["trade"], "spread": ["trade-soft"],
    "live-line": ["trade"], "overlap-line": ["overlap-ink"], "overlap-area": ["overlap"],
    "overlap-band": ["overlap"], "sun-area": ["sun"], "ink-line": ["ink"],
    "import-area": ["grid-soft", "grid"], "export-area": ["ask-soft", "ask"],
    "stored-area": ["trade-soft", "trade"], "stored-line": ["trade"], "alone-line": ["grid"],
    "live-ask": ["ask"], "live-bid": ["bid"], "waiting-ask": ["hatch-ask"],
    "waiting-bid": ["hatch-bid"], "night": ["night"], "market-bar": ["trade"],
    "alone-bar": ["grid"], "roof-bar": ["ask"], "house-bar": ["bid"], "business-bar": ["trade"],
    "station-bar": ["overlap-ink"],
  ]
  private static let unnamed: Set = [
    "wide", "phone", "rule", "axis", "label", "unit", "value", "tariff", "tariff-label",
    "overlap-label", "side-bid", "side-ask",
  ]

  private func check(_ html: String, figures expected: Int) {
    let figures = html.components(between: "<figure>", and: "</figure>")
    #expect(figures.count >= expected)
    for figure in figures {
      let caption = figure.components(between: "<figcaption>", and: "</figcaption>")[0]
      let drawn = figure.dropFirst(caption.count)
      for style in Set(String(drawn).components(between: "class=\"", and: "\"")) {
        if style == "key" || style == "stroke" || style.hasPrefix("hatch") { continue }
        if Self.unnamed.contains(style) { continue }
        guard let colors = Self.colors[style] else {
          Issue.record("the class \(style) is unknown")
          continue
        }
        for color in colors {
          let isThere = caption.contains("var(--\(color))") || caption.contains("\"\(color)\"")
          #expect(isThere, "\(style) in \(caption)")
        }
      }
    }
    // Wide content has to have a place that fits a phone: charts are drawn twice.
    #expect(
      html.components(between: "<svg class=\"wide\"", and: ">").count
        == html.components(between: "<svg class=\"phone\"", and: ">").count)
    #expect(html.contains("times in UTC") && !html.contains("nan"))
  }

  @Test("Every colour of the demonstration's charts has a name.")
  func demonstration() throws {
    check(
      ReportPage(Simulation(of: try CommunityModel.simbench(), seed: 1).result).html, figures: 9)
  }

  @Test("A legend names what a chart draws, with two instruments and without meters.")
  func market() throws {
    let result = Simulation(of: try CommunityModel.fontana().first(days: 1), seed: 2).result
    var figures = MarketFigures()
    (figures.first, figures.last) = (result.samples.first?.time, result.samples.last?.time)
    figures.intervalSeconds = 3_600
    let terms = MarketTerms.californian
    let area = CreateArea(
      area: AreaId(1), currency: terms.currency, code: terms.areaCode,
      storageCost: terms.storageCost, storagePrice: terms.storagePrice,
      feedInPrice: terms.feedIn, retailPrice: terms.retail)
    let book = try #require(result.deepestOverlap)
    let instruments = [1, 2].map { number in
      MarketFigures.Instrument(
        definition: CreateInstrument(
          instrument: InstrumentId(number), area: AreaId(1), symbol: terms.symbol,
          tick: terms.tick, lot: terms.lot, lowestPrice: .zero, highestPrice: terms.highestPrice),
        samples: result.samples, book: book)
    }
    (figures.orders, figures.trades, figures.localTrades) = (1, 2, 1)
    var account = MarketFigures.Account(account: AccountId(7))
    account.sell(trade(seller: OrderId(1)))
    account.buy(trade(buyer: .null))
    #expect(account.bought == 2_500 && account.sold == 2_500 && account.local == 2_500)
    figures.areas = [
      MarketFigures.Area(
        definition: area, samples: result.samples, capacity: 1_000_000, instruments: instruments,
        accounts: [account])
    ]
    let page = MarketPage(figures, name: "a & b", proofs: [])
    check(page.html, figures: 11)
    #expect(page.isProven && page.html.contains("<h1>a &amp; b</h1>"))
    #expect(page.html.contains("1 between orders, 1 local: of readings with an order; 1 order"))
    #expect(page.html.contains("<td class=\"wide\">2.50 kWh</td>"), "the local part of the account")
    let empty = MarketPage(MarketFigures(), name: "nothing", proofs: []).html
    #expect(empty.contains("No order, trade or meter reading is in this period."))
  }

  /// A trade of 2.5 kWh of account 7 with itself, of these orders.
  private func trade(buyer: OrderId = OrderId(1), seller: OrderId = OrderId(2)) -> Trade {
    func party(_ order: OrderId) -> TradeParty {
      TradeParty(
        order: order, account: AccountId(7), session: .exchange, clientOrderId: .engine, fee: .zero,
        leaves: .zero, covered: .zero)
    }
    return Trade(
      trade: TradeId(1), instrument: InstrumentId(1), aggressor: .buy, price: Price(ticks: 1),
      quantity: Energy(wattHours: 2_500), notional: Money(units: 2_500), buyer: party(buyer),
      seller: party(seller))
  }

  @Test("Intervals grow with the time that they cover, and the sums stay.")
  func timeline() {
    let second: UInt64 = 1_000_000_000
    var line = Timeline(from: 1_000_000 * second)
    var series = SampleSeries()
    var traded: Int64 = 0
    // A trade each 7 s for an hour, then one a week later.
    let times = (0..<515).map { 1_000_000 + 7 * UInt64($0) } + [1_604_800]
    for time in times {
      let new = line.covering(time * second)
      series.join(from: line, to: new)
      line = new
      series.advance(to: line.place(of: time * second), on: line) { $0.liveAsks = traded }
      series.present.traded += 10
      traded += 10
    }
    series.advance(to: line.place(of: 1_604_800 * second) + 1, on: line) { $0.liveAsks = traded }
    #expect(series.samples.reduce(0) { $0 + $1.traded } == traded)
    #expect(series.samples.last?.liveAsks == traded && line.seconds == 900)
    #expect(UInt64(series.samples.count) <= Timeline.most + 2)
    for (index, sample) in series.samples.enumerated() {
      #expect(sample.time == line.time(of: UInt64(index)))
    }
  }
}

extension String {
  /// What stands between each `left` and the next `right`.
  fileprivate func components(between left: String, and right: String) -> [String] {
    var found: [String] = []
    var rest = self[...]
    while let start = rest.firstRange(of: left) {
      rest = rest[start.upperBound...]
      guard let end = rest.firstRange(of: right) else { break }
      found.append(String(rest[..<end.lowerBound]))
      rest = rest[end.upperBound...]
    }
    return found
  }
}

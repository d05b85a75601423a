import MarketModel
import Presentation
import Settlement

/// The report on any market: one self-contained HTML page. Equal figures give equal pages.
public struct MarketPage: Sendable {
  /// The most instruments and accounts of an area that the page shows.
  private static let (mostInstruments, mostAccounts) = (12, 100)

  let figures: MarketFigures
  let name: String
  let proofs: [DemoResult.Proof]
  let notes: [String]

  /// A page.
  /// - Parameters:
  ///   - figures: What happened in the period.
  ///   - name: The market's name in the title, such as that of its data folder.
  ///   - proofs: Results of checks of journal and ledger.
  ///   - notes: Sentences for the end of the page.
  public init(
    _ figures: MarketFigures, name: String, proofs: [DemoResult.Proof], notes: [String] = []
  ) {
    (self.figures, self.name, self.proofs, self.notes) = (figures, name, proofs, notes)
  }

  /// Whether all checks passed, those of energy and money included.
  public var isProven: Bool { allProofs.allSatisfy(\.holds) }

  /// The HTML document.
  public var html: String {
    document(
      title: "\(name): Joulebook",
      body: [header, tiles] + figures.areas.flatMap(sections) + [checks, footer])
  }

  /// All checks, those of the figures first.
  public var allProofs: [DemoResult.Proof] {
    let areas = figures.areas.count == 1 ? "1 area" : "\(figures.areas.count) areas"
    let wrong = figures.unconserved.map(\.name).joined(separator: ", ")
    return [
      DemoResult.Proof(
        claim: "Energy is conserved",
        evidence: "produced + imported = consumed + exported + stored + lost in \(areas), from the "
          + "first command of the journal on", holds: figures.isEnergyConserved),
      DemoResult.Proof(
        claim: "Money is conserved",
        evidence: wrong.isEmpty
          ? "deposits less withdrawals = accounts + fees + grid in every currency"
          : "not in \(wrong)", holds: figures.unconserved.isEmpty),
    ] + proofs
  }

  private var period: String {
    guard let first = figures.first, let last = figures.last else { return "no activity" }
    let begin = "\(Format.fullDate(first)) \(Format.timeOfDay(first))"
    return first.date == last.date
      ? "\(begin) to \(Format.timeOfDay(last))"
      : "\(begin) to \(Format.fullDate(last)) \(Format.timeOfDay(last))"
  }

  private var header: String {
    let traded = figures.areas.reduce(0) { $0 + $1.traded }
    let sentence =
      figures.first == nil
      ? "No order, trade or meter reading is in this period."
      : figures.trades == 0
        ? "Nothing was traded in this period."
        : "\(Format.energy(traded)) changed hands in \(Format.count(figures.trades, "trade"))."
    return """
      <header>
      <p class="eyebrow">Joulebook · \(period) · times in UTC</p>
      <h1>\(name.markupEscaped)</h1>
      <p class="lede">\(sentence)</p>
      </header>
      """
  }

  private var tiles: String {
    let energy = figures.areas.reduce(into: EnergyTotals()) { $0 += $1.energy }
    let held = allProofs.count { $0.holds }
    return """
      <div class="tiles">
      \(tile("Trades", Format.count(figures.trades), tradesNote))
      \(tile("Produced", Format.energy(energy.produced),
        readingsNote))
      \(tile("Consumed", Format.energy(energy.consumed),
        energy.consumed == 0
          ? "no consumption was metered"
          : "\(Format.percent(energy.selfSufficiency)) of it not imported"))
      \(tile("Imported", Format.energy(energy.imported), "from the surrounding grids"))
      \(tile("Exported", Format.energy(energy.exported), "to the surrounding grids"))
      \(tile("Checks", "\(held) of \(allProofs.count)", isProven ? "all passed" : "not all passed"))
      </div>
      """
  }

  /// How many readings there were, how many corrections of these, and how many wait for a decision or
  /// waited for one.
  private var readingsNote: String {
    var words = "in \(Format.count(figures.readings, "meter reading"))"
    if figures.corrections > 0 { words += ", \(Format.count(figures.corrections, "correction"))" }
    if figures.quarantined > 0 { words += ", \(Format.count(figures.quarantined)) in quarantine" }
    return words
  }

  /// How many orders there were, and how many trades have an order on one side only.
  private var tradesNote: String {
    let orders = "\(Format.count(figures.orders, "order")) over connections"
    if figures.localTrades == 0 { return orders }
    let matched = figures.trades - figures.localTrades
    let local = Format.count(figures.localTrades)
    return
      "\(Format.count(matched)) between orders, \(local) local: of readings with an order; \(orders)"
  }

  // MARK: An area

  private func sections(_ area: MarketFigures.Area) -> [String] {
    let markets = area.instruments.filter { !$0.samples.isEmpty }.sorted { $0.traded > $1.traded }
    let shown = markets.prefix(Self.mostInstruments)
    let hidden = markets.count - shown.count
    var parts = [heading(area, markets.count)]
    parts += shown.map { section($0, area) }
    if hidden > 0 {
      parts.append("<p class=\"note\">\(hidden) instruments with less trade are not shown.</p>")
    }
    if area.samples.contains(where: { $0.energy != EnergyTotals() }) { parts.append(energy(area)) }
    if !area.accounts.isEmpty { parts.append(accounts(area)) }
    return parts
  }

  private func heading(_ area: MarketFigures.Area, _ markets: Int) -> String {
    let unit = unit(area)
    let code = area.definition.code.text.printable
    return """
      <section id="area-\(area.definition.area.rawValue)">
      <h2>Area \(area.definition.area.rawValue)\(code.isEmpty ? "" : ", \(code.markupEscaped)")</h2>
      <p>At the end of the journal the surrounding grid pays \
      \(unit.short(area.definition.feedInPrice)) \(unit.name) and charges \
      \(unit.short(area.definition.retailPrice)) \(unit.name).\
      \(markets == 0 ? " None of its instruments had an order." : "")</p>
      </section>
      """
  }

  private func unit(_ area: MarketFigures.Area) -> PriceUnit {
    .whole(area.definition.currency.name)
  }

  private func section(
    _ instrument: MarketFigures.Instrument, _ area: MarketFigures.Area
  ) -> String {
    let unit = unit(area)
    let symbol = instrument.definition.symbol.text.printable
    let number = instrument.definition.instrument.rawValue
    let average = Price.average(
      instrument.turnover, for: Energy(wattHours: instrument.traded))
    let sentence =
      average.map {
        "\(Format.energy(instrument.traded)) in \(Format.count(instrument.trades, "trade")), on "
          + "average at \(unit.text(Double($0.ticks))) \(unit.name). A dot is the average of \(interval)."
      } ?? "It had orders, and no trade."
    let data = ChartData(
      samples: instrument.samples, intervalSeconds: figures.intervalSeconds,
      tariff: (area.definition.retailPrice, area.definition.feedInPrice), unit: unit)
    let book = instrument.book
    let overlaps = book.overlap > 0
    let time = figures.last.map { Format.moment($0) } ?? ""
    return """
      <section id="instrument-\(number)">
      <h2>\(symbol.isEmpty ? "Instrument \(number)" : symbol.markupEscaped)</h2>
      <p>Instrument \(number) of area \(area.definition.area.rawValue). \(sentence) The dotted lines \
      are the prices of the grid at the end of the journal.</p>
      \(Legends.price(data))
      \(Legends.spread(data))
      \(Legends.waiting(data))
      \(prices(book, unit))
      \(book.levels.isEmpty
        ? "<p class=\"note\">At the end no order was open.</p>"
        : Legends.depth(
          "Open orders by price, \(time)", BookChart.draw(book, shown: [], unit: unit),
          overlaps: overlaps))
      </section>
      """
  }

  /// The market prices at the end, each of all open orders and of those that could trade.
  private func prices(_ book: DemoResult.BookPicture, _ unit: PriceUnit) -> String {
    if book.levels.isEmpty { return "" }
    func text(_ price: Price?) -> String { price.map { unit.text(Double($0.ticks)) } ?? "none" }
    return """
      <p>At the end the buying price, that of the lowest ask, is \(text(book.publishedAsk)), live \
      \(text(book.liveAsk)); the selling price, that of the highest bid, is \(text(book.publishedBid)), \
      live \(text(book.liveBid)) (\(unit.name)). Live are orders that energy or headroom covers.</p>
      """
  }

  private var interval: String {
    let seconds = figures.intervalSeconds
    let units: [(UInt64, String)] = [(604_800, "week"), (86_400, "day"), (3_600, "hour")]
    for (length, name) in units where seconds.isMultiple(of: length) && seconds > 0 {
      return seconds == length ? "one \(name)" : "\(seconds / length) \(name)s"
    }
    if seconds < 60 { return seconds == 1 ? "one second" : "\(seconds) seconds" }
    return seconds == 60 ? "one minute" : "\(seconds / 60) minutes"
  }

  private func energy(_ area: MarketFigures.Area) -> String {
    // The chart of flows shows the trades of all instruments of the area.
    var samples = area.samples
    for instrument in area.instruments {
      for (index, sample) in instrument.samples.enumerated() where index < samples.count {
        samples[index].traded += sample.traded
      }
    }
    let data = ChartData(
      samples: samples, intervalSeconds: figures.intervalSeconds, capacity: area.capacity,
      unit: unit(area))
    let total = area.energy
    let share =
      total.consumed == 0
      ? ""
      : ": \(Format.percent(total.selfSufficiency, places: 1)) of the consumption was not imported"
    return """
      <section id="energy-\(area.definition.area.rawValue)">
      <h2>Energy of area \(area.definition.area.rawValue)</h2>
      <p>Produced \(Format.energy(total.produced)), consumed \(Format.energy(total.consumed)), imported \
      \(Format.energy(total.imported)), exported \(Format.energy(total.exported))\(share). At the end \
      \(Format.energy(total.heldAtEnd)) are stored. A reading counts for the interval in which it reached \
      the exchange, which may be later than the one that it measures.</p>
      \(Legends.energy(data))
      \(Legends.flows(data))
      \(Legends.storage(data))
      </section>
      """
  }

  private func accounts(_ area: MarketFigures.Area) -> String {
    let shown = area.accounts.prefix(Self.mostAccounts)
    let hidden = area.accounts.count - shown.count
    let rows = shown.map { account in
      let cells: [(String, Bool)] = [
        ("\(account.account.rawValue)", false), (Format.energy(account.bought), false),
        (Format.energy(account.sold), false),
        (account.local == 0 ? "–" : Format.energy(account.local), true),
        (account.fees.decimal, true),
        (Format.energy(account.energy.imported), true),
        (Format.energy(account.energy.exported), true), (amount(account.net), false),
      ]
      return "<tr>" + cells.map { "<td\($1 ? " class=\"wide\"" : "")>\($0)</td>" }.joined()
        + "</tr>"
    }
    return """
      <section id="accounts-\(area.definition.area.rawValue)">
      <h2>Accounts of area \(area.definition.area.rawValue)</h2>
      <table class="many"><caption>The accounts that traded or were metered, those with the largest \
      turnover first. Local is the part of bought and sold that its readings traded with orders of \
      others, before the grid. Net is what was received less what was paid, fees and the grid included, in \
      \(area.definition.currency.name).</caption>
      <tr><th>account</th><th>bought</th><th>sold</th><th class="wide">local</th><th class="wide">fees</th>\
      <th class="wide">imported</th><th class="wide">exported</th><th>net</th></tr>
      \(rows.joined(separator: "\n"))
      </table>
      \(hidden > 0 ? "<p class=\"note\">\(Format.count(hidden)) further accounts are not shown; `joulebook ledger statement` has each.</p>" : "")
      </section>
      """
  }

  /// An amount to hundredths of the currency.
  private func amount(_ money: Money) -> String { Format.money(money, "") }

  // MARK: The end

  private var checks: String {
    """
    <section id="proof">
    <h2>Checks of journal and ledger</h2>
    \(checkList(allProofs))
    </section>
    """
  }

  private var footer: String {
    let numbers =
      "\(Format.count(figures.commands)) commands, \(Format.count(figures.rejects)) of them rejected."
    return """
      <footer>
      \(([numbers] + notes).map { "<p>\($0.markupEscaped)</p>" }.joined(separator: "\n"))
      </footer>
      """
  }
}

import JoulebookClient
import MarketFile
import MarketModel
import Settlement

/// What `joulebook top` knows, and the page that shows it.
struct TopPage {
  /// A trade, as it is shown.
  struct Print {
    var time: Timestamp
    var report: MarketTradeReport
  }

  /// Address of the server.
  let address: String
  /// Whether the page is redrawn until the user ends it.
  let isLive: Bool
  /// The areas and instruments that are shown, by number.
  var areas: [AreaState] = []
  private(set) var instruments: [CreateInstrument] = []
  var states: [InstrumentId: InstrumentState] = [:]
  var books: [AreaId: LevelBook] = [:]
  /// The newest trades, the newest first.
  private(set) var trades: [Print] = []
  private var lastTrade: [InstrumentId: Print] = [:]
  private var status: (report: StatusReport, at: UInt64)?
  private var (commandRate, tradeRate): (Double, Double) = (0, 0)
  /// Time of the exchange at the last message.
  var time: Timestamp?

  private static let mostTrades = 100

  /// A page before anything is known.
  init(address: String, isLive: Bool) { (self.address, self.isLive) = (address, isLive) }

  /// Whether everything that is chosen has been told.
  var isComplete: Bool { status != nil && !books.isEmpty && books.values.allSatisfy(\.isComplete) }

  /// Notes an area, or its changed terms.
  mutating func define(_ area: AreaState) {
    areas.removeAll { $0.definition.area == area.definition.area }
    areas.append(area)
    areas.sort { $0.definition.area < $1.definition.area }
  }

  /// Notes an instrument, or its changed terms.
  mutating func define(_ instrument: CreateInstrument, _ state: InstrumentState) {
    instruments.removeAll { $0.instrument == instrument.instrument }
    instruments.append(instrument)
    instruments.sort { $0.instrument < $1.instrument }
    states[instrument.instrument] = state
  }

  /// Notes a trade.
  mutating func note(_ report: MarketTradeReport, at time: Timestamp) {
    guard instruments.contains(where: { $0.instrument == report.instrument }) else { return }
    let trade = Print(time: time, report: report)
    trades.insert(trade, at: 0)
    if trades.count > Self.mostTrades { trades.removeLast() }
    lastTrade[report.instrument] = trade
  }

  /// Notes the server's counts.
  /// - Parameter now: Monotonic time in ns.
  mutating func note(_ report: StatusReport, at now: UInt64) {
    if let last = status, now > last.at {
      let seconds = Double(now - last.at) / 1e9
      let commands = report.lastSequence.rawValue - last.report.lastSequence.rawValue
      commandRate = Double(commands) / seconds
      tradeRate = Double(report.tradeCount - last.report.tradeCount) / seconds
    }
    status = (report, now)
  }

  // MARK: The page

  /// The lines of the page, at most `rows` of at most `columns` characters.
  func lines(columns: Int, rows: Int) -> [String] {
    var lines =
      isLive
      ? [pad(" joulebook \(address)  \(clock)  q: quit", columns)]
      : ["joulebook \(address)  \(clock)"]
    lines += metrics(columns)
    let room = max(0, rows - lines.count)
    // A third for the trades, the rest for the books, with three lines above each and one below.
    let forTrades = min(trades.count + 2, max(4, room / 3))
    let shown = instruments.count
    let depth = shown == 0 ? 0 : max(1, (room - forTrades) / shown - 4)
    for instrument in instruments { lines += book(instrument, depth: depth) }
    if instruments.isEmpty { lines.append("no instrument: joulebook admin instrument --help") }
    lines += tape(rows - lines.count)
    return lines.prefix(rows).map { String($0.prefix(columns)) }
  }

  private var clock: String {
    guard let time, time < .never else { return "" }
    return time.iso8601.replacing("T", with: " ").replacing("Z", with: " UTC")
  }

  private func metrics(_ columns: Int) -> [String] {
    guard let report = status?.report else { return ["waiting for the server's counts", ""] }
    let waiting = report.lastSequence.rawValue - report.settledSequence.rawValue
    let parts = [
      "commands \(report.lastSequence.rawValue)\(rate(commandRate))",
      "trades \(report.tradeCount)\(rate(tradeRate))",
      "open orders \(report.openOrderCount)", "sessions \(report.connectionCount)",
      "accounts \(report.accountCount)", "meters \(report.meterCount)",
      "settled batches \(report.settledBatch)", "commands not settled \(waiting)",
    ]
    // Wraps between parts.
    var lines = [""]
    for part in parts {
      let last = lines[lines.count - 1]
      let joined = last.isEmpty ? part : last + "  " + part
      if joined.count <= columns || last.isEmpty {
        lines[lines.count - 1] = joined
      } else {
        lines.append(part)
      }
    }
    return lines + [""]
  }

  private func rate(_ value: Double) -> String {
    if !isLive { return "" }
    let tenths = (value * 10).rounded() / 10
    return " (+"
      + (value < 10 && tenths != value.rounded() ? "\(tenths)" : "\(Int(value.rounded()))")
      + "/s)"
  }

  private func book(_ instrument: CreateInstrument, depth: Int) -> [String] {
    let area = areas.first { $0.definition.area == instrument.area }?.definition
    let currency = area.map { $0.currency.name } ?? ""
    let last = lastTrade[instrument.instrument].map {
      "last \($0.report.price.decimal) x \($0.report.quantity.kilowattHours) kWh"
    }
    let state = states[instrument.instrument].map { "\($0)" } ?? ""
    let head = [
      "instrument \(instrument.instrument.rawValue) \(instrument.symbol.text.printable)", state,
      "area \(instrument.area.rawValue)", "\(currency)/kWh",
      last ?? (isLive ? "no trade since this page began" : ""),
      area.map { "grid pays \($0.feedInPrice.decimal), charges \($0.retailPrice.decimal)" } ?? "",
    ]
    let levels = books[instrument.area]?.depth(of: instrument.instrument) ?? []
    let bids = levels.filter { $0.side == .buy }.sorted { $0.price > $1.price }
    let asks = levels.filter { $0.side == .sell }.sorted { $0.price < $1.price }
    var lines = [
      head.filter { !$0.isEmpty }.joined(separator: "  "),
      prices(books[instrument.area]?.prices(of: instrument.instrument) ?? MarketPrices()),
      columns("live", "bids kWh", "bid") + " |" + columns("ask", "asks kWh", "live"),
    ]
    for index in 0..<min(depth, max(1, max(bids.count, asks.count))) {
      let bid = index < bids.count ? bids[index] : nil
      let ask = index < asks.count ? asks[index] : nil
      lines.append(
        columns(bid?.live.kilowattHours, bid?.total.kilowattHours, bid?.price.decimal) + " |"
          + columns(ask?.price.decimal, ask?.total.kilowattHours, ask?.live.kilowattHours))
    }
    let hidden = max(0, bids.count - depth) + max(0, asks.count - depth)
    return lines + [hidden > 0 ? "  \(hidden) further prices" : ""]
  }

  /// The market prices: those of all open orders, and of those that can trade now.
  private func prices(_ prices: MarketPrices) -> String {
    func pair(_ all: Price?, _ live: Price?) -> String {
      guard let all else { return "none" }
      return "\(all.decimal) (live: \(live?.decimal ?? "none"))"
    }
    return "buying price \(pair(prices.buying, prices.liveAsk))  "
      + "selling price \(pair(prices.selling, prices.liveBid))"
  }

  private func columns(_ first: String?, _ second: String?, _ third: String?) -> String {
    [first, second, third].map { pad($0 ?? "", 12, right: true) }.joined()
  }

  private func tape(_ room: Int) -> [String] {
    guard room >= 2, isLive else { return [] }
    if trades.isEmpty { return ["trades: none since this page began"] }
    return ["trades"]
      + trades.prefix(room - 1).map { trade in
        let symbol = instruments.first { $0.instrument == trade.report.instrument }?.symbol.text
          .printable
        let time = trade.time.iso8601.dropFirst(11).dropLast()
        return "  \(time)  \(pad(symbol ?? "", 16))"
          + pad(trade.report.price.decimal, 10, right: true)
          + pad(trade.report.quantity.kilowattHours, 14, right: true)
          + " kWh  \(trade.report.aggressor == .buy ? "bought" : "sold")"
          + (trade.report.isLocal ? "  local" : "")
      }
  }

  private func pad(_ text: String, _ width: Int, right: Bool = false) -> String {
    let blanks = String(repeating: " ", count: max(0, width - text.count))
    return right ? blanks + text : text + blanks
  }
}

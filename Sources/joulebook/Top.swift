import ArgumentParser
import Foundation
import JoulebookClient
import MarketModel

/// `joulebook top`.
struct Top: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the live book, the trades and the counts of a running exchange.",
    discussion: """
      On a terminal the page is redrawn four times a second, in the size of the terminal; q ends it. \
      Without one, it is printed once. Quantities are in kWh: of all open orders at a price, and of \
      those that can trade now (live). The buying price is the lowest ask, the selling price the highest bid of \
      all open orders; each with the best price that can trade now. Trades that a meter reading made without an order are \
      marked local. Trades and rates are those since the page began; a single page has none.

        joulebook top --data my-exchange
        joulebook top --instrument 1 --instrument 2
        joulebook top --data my-exchange | head

      The page holds its session as long as it runs, so that `joulebook admin` waits for the \
      operator's. Give a page that stays open a session of its own; every role sees the market:

        joulebook admin keygen top.key
        joulebook admin session 99 --participant 1 --role dropCopy \\
          --public-key top.pub
        joulebook top --session 99 --key top.key
      """)

  @OptionGroup var server: OperatorConnection
  @Option(name: .long, help: "Only this area (number). Repeatable.") var area: [UInt16] = []
  @Option(name: .long, help: "Only this instrument (number). Repeatable.")
  var instrument: [UInt32] = []

  /// Longest wait for the answers that the first page needs, in ns.
  private static let patience: UInt64 = 10_000_000_000
  /// Time between two pages, and between two requests of the counts, in ns.
  private static let (redraw, sample): (UInt64, UInt64) = (250_000_000, 1_000_000_000)

  func run() throws {
    var page = TopPage(address: server.connect, isLive: TerminalScreen.isThere)
    let missing = Missing()
    try server.converse { client throws(ClientError) in
      try begin(client, &page)
      missing.text = unknown(in: page)
      guard missing.text == nil else { return }
      guard let screen = TerminalScreen() else {
        print(page.lines(columns: 120, rows: 200).joined(separator: "\n"))
        return
      }
      defer { screen.end() }
      try show(client, &page, screen)
    }
    if let text = missing.text { throw Failure.noInput.exit(text) }
  }

  /// What the session's closure found that ends the command.
  private final class Missing { var text: String? }

  /// The first chosen number that names nothing.
  private func unknown(in page: TopPage) -> String? {
    for number in area where !page.areas.contains(where: { $0.definition.area.rawValue == number })
    {
      return "there is no area \(number); see `joulebook admin list areas`"
    }
    for number in instrument
    where !page.instruments.contains(where: { $0.instrument.rawValue == number }) {
      return "there is no instrument \(number)\(area.isEmpty ? "" : " in the chosen areas"); see "
        + "`joulebook admin list instruments`"
    }
    return nil
  }

  /// Learns what there is, subscribes to the chosen areas, and waits for their books.
  private func begin(_ client: Client, _ page: inout TopPage) throws(ClientError) {
    try client.requestReferenceData()
    try client.requestStatus()
    let end = Client.monotonicNow() + Self.patience
    var isKnown = false
    while !isKnown {
      let message = try next(client, end)
      if case .referenceDataEnd = message.event { isKnown = true } else { note(message, &page) }
    }
    choose(&page)
    guard unknown(in: page) == nil else { return }
    for area in page.areas {
      page.books[area.definition.area] = LevelBook(area: area.definition.area)
      try client.subscribe(to: area.definition.area, snapshot: .levels)
    }
    while !page.isComplete, !page.books.isEmpty { try take(try next(client, end), client, &page) }
  }

  private func next(_ client: Client, _ end: UInt64) throws(ClientError) -> ClientMessage {
    while Client.monotonicNow() < end {
      if let message = try client.poll(timeoutMilliseconds: 100) { return message }
    }
    throw .timedOut
  }

  /// Removes areas without a chosen instrument.
  private func choose(_ page: inout TopPage) {
    guard !instrument.isEmpty, area.isEmpty else { return }
    let used = Set(page.instruments.map(\.area))
    page.areas.removeAll { !used.contains($0.definition.area) }
  }

  /// Redraws until the user ends it.
  private func show(
    _ client: Client, _ page: inout TopPage, _ screen: TerminalScreen
  ) throws(ClientError) {
    var (nextPage, nextSample): (UInt64, UInt64) = (0, 0)
    var size = screen.size
    while screen.input() == .none {
      let now = Client.monotonicNow()
      if now >= nextSample {
        try client.requestStatus()
        nextSample = now + Self.sample
      }
      let present = screen.size
      if now >= nextPage || present != size {
        size = present
        screen.draw(page.lines(columns: size.columns, rows: size.rows))
        nextPage = now + Self.redraw
      }
      var wait: Int32 = 50
      while let message = try client.poll(timeoutMilliseconds: wait) {
        try take(message, client, &page)
        wait = 0
        if Client.monotonicNow() >= nextPage { break }
      }
    }
  }

  private func take(
    _ message: ClientMessage, _ client: Client, _ page: inout TopPage
  ) throws(ClientError) {
    note(message, &page)
    for area in page.books.keys {
      guard case .gap = page.books[area]?.take(message) else { continue }
      page.books[area] = LevelBook(area: area)
      try client.subscribe(to: area, snapshot: .levels)
    }
  }

  private func note(_ message: ClientMessage, _ page: inout TopPage) {
    if message.time < .never, message.time.nanoseconds > 0 { page.time = message.time }
    switch message.event {
    case .area(let state, _):
      if area.isEmpty || area.contains(state.definition.area.rawValue) { page.define(state) }
    case .instrument(let definition, let state, _):
      guard area.isEmpty || area.contains(definition.area.rawValue),
        instrument.isEmpty || instrument.contains(definition.instrument.rawValue)
      else { return }
      page.define(definition, state)
    case .stateChanged(let instrument, let state, _): page.states[instrument] = state
    case .levels(let report): page.states[report.instrument] = report.state
    case .marketTrade(let trade): page.note(trade, at: message.time)
    case .status(let report): page.note(report, at: Client.monotonicNow())
    default: break
    }
  }
}

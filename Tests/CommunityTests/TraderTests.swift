import MarketModel
import Presentation
import Testing

@testable import Community

@Suite("Traders")
struct TraderTests {
  @Test("A zero-intelligence bot never offers to trade at a loss against its value.")
  func zeroIntelligenceKeepsItsBudget() throws {
    let model = try CommunityModel.simbench()
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed, stream: 0)
    var offers = 0
    for index in model.customers.indices.prefix(60) {
      let value = Price(ticks: random.price(in: 8_000...32_000, tick: 10))
      let cap = model.cap(of: index)
      let orders = AccountOrders(
        account: Population.account(index), instrument: Population.instrument, cap: cap,
        terms: model.terms)
      var bot = ZeroIntelligenceTrader(
        name: "zi", orders: orders, customer: model.customers[index], value: value,
        random: SeededRandom(seed: seed, stream: UInt64(index)))
      for interval in 0..<96 {
        let held = Energy(wattHours: Int64.random(in: 0...cap.wattHours, using: &random))
        bot.receive(.balance(Population.account(index), energy: held, cap: cap, free: .zero))
        for case .enter(let order) in bot.act(
          in: MarketView(interval: interval, intervalsPerDay: 96))
        {
          offers += 1
          let fair = order.side == .buy ? order.price <= value : order.price >= value
          #expect(fair, "seed \(seed): \(order.side) at \(order.price.ticks), value \(value.ticks)")
        }
      }
    }
    #expect(offers > 1_000)
  }

  @Test("A replace adds the executed quantity to the desired open quantity.")
  func replaceCountsWhatExecuted() throws {
    let account = AccountId(1)
    var orders = AccountOrders(
      account: account, instrument: InstrumentId(1), cap: Energy(wattHours: 2_000),
      terms: .european)
    orders.receive(
      .accepted(
        account, ClientOrderId(1), OrderId(9), .sell, Price(ticks: 10_000),
        quantity: Energy(wattHours: 500)))
    orders.receive(
      .traded(
        account, OrderId(9), .sell, Price(ticks: 10_000), quantity: Energy(wattHours: 200),
        leaves: Energy(wattHours: 300)))
    let order = try #require(orders.open.first)
    let commands = orders.replace(
      order, price: Price(ticks: 11_000), leaves: Energy(wattHours: 100))
    guard case .replace(let change)? = commands.first else {
      Issue.record("no replace")
      return
    }
    #expect(change.quantity == Energy(wattHours: 300))
    #expect(change.price == Price(ticks: 11_000))
  }

  @Test("Most customers leave instructions; at least ten have bots; the village has both brokers.")
  func population() throws {
    for model in [try CommunityModel.simbench(), try CommunityModel.fontana()] {
      let population = Population(of: model, seed: 3)
      let count = { (behaviour: Behaviour) in
        population.behaviours.count { $0 == behaviour }
      }
      #expect(count(.zeroIntelligence) >= 10)
      let accounts = population.traders.flatMap(\.accounts) + population.instructions.map(\.account)
      #expect(Set(accounts).count == model.customers.count)
      #expect(accounts.count == model.customers.count)
    }
    let village = Population(of: try CommunityModel.simbench(), seed: 3)
    #expect(village.behaviours.contains(.patientBroker))
    #expect(village.behaviours.contains(.eagerBroker))
    #expect(village.instructions.count * 2 > village.behaviours.count)
  }
}

@Suite("The report")
struct ReportTests {
  @Test(
    "The page is self-contained, suits phones and dark mode, and shows the figures.")
  func structure() throws {
    let result = Simulation(of: try CommunityModel.fontana(), seed: 2).result
    let html = ReportPage(result).html
    for part in [
      "name=\"viewport\"", "prefers-color-scheme: dark", "id=\"price\"", "id=\"book\"",
      "id=\"waiting\"", "id=\"energy\"", "id=\"self-sufficiency\"", "id=\"money\"", "id=\"speed\"",
      "id=\"proof\"", "MIT licence",
    ] { #expect(html.contains(part), "\(part)") }
    for outside in ["<script src", "<link", "@import", "<img"] { #expect(!html.contains(outside)) }
    for figure in [
      Format.percent(result.energy.selfSufficiency, places: 1),
      Format.percent(result.alone.selfSufficiency, places: 1),
      Format.energy(result.tradedWattHours), Format.count(result.run.trades),
      Format.money(result.saved, "$"), Format.energy(result.energy.imported),
      Format.energy(result.energy.exported),
    ] { #expect(html.contains(figure), "\(figure)") }
    for proof in result.proofs { #expect(html.contains(proof.evidence.markupEscaped)) }
    #expect(!html.contains("nan") && !html.contains("inf\""))
  }

  @Test("A proof that does not hold is shown as a cross, not hidden.")
  func brokenProofShows() throws {
    var result = Simulation(of: try CommunityModel.fontana().first(days: 1), seed: 2).result
    result.proofs[0].holds = false
    #expect(ReportPage(result).html.contains("aria-label=\"does not hold\""))
    #expect(TerminalSummary(result).text.contains("✗"))
    #expect(!result.isProven)
  }

  @Test("The overlap of a book is the quantity that could trade if all orders were covered.")
  func overlapByHand() {
    var levels = [10, 12, 14].map { DemoResult.BookPicture.Level(price: Price(ticks: $0)) }
    levels[0].waitingAsks = 500
    levels[1].liveBids = 100
    levels[1].liveAsks = 50
    levels[2].waitingBids = 200
    let book = DemoResult.BookPicture(time: Timestamp(nanoseconds: 0), levels: levels)
    #expect(book.overlap == 300)
    #expect(book.publishedBid == Price(ticks: 14))
    #expect(book.publishedAsk == Price(ticks: 10))
  }

  @Test(
    "Figures read as a person writes them.",
    arguments: [
      (Format.energy(640), "640 Wh"), (Format.energy(4_220_000), "4.22 MWh"),
      (Format.money(Money(units: -120_000_000), "€"), "−€1.20"), (Format.count(12_345), "12,345"),
      (Format.percent(0.528), "53 %"), (Format.duration(nanoseconds: 84_000), "84 µs"),
      (Format.moment(Timestamp(nanoseconds: 1_465_776_000_000_000_000)), "Mon 13 June 00:00"),
    ])
  func formats(got: String, expected: String) { #expect(got == expected) }

  @Test("The same model and seed give the same events; another seed gives others.")
  func simulationRepeats() throws {
    let homes = try CommunityModel.fontana().first(days: 2)
    #expect(Simulation(of: homes, seed: 5).eventHash == Simulation(of: homes, seed: 5).eventHash)
    #expect(Simulation(of: homes, seed: 5).eventHash != Simulation(of: homes, seed: 6).eventHash)
  }
}

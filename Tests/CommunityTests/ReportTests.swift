import MarketModel
import Presentation
import Testing

@testable import Community

@Suite("The report")
struct ReportTests {
  @Test(
    "The page is self-contained, suits phones and dark mode, and shows the figures.")
  func structure() throws {
    let result = Simulation(of: try CommunityModel.fontana(), seed: 2).result
    let html = ReportPage(result).html
    for part in [
      "name=\"viewport\"", "prefers-color-scheme: dark", "id=\"ways\"", "id=\"price\"",
      "id=\"book\"",
      "id=\"waiting\"", "id=\"energy\"", "id=\"self-sufficiency\"", "id=\"money\"", "id=\"speed\"",
      "id=\"proof\"", "MIT licence",
    ] { #expect(html.contains(part), "\(part)") }
    for outside in ["<script src", "<link", "@import", "<img"] { #expect(!html.contains(outside)) }
    for figure in [
      Format.percent(result.energy.selfSufficiency, places: 1),
      Format.percent(result.alone.selfSufficiency, places: 1),
      Format.energy(result.tradedWattHours), Format.count(result.run.trades),
      Format.money(result.saved, "$"), Format.energy(result.energy.imported),
      Format.energy(result.energy.exported), Format.money(result.fees, "$"),
      Format.energy(result.run.localWattHours), Format.energy(result.setting.battery.wattHours),
      Format.percent(result.baselines.netted.total.selfSufficiency, places: 1),
      Format.percent(result.baselines.shared.total.selfSufficiency, places: 1),
      Format.money(result.baselines.shared.cost, "$"),
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

  @Test("One day is no days; what a comparison shows that surprises is explained.")
  func words() throws {
    let model = try CommunityModel.fontana().first(days: 1)
    var result = Simulation(of: model, seed: 2).result
    #expect(TerminalSummary(result).text.contains("17 homes in Fontana, 1 day\n"))
    #expect(!ReportPage(result).html.contains("1 days"))
    #expect(!ReportPage(result).html.contains("Netted it would have imported"))
    result.energy.imported = result.baselines.netted.total.imported + 1_500
    #expect(ReportPage(result).html.contains("Netted it would have imported 1.50 kWh less"))
    for index in result.customers.indices { result.customers[index].importCost = .zero }
    #expect(!ReportPage(result).html.contains("These lost"))
    result.customers[0].importCost = Money(units: 1_000_000_000_000)
    #expect(ReportPage(result).html.contains("16 of 17 customers paid less"))
    #expect(ReportPage(result).html.contains("These lost $9,"))
  }

  @Test("A village has as many customers as its title says, the charging station included.")
  func title() throws {
    let village = try CommunityModel.simbench()
    #expect(village.title == "A village of \(village.customers.count) customers")
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

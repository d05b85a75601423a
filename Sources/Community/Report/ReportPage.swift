import MarketModel
import Presentation

/// The report of a run: one self-contained HTML page with a light and a dark colour scheme. Equal
/// results give equal pages.
public struct ReportPage: Sendable {
  let result: DemoResult

  /// The page of `result`.
  public init(_ result: DemoResult) { self.result = result }

  /// The HTML document.
  public var html: String {
    document(
      title: "\(result.setting.title): Joulebook",
      body: [
        header, tiles, waysSection, priceSection, bookSection, waitingSection, energySection,
        sufficiencySection, moneySection, speedSection, proofSection, footer,
      ])
  }

  var setting: DemoResult.Setting { result.setting }
  var sign: String { setting.terms.currencySign }

  /// First and last day, such as "6 June to 12 June 2016".
  var period: String {
    let last = setting.start.nanoseconds + UInt64(setting.days - 1) * 86_400_000_000_000
    let end = Format.fullDate(Timestamp(nanoseconds: last))
    return setting.days == 1 ? end : "\(Format.day(setting.start).date) to \(end)"
  }

  private var header: String {
    let days = setting.days == 1 ? "a day" : setting.days == 7 ? "a week" : "\(setting.days) days"
    let with = Format.percent(result.energy.selfSufficiency, places: 1)
    let without = Format.percent(result.alone.selfSufficiency, places: 1)
    let shared = Format.percent(result.baselines.shared.total.selfSufficiency, places: 1)
    return """
      <header>
      <p class="eyebrow">Joulebook · \(period) · times in UTC</p>
      <h1>\(setting.title.markupEscaped): \(days) of trading solar energy</h1>
      <p class="lede">\(Format.count(setting.roofs, "roof")) produced \
      \(Format.energy(result.energy.produced)). With the market the customers covered \
      <b>\(with)</b> of their consumption from these roofs and their storage. Without it, each with \
      the same roof and storage on its own, they would have covered <b>\(without)</b>, and with one \
      shared battery <b>\(shared)</b>: both are computed from the same readings.</p>
      <p class="soft">\(setting.story.markupEscaped)</p>
      </header>
      """
  }

  private var tiles: String {
    let average =
      result.tradedWattHours == 0
      ? "–" : Format.cents(Double(result.turnover.units) / Double(result.tradedWattHours)) + " ct"
    let held = result.proofs.count { $0.holds }
    return """
      <div class="tiles">
      \(tile("Self-sufficiency", Format.percent(result.energy.selfSufficiency, places: 1),
        sufficiencyNote))
      \(tile("Traded in the community", Format.energy(result.tradedWattHours),
        "in \(Format.count(result.run.trades, "trade"))"))
      \(tile("Average price per kWh", average,
        "grid pays \(Format.price(setting.terms.feedIn, places: 0)), charges \(Format.price(setting.terms.retail, places: 0))"))
      \(tile("Saved together", Format.money(result.saved, sign),
        "\(result.customers.count { $0.saving > .zero }) of \(result.customers.count) customers pay less"))
      \(latencyTile)
      \(tile("Checks", "\(held) of \(result.proofs.count)", result.isProven ? "all passed" : "not all passed"))
      </div>
      """
  }

  private var sufficiencyNote: String {
    let alone = Format.percent(result.alone.selfSufficiency, places: 1)
    let shared = Format.percent(result.baselines.shared.total.selfSufficiency, places: 1)
    return "\(alone) without the market, \(shared) with one battery"
  }

  /// The latency of orders, or their number in a run without connections.
  private var latencyTile: String {
    guard result.latency.count > 0 else {
      return tile("Orders", Format.count(result.run.orders), "in process, latency not measured")
    }
    return tile(
      "Order to report, median", Format.duration(nanoseconds: result.latency.p50),
      "99 % within \(Format.duration(nanoseconds: result.latency.p99)), durable on disk")
  }
}

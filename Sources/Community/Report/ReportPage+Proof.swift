import MarketModel
import Presentation

// The sections on money, speed and checks, and the footer.
extension ReportPage {
  var moneySection: String {
    let better = result.customers.count { $0.saving > .zero }
    return """
      <section id="money">
      <h2>Money by household</h2>
      <p>\(better) of \(result.customers.count) customers paid less or earned more than without the \
      market, \(result.losers) paid more. \(loserWords)All customers together saved \(Format.money(result.saved, sign)). What is stored at the end \
      has no value in these sums: \(Format.energy(result.energy.heldAtEnd)) with the market, \
      \(Format.energy(result.alone.heldAtEnd)) without. Each column is one customer.</p>
      \(figure("Saved by the market, \(sign) over \(Format.count(setting.days, "day"))", [
        (fill("ask"), "house with a roof"), (fill("bid"), "house"), (fill("trade"), "business"),
        (fill("overlap-ink"), "charging station"),
      ], CompareCharts.savings(result)))
      \(bill)
      </section>
      """
  }

  /// Why customers paid more than alone; empty when none did.
  private var loserWords: String {
    let losers = zip(result.customers, result.baselines.alone.customers).filter {
      $0.0.saving < .zero
    }
    if losers.isEmpty { return "" }
    let lost = Money(units: losers.reduce(0) { $0 - $1.0.saving.units })
    let stored = losers.count { $0.0.energy.heldAtEnd > $0.1.heldAtEnd }
    let others = losers.count - stored
    let holds =
      "\(stored) of them \(stored == 1 ? "has" : "have") more in store at the end than alone. "
    let sold =
      "\(stored == 0 ? "They" : others == 1 ? "The other one" : "The other \(others)") sold what was "
      + "lacking later, or bought what was not needed, since nobody knows the coming day; fees come "
      + "on top. "
    return "These lost \(Format.money(lost, sign)) together. \(stored == 0 ? "" : holds)"
      + "\(others == 0 ? "" : sold)"
  }

  private var bill: String {
    guard let home = result.typicalHousehold else { return "" }
    let money = { (amount: Money) in Format.money(amount, sign) }
    let negative = { (amount: Money) in Format.money(Money(units: -amount.units), sign) }
    return """
      <h3>A typical household’s bill</h3>
      <table><caption>\(home.name.markupEscaped), the household with the median net cost. It \
      consumed \(Format.energy(home.energy.consumed))\
      \(home.hasRoof ? " and produced \(Format.energy(home.energy.produced))" : "").</caption>
      <tr><th></th><th>energy</th><th>amount</th></tr>
      <tr><td>Bought from other customers</td><td>\(Format.energy(home.bought))</td><td>\(money(home.paid))</td></tr>
      <tr><td>Sold to other customers</td><td>\(Format.energy(home.sold))</td><td>\(negative(home.received))</td></tr>
      <tr><td>Trading fees</td><td></td><td>\(money(home.fees))</td></tr>
      <tr><td>Imported from the grid</td><td>\(Format.energy(home.energy.imported))</td><td>\(money(home.importCost))</td></tr>
      <tr><td>Exported to the grid</td><td>\(Format.energy(home.energy.exported))</td><td>\(negative(home.exportRevenue))</td></tr>
      <tr><td>Stored at the end</td><td>\(Format.energy(home.energy.heldAtEnd))</td><td></td></tr>
      <tr class="sum"><td>To pay</td><td></td><td>\(money(home.net))</td></tr>
      <tr class="sum second"><td>Without the market</td><td></td><td>\(money(home.aloneNet))</td></tr>
      </table>
      """
  }

  var speedSection: String {
    let latency = result.latency
    let rows = [
      ("50 % within", latency.p50), ("90 % within", latency.p90), ("99 % within", latency.p99),
      ("99.9 % within", latency.p999), ("maximum", latency.max),
    ].map { name, value in
      "<tr><td>\(name)</td><td>\(Format.duration(nanoseconds: value))</td></tr>"
    }
    return """
      <section id="speed">
      <h2>Speed</h2>
      <div class="two">
      <div><table><caption>Time from sending an order over TCP to its first report, of \
      \(Format.count(latency.count)) orders. Server and bots were in one process. A report is sent only when its command is on \
      disk.</caption>
      \(rows.joined(separator: "\n"))
      </table></div>
      <div><table><caption>Totals of a run of \(Format.decimal(result.run.seconds, 1)) s.</caption>
      \(countRows)
      </table></div>
      </div>
      </section>
      """
  }

  private var countRows: String {
    let run = result.run
    return [
      ("commands in the journal", Format.count(run.commands)),
      ("signed meter readings", Format.count(run.readings)),
      ("orders over \(run.connections) connections", Format.count(run.orders)),
      ("replaces and cancels", Format.count(run.changes)),
      ("standing instructions set", Format.count(run.instructions)),
      ("orders by standing instruction", Format.count(run.instructedOrders)),
      ("trades", Format.count(run.trades)),
      ("rejected commands", Format.count(run.rejects)),
      ("ledger transfers in \(Format.count(run.batches)) batches", Format.count(run.transfers)),
      ("commands per second on replay", Format.count(Int(run.replayCommandsPerSecond))),
    ].map { "<tr><td>\($0)</td><td>\($1)</td></tr>" }.joined(separator: "\n")
  }

  var proofSection: String {
    """
    <section id="proof">
    <h2>Checks after the run</h2>
    \(checkList(result.proofs))
    </section>
    """
  }

  var footer: String {
    let behaviours = Behaviour.allCases.compactMap { behaviour in
      setting.behaviours[behaviour].map { "\($0) \(behaviour.words)" }
    }
    return """
      <footer>
      <p>\(setting.customers) customers: \(behaviours.joined(separator: ", ")). Default storage cap \
      \(Format.energy(setting.terms.defaultCap.wattHours)), \
      \(Format.energy(setting.capacity.wattHours)) in total. Seed \(setting.seed).</p>
      <p>\(setting.attribution.markupEscaped)</p>
      <p>The figures were computed from the journal of this run, but for the latencies, which the bots \
      measured, and for those without the market, which follow from the data and the tariff. Times are \
      those of the data set; the exchange takes them for UTC.</p>
      </footer>
      """
  }
}

extension Behaviour {
  /// The behaviour in the footer's list of customers.
  fileprivate var words: String {
    switch self {
    case .standing: "with a standing instruction"
    case .zeroIntelligence: "with a zero-intelligence bot"
    case .planned: "in the cooperative"
    case .patientBroker: "with the patient broker"
    case .eagerBroker: "with the eager broker"
    case .lender: "without orders, whose storage is a part of the battery"
    case .station: "charging station"
    }
  }
}

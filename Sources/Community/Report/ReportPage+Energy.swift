import MarketModel
import Presentation

// The sections on energy flows and self-sufficiency.
extension ReportPage {
  var energySection: String {
    """
    <section id="energy">
    <h2>Energy flows</h2>
    <table><caption>\(setting.title.markupEscaped), \(period)</caption>
    <tr><th></th><th>with the market</th><th>without it</th></tr>
    \(row("Produced", \.produced))
    \(row("Consumed", \.consumed))
    <tr><td>Traded</td><td>\(Format.energy(result.tradedWattHours))</td><td>–</td></tr>
    \(row("Imported", \.imported))
    \(row("Exported", \.exported))
    \(row("Stored at the end", \.heldAtEnd))
    </table>
    <h3>Use of the production</h3>
    <p class="legend">\(legend([
      (fill("trade"), "used"), (fill("trade-soft"), "stored at the end"),
      (fill("ask-soft"), "exported"),
    ]))</p>
    <div class="bars">\(producedBar("market", result.energy))\(producedBar("alone", result.alone))</div>
    <h3>Sources of the consumption</h3>
    <p class="legend">\(legend([
      (fill("trade"), "the community’s roofs"), (fill("grid-soft"), "imported"),
    ]))</p>
    <div class="bars">\(consumedBar("market", result.energy))\(consumedBar("alone", result.alone))</div>
    \(Legends.energy(result.charts))
    \(Legends.flows(result.charts))
    \(Legends.storage(result.charts))
    </section>
    """
  }

  private func row(_ name: String, _ figure: KeyPath<EnergyTotals, Int64>) -> String {
    """
    <tr><td>\(name)</td><td>\(Format.energy(result.energy[keyPath: figure]))</td>\
    <td>\(Format.energy(result.alone[keyPath: figure]))</td></tr>
    """
  }

  private func producedBar(_ name: String, _ totals: EnergyTotals) -> String {
    let used = totals.produced - totals.exported - totals.heldAtEnd
    return bar(
      name, of: totals.produced,
      [
        ("own", used, "used"), ("held", totals.heldAtEnd, "stored"),
        ("out", totals.exported, "exported"),
      ])
  }

  private func consumedBar(_ name: String, _ totals: EnergyTotals) -> String {
    bar(
      name, of: totals.consumed,
      [
        ("own", totals.consumed - totals.imported, "own roofs"),
        ("in", totals.imported, "imported"),
      ])
  }

  /// A bar whose parts are as wide as their shares of `whole`.
  private func bar(
    _ name: String, of whole: Int64, _ parts: [(style: String, amount: Int64, word: String)]
  ) -> String {
    let label = name == "market" ? "with the market" : "without the market"
    let spans = parts.filter { $0.amount > 0 }.map { part in
      let share = Double(part.amount) / Double(max(1, whole))
      let text = "\(part.word) \(Format.energy(part.amount))"
      let shown = share > 0.12 ? text : ""
      return """
        <span class="\(part.style)" style="width:\(Format.decimal(share * 100, 2))%" \
        title="\(text)">\(shown)</span>
        """
    }
    let words = parts.map { "\($0.word) \(Format.energy($0.amount))" }.joined(separator: ", ")
    return """
      <span>\(label)</span><div class="bar" role="img" aria-label="\(label): \(words)">\
      \(spans.joined())</div>
      """
  }

  var sufficiencySection: String {
    let imports = result.alone.imported - result.energy.imported
    return """
      <section id="self-sufficiency">
      <h2>Self-sufficiency, with and without the market</h2>
      <div class="two">
      <div><p class="big">\(Format.percent(result.energy.selfSufficiency, places: 1))</p>
      <p>of the consumption came from the community’s own roofs with the market.</p></div>
      <div><p class="big">\(Format.percent(result.alone.selfSufficiency, places: 1))</p>
      <p>without the market, with the same roofs and storage caps.</p></div>
      </div>
      <p>With the market, \(Format.energy(abs(imports))) \(imports < 0 ? "more" : "less") came from the \
      surrounding grid.</p>
      \(figure("Share of the day’s consumption not imported", [
        (fill("grid", isFaint: true), "without the market"), (fill("trade"), "with the market"),
      ], CompareCharts.sufficiency(result)))
      </section>
      """
  }
}

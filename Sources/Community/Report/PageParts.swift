import Presentation

// Parts that the pages of the demonstration and of any market have in common.

/// A whole HTML document without anything from outside.
func document(title: String, body: [String]) -> String {
  """
  <!DOCTYPE html>
  <html lang="en">
  <head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>\(title.markupEscaped)</title>
  <style>\(ReportStyle.css)</style>
  </head>
  <body>
  \(ReportStyle.hatchings)
  <main>
  \(body.joined(separator: "\n"))
  </main>
  </body>
  </html>

  """
}

/// A number with its name and a note.
func tile(_ name: String, _ value: String, _ note: String) -> String {
  """
  <div class="tile"><span>\(name.markupEscaped)</span><b>\(value.markupEscaped)</b>\
  <span>\(note.markupEscaped)</span></div>
  """
}

/// A sample of a colour, and what it means.
typealias LegendKey = (style: String, name: String)

/// A chart with its title and legend.
func figure(_ title: String, _ keys: [LegendKey], _ chart: String) -> String {
  """
  <figure><figcaption><b>\(title.markupEscaped)</b>\(legend(keys))</figcaption>
  \(chart)</figure>
  """
}

/// The samples of a legend in a row.
func legend(_ keys: [LegendKey]) -> String {
  keys.map { "<span class=\"key\">\($0.style)\($0.name.markupEscaped)</span>" }.joined()
}

/// A filled sample for a legend.
/// - Parameters:
///   - color: A variable of the style sheet.
///   - edge: The variable of the line around it, if there is one.
///   - isFaint: Whether the chart draws it half transparent.
func fill(_ color: String, edge: String? = nil, isFaint: Bool = false) -> String {
  let line = edge.map { ";box-shadow:inset 0 0 0 1px var(--\($0))" } ?? ""
  return "<i style=\"background:var(--\(color))\(line)\(isFaint ? ";opacity:.55" : "")\"></i>"
}

/// A line sample for a legend.
func stroke(_ color: String, dashed: Bool = false) -> String {
  let dash = dashed ? ";border-top-style:dashed" : ""
  return "<i class=\"stroke\" style=\"border-color:var(--\(color))\(dash)\"></i>"
}

/// A hatched sample for a legend: `ask` or `bid`.
func hatch(_ side: String) -> String { "<i class=\"hatch-\(side)\"></i>" }

/// The results of checks, as a list.
func checkList(_ proofs: [DemoResult.Proof]) -> String {
  let items = proofs.map { proof in
    let mark =
      proof.holds
      ? "<svg class=\"yes\" viewBox=\"0 0 20 20\" role=\"img\" aria-label=\"holds\"><path d=\"M3 10.5l4.5 4.5L17 5\"/></svg>"
      : "<svg class=\"no\" viewBox=\"0 0 20 20\" role=\"img\" aria-label=\"does not hold\"><path d=\"M4 4l12 12M16 4L4 16\"/></svg>"
    return """
      <li>\(mark)<div><b>\(proof.claim.markupEscaped)</b>\
      <span>\(proof.evidence.markupEscaped)</span></div></li>
      """
  }
  return "<ul class=\"proofs\">\n\(items.joined(separator: "\n"))\n</ul>"
}

/// The legends of the charts over time, which name every colour that the charts draw.
enum Legends {
  /// Adds the shading of the nights, where the chart has it.
  private static func keys(_ data: ChartData, _ keys: [LegendKey]) -> [LegendKey] {
    keys + (data.hasNights ? [(fill("night"), "nothing produced")] : [])
  }

  static func price(_ data: ChartData) -> String {
    figure(
      "Price",
      keys(
        data,
        [
          (stroke("trade"), "trades"),
          (fill("trade-soft", isFaint: true), "spread of the live book"),
        ]), TimeCharts.price(data))
  }

  static func spread(_ data: ChartData) -> String {
    figure(
      "Spread: best ask minus best bid",
      keys(
        data,
        [
          (stroke("trade"), "live book"), (stroke("overlap-ink"), "published book"),
          (fill("overlap"), "published book overlaps"),
        ]), TimeCharts.spread(data))
  }

  static func waiting(_ data: ChartData) -> String {
    figure(
      "Open asks above, open bids below",
      keys(
        data,
        [
          (fill("ask"), "live asks"), (hatch("ask"), "waiting for energy"),
          (fill("bid"), "live bids"), (hatch("bid"), "waiting for headroom"),
        ]), TimeCharts.waiting(data))
  }

  static func energy(_ data: ChartData) -> String {
    figure(
      "Production and consumption",
      keys(data, [(fill("sun"), "produced"), (stroke("ink"), "consumed")]),
      TimeCharts.energy(data))
  }

  static func flows(_ data: ChartData) -> String {
    figure(
      "Traded and imported above, exported below",
      keys(
        data,
        [
          (stroke("trade"), "traded"), (fill("grid-soft", edge: "grid"), "imported"),
          (fill("ask-soft", edge: "ask"), "exported"),
        ]), TimeCharts.flows(data))
  }

  static func storage(_ data: ChartData) -> String {
    var keys: [LegendKey] = [
      (
        fill("trade-soft", edge: "trade", isFaint: true),
        data.hasAlone ? "with the market" : "stored"
      )
    ]
    if data.hasAlone { keys.append((stroke("grid", dashed: true), "without the market")) }
    return figure(
      "Energy in the shared storage", Self.keys(data, keys), TimeCharts.storage(data))
  }

  static func depth(_ title: String, _ chart: String, overlaps: Bool) -> String {
    let keys: [LegendKey] = [
      (fill("bid"), "live bids"), (hatch("bid"), "waiting for headroom"),
      (fill("ask"), "live asks"), (hatch("ask"), "waiting for energy"),
    ]
    return figure(
      title, keys + (overlaps ? [(fill("overlap"), "published book overlaps")] : []), chart)
  }
}

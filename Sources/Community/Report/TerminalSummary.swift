import MarketModel

/// Formats a result as aligned lines for a terminal.
public struct TerminalSummary: Sendable {
  let result: DemoResult

  /// The summary of `result`.
  public init(_ result: DemoResult) { self.result = result }

  /// The summary; each line ends with a newline.
  public var text: String {
    var lines = ["\(result.setting.title), \(Format.count(result.setting.days, "day"))", ""]
    lines += comparison + [""]
    lines += rows.map { name, value in
      "  " + name.padding(to: 20) + value
    }
    lines.append("")
    lines += result.proofs.map { proof in
      "  \(proof.holds ? "✓" : "✗") " + proof.claim.padding(to: 30) + proof.evidence
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The market between the baselines.
  private var comparison: [String] {
    let (name, figure) = (26, 17)
    let heads = ["self-sufficiency", "imported", "exported", "cost together", "worse off"]
    let sign = result.setting.terms.currencySign
    let head = "  " + "".padding(to: name) + heads.map { $0.padding(to: figure) }.joined()
    let rows = result.ways.map { way in
      let cells = [
        Format.percent(way.energy.selfSufficiency, places: 1), Format.energy(way.energy.imported),
        Format.energy(way.energy.exported), Format.money(way.cost, sign),
        "\(way.losers) of \(way.customers.count)",
      ]
      return "  " + way.name.padding(to: name) + cells.map { $0.padding(to: figure) }.joined()
    }
    return ([head] + rows).map { String($0.reversed().drop { $0 == " " }.reversed()) }
  }

  /// What the battery is and what its owner earned.
  private var battery: String {
    guard let owner = result.batteryOwner else { return "none" }
    let earned = Format.money(Money(units: -owner.net.units), result.setting.terms.currencySign)
    return "\(Format.energy(result.setting.battery.wattHours)) of "
      + "\(Format.energy(result.setting.capacity.wattHours)) storage, run by an operator: "
      + "earned \(earned)"
  }

  private var rows: [(String, String)] {
    let (energy, run) = (result.energy, result.run)
    let sign = result.setting.terms.currencySign
    let latency = result.latency
    return [
      (
        "self-sufficiency",
        "\(Format.percent(energy.selfSufficiency, places: 1)), "
          + "\(Format.percent(result.shareOfShared, places: 1)) of one shared battery's"
      ),
      ("produced", Format.energy(energy.produced)),
      ("consumed", Format.energy(energy.consumed)),
      (
        "traded",
        "\(Format.energy(result.tradedWattHours)) in \(Format.count(run.trades, "trade")), "
          + "\(Format.energy(run.localWattHours)) of it by readings, before the grid"
      ),
      (
        "saved together",
        "\(Format.money(result.saved, sign)), \(result.losers) of \(result.customers.count) worse off"
          + " than alone"
      ),
      ("battery", battery),
      ("fees", "\(Format.money(result.fees, sign)), paid to the exchange"),
      (
        "orders",
        "\(Format.count(run.orders)) over \(run.connections) connections, "
          + "\(Format.count(run.instructedOrders)) by standing instruction"
      ),
      (
        "order to report",
        "p50 \(Format.duration(nanoseconds: latency.p50)), "
          + "p99 \(Format.duration(nanoseconds: latency.p99))"
      ),
      (
        "commands",
        "\(Format.count(run.commands)) in \(Format.decimal(run.seconds, 1)) s; "
          + "replayed at \(Format.count(Int(run.replayCommandsPerSecond)))/s"
      ),
    ]
  }
}

extension String {
  /// This text followed by spaces up to `width` characters, at least one.
  fileprivate func padding(to width: Int) -> String {
    self + String(repeating: " ", count: max(1, width - count))
  }
}

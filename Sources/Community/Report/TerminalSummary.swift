import MarketModel

/// Formats a result as aligned lines for a terminal.
public struct TerminalSummary: Sendable {
  let result: DemoResult

  /// The summary of `result`.
  public init(_ result: DemoResult) { self.result = result }

  /// The summary; each line ends with a newline.
  public var text: String {
    var lines = ["\(result.setting.title), \(result.setting.days) days", ""]
    lines += rows.map { name, value in
      "  " + name.padding(to: 20) + value
    }
    lines.append("")
    lines += result.proofs.map { proof in
      "  \(proof.holds ? "✓" : "✗") " + proof.claim.padding(to: 30) + proof.evidence
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private var rows: [(String, String)] {
    let (energy, alone, run) = (result.energy, result.alone, result.run)
    let sign = result.setting.terms.currencySign
    let latency = result.latency
    return [
      (
        "self-sufficiency",
        "\(Format.percent(energy.selfSufficiency, places: 1)) with the market, "
          + "\(Format.percent(alone.selfSufficiency, places: 1)) without"
      ),
      ("produced", Format.energy(energy.produced)),
      ("consumed", Format.energy(energy.consumed)),
      (
        "traded",
        "\(Format.energy(result.tradedWattHours)) in \(Format.count(run.trades)) trades"
      ),
      ("imported", "\(Format.energy(energy.imported)) (\(Format.energy(alone.imported)) without)"),
      ("exported", "\(Format.energy(energy.exported)) (\(Format.energy(alone.exported)) without)"),
      ("saved together", Format.money(result.saved, sign)),
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

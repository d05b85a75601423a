// The page of `make bench`: the table of all flows and the distribution of their latencies.

import Foundation
import OrderFlow

/// Writes the section on the core in docs/BENCHMARKS.md, and its plot.
struct Report {
  var machine: String
  var lines: [FlowLine]

  /// The table, with ratios to the memory latency of this machine.
  var markdown: String {
    var text = """
      | shape | ns/op | fastest | p50 | p99 | p99.9 | max | longest | events/op | ns/op : DRAM load | results |
      | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |

      """
    let dram = Machine.loadLatency(bytes: 256 << 20)
    for line in lines {
      func fixed(_ number: Double) -> String { String(format: "%.1f", number) }
      text +=
        "| \(line.file) | \(fixed(line.nanosecondsPerOperation)) | \(fixed(line.fastest)) "
        + "| \(line.p50) | \(line.p99) | \(line.p999) | \(line.highest) | \(line.longest) "
        + "| \(fixed(line.eventsPerOperation)) "
        + "| \(String(format: "%.2f", line.nanosecondsPerOperation / dram)) "
        + "| \(line.ok ? "agree" : "DIFFER") |\n"
    }
    return text + "\n\(machine)\n"
  }

  /// A plot of latency over percentile, both on logarithmic axes, with one curve per shape.
  var plot: String {
    let (width, height, left, top) = (720.0, 360.0, 60.0, 20.0)
    let (right, bottom) = (width - 110, height - 40)
    // Horizontal axis: from one in 1 to one in 1,000. Vertical axis: 10 ns to 1 ms.
    func x(_ thousandth: Int) -> Double {
      let rarity = log10(1_000 / Double(max(1, 1_000 - thousandth)))
      return left + (right - left) * rarity / 3
    }
    func y(_ nanoseconds: UInt32) -> Double {
      let part = (log10(Double(max(10, nanoseconds))) - 1) / 5
      return bottom - (bottom - top) * min(1, part)
    }
    var svg = """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(width)) \(Int(height))" \
      font-family="sans-serif" font-size="11">
      <style>text{fill:#57606a}.g{stroke:#d0d7de}@media(prefers-color-scheme:dark)\
      {text{fill:#9198a1}.g{stroke:#3d444d}}</style>

      """
    for (power, name) in ["10 ns", "100 ns", "1 µs", "10 µs", "100 µs", "1 ms"].enumerated() {
      let level = bottom - (bottom - top) * Double(power) / 5
      svg += "<line class=\"g\" x1=\"\(left)\" x2=\"\(right)\" y1=\"\(level)\" y2=\"\(level)\"/>"
      svg += "<text x=\"\(left - 6)\" y=\"\(level + 4)\" text-anchor=\"end\">\(name)</text>\n"
    }
    for (thousandth, name) in [
      (0, "0 %"), (500, "50 %"), (900, "90 %"), (990, "99 %"), (999, "99.9 %"),
    ] {
      svg +=
        "<text x=\"\(x(thousandth))\" y=\"\(bottom + 18)\" text-anchor=\"middle\">\(name)</text>\n"
    }
    svg += "<text x=\"\((left + right) / 2)\" y=\"\(height - 4)\" text-anchor=\"middle\">"
    svg += "share of operations that took at most so long</text>\n"
    let colors = [
      "#0969da", "#1a7f37", "#9a6700", "#cf222e", "#8250df", "#0b7285", "#bf3989", "#57606a",
    ]
    for (index, line) in lines.enumerated() where !line.latencies.isEmpty {
      let color = colors[index % colors.count]
      let points = (0..<1_000).map { "\(fixed(x($0))),\(fixed(y(line.latencies[$0])))" }
      svg += "<polyline fill=\"none\" stroke=\"\(color)\" stroke-width=\"1.5\" points=\""
      svg += points.joined(separator: " ") + "\"/>\n"
      svg +=
        "<text x=\"\(right + 8)\" y=\"\(top + 16 + Double(index) * 18)\" style=\"fill:\(color)\">"
      svg += "\(line.file.replacingOccurrences(of: ".flow", with: ""))</text>\n"
    }
    return svg + "</svg>\n"
  }

  private func fixed(_ number: Double) -> String { String(format: "%.1f", number) }

  func write(markdown markdownPath: String, plot plotPath: String) throws {
    try Data(markdown.utf8).write(to: URL(fileURLWithPath: markdownPath))
    try Data(plot.utf8).write(to: URL(fileURLWithPath: plotPath))
  }
}

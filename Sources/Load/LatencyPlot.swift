import Foundation
import Histogram
import Presentation

/// Draws latency distributions as an SVG image: latency on a logarithmic axis over the percentile,
/// with equal distances between 90 %, 99 %, 99.9 % and so on.
public struct LatencyPlot {
  private static let (width, height) = (720.0, 360.0)
  private static let (left, right, top, bottom) = (70.0, 700.0, 40.0, 310.0)

  private let title: String
  private let curves: [(name: String, latency: Histogram<UInt32>)]

  /// A plot of the given curves; curves without values are left out.
  public init(title: String, _ curves: [(name: String, latency: Histogram<UInt32>)]) {
    (self.title, self.curves) = (title, curves.filter { $0.latency.totalCount > 0 })
  }

  /// The image as an SVG document.
  public var svg: String {
    let lines = curves.enumerated().map { curve($0.element, $0.offset) }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(Self.width)) \
      \(Int(Self.height))" font-family="sans-serif" font-size="11">
      <style>text{fill:#57606a}.g{stroke:#d0d7de}@media(prefers-color-scheme:dark)\
      {text{fill:#9198a1}.g{stroke:#3d444d}}</style>
      <text x="\(Self.left)" y="20" font-size="13">\(title.markupEscaped)</text>
      \((latencyAxis + rarityAxis + lines).joined(separator: "\n"))
      </svg>

      """
  }

  /// Exponents of the lowest and the highest power of ten on the latency axis, in ns.
  private var powers: (low: Int, high: Int) {
    let low = curves.map { $0.latency.valueAtPercentile(1) }.min() ?? 1_000
    let high = curves.map { $0.latency.max }.max() ?? 1_000_000
    let first = Int(log10(Double(max(1, low))).rounded(.down))
    return (first, max(first + 1, Int(log10(Double(max(10, high))).rounded(.up))))
  }

  /// Number of nines at the right end of the percentile axis: 2 is 99 %, 3 is 99.9 %.
  private var nines: Double {
    let most = curves.map { $0.latency.totalCount }.max() ?? 1
    return max(2, log10(Double(max(10, most))))
  }

  private func x(_ percentile: Double) -> Double {
    let rarity = -log10(max(1e-12, 1 - percentile / 100))
    return Self.left + (Self.right - Self.left) * min(1, rarity / nines)
  }

  private func y(_ nanoseconds: UInt64) -> Double {
    let (low, high) = powers
    let part = (log10(Double(max(1, nanoseconds))) - Double(low)) / Double(high - low)
    return Self.bottom - (Self.bottom - Self.top) * min(1, max(0, part))
  }

  private var latencyAxis: [String] {
    (powers.low...powers.high).map { power in
      let value = UInt64(pow(10, Double(power)))
      let level = Self.fixed(y(value))
      return """
        <line class="g" x1="\(Self.left)" x2="\(Self.right)" y1="\(level)" y2="\(level)"/>\
        <text x="\(Self.left - 6)" y="\(level)" dy="4" text-anchor="end">\
        \(LoadReport.duration(value).replacing(".00", with: ""))</text>
        """
    }
  }

  private var rarityAxis: [String] {
    var marks: [(Double, String)] = [(0, "0"), (50, "50 %"), (90, "90 %"), (99, "99 %")]
    var nine = 99.9
    while marks.count < Int(nines) + 2, marks.count < 9 {
      marks.append((nine, "\(nine.formatted(.number.precision(.fractionLength(0...6)))) %"))
      nine = 100 - (100 - nine) / 10
    }
    return marks.map { percentile, name in
      let place = Self.fixed(x(percentile))
      return """
        <line class="g" x1="\(place)" x2="\(place)" y1="\(Self.top)" y2="\(Self.bottom)"/>\
        <text x="\(place)" y="\(Self.bottom + 18)" text-anchor="middle">\(name)</text>
        """
    }
  }

  private func curve(_ curve: (name: String, latency: Histogram<UInt32>), _ index: Int) -> String {
    let colors = ["#0969da", "#1a7f37", "#cf222e", "#8250df", "#9a6700"]
    let color = colors[index % colors.count]
    let points = curve.latency.percentiles(ticksPerHalfDistance: 10).map {
      "\(Self.fixed(x($0.percentileLevelIteratedTo))),\(Self.fixed(y($0.value)))"
    }
    return """
      <polyline fill="none" stroke="\(color)" stroke-width="1.5" \
      points="\(points.joined(separator: " "))"/>
      <text x="\(Self.left + 10)" y="\(Self.top + 14 + 16 * Double(index))" \
      style="fill:\(color)">\(curve.name.markupEscaped)</text>
      """
  }

  private static func fixed(_ number: Double) -> String { String(format: "%.1f", number) }
}

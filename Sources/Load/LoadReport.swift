import Foundation
import Histogram

/// Result of a load.
public struct LoadReport: Sendable {
  /// Number of messages sent, warm-up included.
  public var sent: UInt64
  /// Number of messages answered, warm-up included.
  public var answered: UInt64
  /// Number of messages rejected, without those counted in `late`.
  public var rejected: UInt64
  /// Number of cancels and replaces that arrived after their order had traded.
  public var late: UInt64
  /// Code of the last reject; 0: none.
  public var lastReject: UInt16
  /// Number of trade reports: two for each trade.
  public var trades: UInt64
  /// Number of messages of all kinds from the server.
  public var reports: UInt64
  /// Answers per second in the measured time.
  public var rate: Double
  /// Latencies in ns, from the time when a message was due to its answer.
  public var latency: Histogram<UInt32>
  /// Meter readings per second that were answered beside the orders; `nil` without such a flood.
  public var readings: Double?
  /// Whether trades and volume equal those in the header of the flow file; `nil`: not comparable.
  public var agreesWithFlow: Bool?

  init(_ tally: Tally, nanoseconds: UInt64, agreesWithFlow: Bool? = nil) {
    (sent, answered, rejected) = (tally.sent, tally.answered, tally.rejected)
    (late, lastReject, trades) = (tally.late, tally.lastReject, tally.trades)
    (reports, latency) = (tally.reports, tally.latency)
    rate = nanoseconds == 0 ? 0 : Double(tally.measured) * 1e9 / Double(nanoseconds)
    self.agreesWithFlow = agreesWithFlow
  }

  /// The result as text, one or more lines.
  public var text: String {
    var lines = [
      "answered \(Int(rate.rounded())) messages/s; \(sent) sent, \(answered) answered, "
        + "\(rejected) rejected\(rejected > 0 ? " (code \(lastReject))" : ""), \(late) late, "
        + "\(trades / 2) trades, \(reports) messages received"
    ]
    if latency.totalCount > 0 {
      let marks: [(String, Double)] = [
        ("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9), ("p99.99", 99.99),
      ]
      let values = marks.map { "\($0.0) \(Self.duration(latency.valueAtPercentile($0.1)))" }
      lines.append(
        "latency " + values.joined(separator: "  ") + "  max \(Self.duration(latency.max))")
    }
    if let readings { lines.append("\(Int(readings.rounded())) readings/s at the same time") }
    switch agreesWithFlow {
    case true?: lines.append("trades and volume are those of the flow file")
    case false?: lines.append("TRADES OR VOLUME DIFFER from the flow file")
    case nil: break
    }
    return lines.joined(separator: "\n")
  }

  /// The distribution in HdrHistogram's text form (.hgrm), in microseconds.
  public var hgrm: String {
    var text = ""
    latency.outputPercentileDistribution(
      to: &text, outputValueUnitScalingRatio: 1_000, percentileTicksPerHalfDistance: 10)
    return text
  }

  /// "850 ns", "12.3 us", "4.56 ms", "1.2 s".
  public static func duration(_ nanoseconds: UInt64) -> String {
    func scaled(_ unit: UInt64, _ name: String) -> String {
      let hundredths = nanoseconds * 100 / unit
      let (whole, rest) = (hundredths / 100, hundredths % 100)
      return whole >= 100
        ? "\(whole) \(name)" : "\(whole).\(rest < 10 ? "0" : "")\(rest) \(name)"
    }
    switch nanoseconds {
    case ..<1_000: return "\(nanoseconds) ns"
    case ..<1_000_000: return scaled(1_000, "us")
    case ..<1_000_000_000: return scaled(1_000_000, "ms")
    default: return scaled(1_000_000_000, "s")
    }
  }
}

/// Limits of a result. A limit that is not set is not checked.
public struct LoadLimits: Sendable {
  /// Highest latency in ns at a percentile.
  public var latencies: [(percentile: Double, nanoseconds: UInt64)] = []
  /// Lowest number of answers per second.
  public var rate: Double?
  /// Highest number of rejects.
  public var rejects: UInt64?

  /// Limits that every result keeps.
  public init() {}

  /// One sentence for each limit that `report` exceeds; empty when it keeps all limits.
  public func broken(by report: LoadReport) -> [String] {
    var found: [String] = []
    for limit in latencies {
      let value = report.latency.valueAtPercentile(limit.percentile)
      if report.latency.totalCount == 0 || value > limit.nanoseconds {
        found.append(
          "p\(limit.percentile.formatted()) is \(LoadReport.duration(value)), "
            + "above \(LoadReport.duration(limit.nanoseconds))")
      }
    }
    if let rate, report.rate < rate {
      found.append("\(Int(report.rate)) answers/s are fewer than \(Int(rate))/s")
    }
    if let rejects, report.rejected > rejects {
      found.append("\(report.rejected) rejects are more than \(rejects)")
    }
    if report.agreesWithFlow == false { found.append("the trades are not those of the flow file") }
    return found
  }
}

import Foundation
import Histogram
import Load

/// Writes the section on the network for `make bench-net`.
struct NetPage {
  private var lines: [String] = []
  private var notes: [String] = []
  private var curves: [(name: String, latency: Histogram<UInt32>)] = []

  private func at(_ latency: Histogram<UInt32>, _ percentile: Double) -> String {
    LoadReport.duration(latency.valueAtPercentile(percentile))
  }

  private mutating func row(
    _ name: String, _ value: String, _ p99: String, _ reference: String, _ ratio: String,
    _ goal: String
  ) {
    lines.append("| \(name) | \(value) | \(p99) | \(reference) | \(ratio) | \(goal) |")
    FileHandle.standardError.write(Data((lines[lines.count - 1] + "\n").utf8))
  }

  /// A latency and its ratio to a reference.
  mutating func compare(
    _ name: String, _ latency: Histogram<UInt32>, _ reference: String,
    _ floor: Histogram<UInt32>, goal: Double
  ) {
    let ratio = Double(latency.valueAtPercentile(50)) / Double(max(1, floor.valueAtPercentile(50)))
    row(
      name, "p50 \(at(latency, 50))", at(latency, 99), "\(reference) \(at(floor, 50))",
      String(format: "%.2f", ratio), "<= \(goal)")
    curves.append((name, latency))
    curves.append((reference, floor))
  }

  /// A latency with journal and its ratio to a sync.
  mutating func sync(_ name: String, _ report: LoadReport, _ floor: Histogram<UInt32>) {
    let (p50, sync) = (report.latency.valueAtPercentile(50), floor.valueAtPercentile(50))
    let above = p50 > sync ? LoadReport.duration(p50 - sync) : "0 ns"
    row(
      name, "p50 \(at(report.latency, 50))", at(report.latency, 99),
      "fdatasync \(at(floor, 50))", "+ \(above)", "<= + 40 us; p99 <= 1 ms")
    curves.append((name, report.latency))
  }

  /// A rate as a share of the rate of an echo server.
  mutating func rate(_ name: String, _ report: LoadReport, _ echo: Double, _ goal: Double) {
    row(
      name, String(format: "%.2f M/s", report.rate / 1e6), at(report.latency, 99),
      String(format: "libuv echo %.2f M/s", echo / 1e6), String(format: "%.2f", report.rate / echo),
      String(format: ">= %.0f M/s", goal / 1e6))
  }

  /// A sentence below the table.
  mutating func note(_ text: String) {
    notes.append(text)
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  var markdown: String {
    """
    ## Network

    `make bench-net`. Server, load and references share the machine: two cores for all of them. Half of the messages are
    orders, some of which trade at once, and half are cancels, over loopback; maker and taker each get every report. A
    latency counts from the time at which its message was due. Each ratio is to a reference of the same run: a round trip of
    64 and 80 bytes over bare epoll, a libuv server that echoes its input, or a write and sync of a block of 4 KiB.

    | what | figure | p99 | reference | ratio | target |
    | --- | ---: | ---: | ---: | ---: | ---: |
    \(lines.joined(separator: "\n"))

    \(notes.joined(separator: "\n\n"))

    ![Round trips over loopback](images/network.svg)

    Measured on \(Self.date), load \(Self.load).


    """
  }

  private static var date: String { String(Date.now.ISO8601Format().prefix(10)) }

  private static var load: String {
    var loads = [0.0, 0.0, 0.0]
    getloadavg(&loads, 3)
    return String(format: "%.1f", loads[0])
  }

  var svg: String { LatencyPlot(title: "Round trips over loopback", curves).svg }
}

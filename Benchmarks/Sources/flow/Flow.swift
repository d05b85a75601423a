// `flow FILE...`: runs order flows through the whole exchange and prints one line per file.

import ArgumentParser
import Foundation
import OrderFlow

@main
struct Flow: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs order flows through the whole exchange and prints one line per file.",
    discussion: """
      Every rule is on: accounts, reservations, fees, cover, balances; every event is written. A first
      pass checks the results against the file's and every event; the timed passes must give the same
      hash over all events. Times are of the exchange alone, no sockets, no journal; building the
      commands is in them. ns_per_op is the median of the passes; the percentiles come from a further
      pass that reads the clock at every operation (its own cost included, about 25 ns) and does not
      look ahead.

        flow --generate flows            the shapes A to D and F to H
        flow flows/*.flow
      """)

  @Argument(help: "Order-flow files (OBFLOW01).") var files: [String] = []
  @Option(help: "Generate the shapes in this folder and exit.") var generate: String?
  @Option(help: "With --generate: recorded order-level file (csv.gz) for shape E.") var orders: String?
  @Option(help: "Shapes to use, such as ABF.") var shapes = "ABCDEFGH"
  @Option(help: "Seed of the generator.") var seed: UInt64 = 1
  @Option(help: "Number of timed operations per generated flow.") var operations = 5_000_000
  @Option(help: "Number of timed passes.") var passes = 5
  @Flag(help: "Measure only the order book, without accounts, cash, cover and events.") var bookOnly = false
  @Flag(help: "Check all invariants at the end.") var check = false
  @Flag(inversion: .prefixedNo, help: "Let the exchange look ahead at 16 commands.")
  var ahead = true
  @Option(help: "Output file of a table of all flows (Markdown).") var table: String?
  @Option(help: "Output file of a plot of their latencies (SVG), with --table.") var plot = "latency.svg"

  func run() throws {
    if let generate { return try makeShapes(in: generate) }
    let machine = Machine.latencyLine()
    print(machine)
    var lines: [FlowLine] = []
    for file in files {
      let flow = try FlowFile(path: file)
      if !bookOnly {
        lines.append(measure(flow))
      } else if BookOnly.canRun(flow) {
        lines.append(measureBook(flow))
      } else {
        print("file=\(flow.name) needs the exchange: a book without cover cannot compute its trades")
      }
    }
    if let table { try Report(machine: machine, lines: lines).write(markdown: table, plot: plot) }
    if lines.contains(where: { !$0.ok }) { throw ExitCode(1) }
  }

  private func makeShapes(in folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for shape in Shape.allCases where shapes.contains(shape.rawValue) {
      let path = "\(folder)/\(shape.rawValue).flow"
      if shape == .recorded {
        guard let orders else { continue }
        try RecordedFlow(orders).flow(seed: seed).write(to: path)
      } else {
        var generator = FlowGenerator(shape, seed: seed)
        try generator.make(operations: operations).write(to: path)
      }
      print(path)
    }
  }

  /// Number of passes in which every operation is timed.
  private static let latencyPasses = 3

  /// Measures one flow and prints its line.
  private func measure(_ flow: FlowFile) -> FlowLine {
    let resolved = ResolvedFlow(flow, checkingInvariants: check)
    for violation in resolved.violations.prefix(5) { print("violated: \(violation)") }
    var isOk =
      resolved.result == flow.expected && resolved.rejects == 0 && resolved.violations.isEmpty
    var times: [Double] = []
    var allocated = 0
    var events = 0
    for _ in 0..<passes {
      var runner = FlowRunner(flow, looksAhead: ahead)
      let cost = runner.run(resolved.records, prefill: flow.prefill, each: false)
      isOk = isOk && runner.eventHash == resolved.eventHash
      times.append(cost.nanosecondsPerOperation)
      allocated = max(allocated, cost.allocatedBytes)
      events = cost.events
    }
    times.sort()
    // Single orders are measured without looking ahead.
    let latencies = Latencies(passes: Flow.latencyPasses) {
      var runner = FlowRunner(flow, looksAhead: false)
      return runner.run(resolved.records, prefill: flow.prefill, each: true).latencies
    }
    let line = FlowLine(
      flow: flow, result: resolved.result, isOk: isOk, times: times, latencies: latencies,
      events: events, allocated: allocated, residentMegabytes: residentMegabytes())
    print(line.text)
    return line
  }

  /// Measures one flow through the bare book and prints its line.
  private func measureBook(_ flow: FlowFile) -> FlowLine {
    var book = BookOnly(flow, looksAhead: ahead)
    let costs = (0..<passes).map { _ in book.run(each: false) }
    let latencies = Latencies(passes: Flow.latencyPasses) { book.run(each: true).latencies }
    let line = FlowLine(
      flow: flow, result: book.result, isOk: book.isOk,
      times: costs.map(\.nanosecondsPerOperation).sorted(), latencies: latencies, events: 0,
      allocated: costs.map(\.allocatedBytes).max() ?? 0, residentMegabytes: residentMegabytes())
    print(line.text)
    return line
  }
}

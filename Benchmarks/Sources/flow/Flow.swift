// `flow FILE...`: order flow through the whole exchange, one line a file.

import ArgumentParser
import Foundation

@main
struct Flow: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs order flow through the whole exchange and prints one line a file.",
    discussion: """
      Every rule is on: accounts, reservations, fees, cover, balances; every event is written. Times
      are of Exchange.apply alone, no sockets, no journal. ns_per_op is the mean of the fastest of
      three passes; the percentiles come from a further pass that reads the clock at every operation
      (its own cost included, about 20 ns).
      """)

  @Argument(help: "Flow files (OBFLOW01).") var files: [String] = []
  @Option(help: "Make the shapes A to D in this folder, then stop.") var generate: String?
  @Option(help: "Seed of the generator.") var seed: UInt64 = 1
  @Option(help: "Timed operations per generated flow.") var operations = 5_000_000
  @Option(help: "Timed passes.") var passes = 3
  @Flag(help: "Walk all invariants at the end.") var check = false

  func run() throws {
    if let generate {
      try FileManager.default.createDirectory(
        atPath: generate, withIntermediateDirectories: true)
      for shape in Shape.allCases {
        var generator = FlowGenerator(shape, seed: seed)
        let path = "\(generate)/\(shape.rawValue).flow"
        try generator.make(operations: operations).write(to: path)
        print(path)
      }
      return
    }
    var failed = false
    for file in files {
      let flow = try FlowFile(path: file)
      failed = !measure(flow) || failed
    }
    if failed { throw ExitCode(1) }
  }

  /// Measures one flow and prints its line.
  /// - Returns: whether the results are the expected ones.
  private func measure(_ flow: FlowFile) -> Bool {
    var times: [Double] = []
    for _ in 0..<passes {
      var runner = FlowRunner(flow)
      times.append(runner.run(each: false, checked: false).nanosecondsPerOperation)
    }
    times.sort()
    var runner = FlowRunner(flow)
    let outcome = runner.run(each: true, checked: check)
    let sorted = outcome.latencies.sorted()
    func percentile(_ part: Double) -> UInt32 {
      sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
    }
    let isOk = outcome.result == flow.expected && outcome.rejects == 0 && outcome.violations.isEmpty
    for violation in outcome.violations.prefix(5) { print("violated: \(violation)") }
    print(
      "file=\(flow.name) ops=\(flow.operations) trades=\(outcome.result.trades)",
      "volume=\(outcome.result.volume) notional=\(outcome.result.notional)",
      "hash=\(String(outcome.result.hash, radix: 16)) ok=\(isOk)",
      "ns_per_op=\(String(format: "%.1f", times.first ?? 0))",
      "median=\(String(format: "%.1f", times.isEmpty ? 0 : times[times.count / 2]))",
      "p50=\(percentile(0.5)) p99=\(percentile(0.99)) p999=\(percentile(0.999))",
      "max=\(sorted.last ?? 0) rss_mb=\(residentMegabytes()) allocations=\(outcome.allocatedBytes)")
    return isOk
  }

  private func residentMegabytes() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss / 1_024
  }
}

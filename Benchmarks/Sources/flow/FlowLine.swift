// The output line of one flow.

import Foundation
import OrderFlow

/// Latencies of single operations in ns, from several passes over one flow.
struct Latencies {
  /// Latencies of the first pass in ascending order.
  let sorted: [UInt32]
  /// The maximum over the operations of their fastest pass. Interruptions by the system affect other
  /// operations in each pass, so this is the time that a command needs by itself.
  let longest: UInt32

  init(passes: Int, _ measure: () -> [UInt32]) {
    let first = measure()
    var least = first
    for _ in 1..<passes {
      for (index, latency) in measure().enumerated() { least[index] = min(least[index], latency) }
    }
    sorted = first.sorted()
    longest = least.max() ?? 0
  }
}

/// Results of one flow.
struct FlowLine {
  var file: String
  var operations: Int
  var trades: UInt64
  var volume: UInt64
  var notional: UInt64
  var hash: String
  var ok: Bool
  /// ns per operation of the median, fastest and slowest pass.
  var nanosecondsPerOperation: Double
  var fastest: Double
  var slowest: Double
  /// Latencies of single operations in ns at the quantiles 0/1000, 1/1000, ... 1000/1000.
  var latencies: [UInt32]
  var p50: UInt32
  var p99: UInt32
  var p999: UInt32
  var highest: UInt32
  /// The maximum over the operations of their fastest pass, in ns.
  var longest: UInt32
  var eventsPerOperation: Double
  var allocations: Int
  var residentMegabytes: Int

  init(
    flow: FlowFile, result: FlowResult, isOk: Bool, times: [Double], latencies: Latencies,
    events: Int, allocated: Int, residentMegabytes: Int
  ) {
    let sorted = latencies.sorted
    func percentile(_ part: Double) -> UInt32 {
      sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
    }
    (file, operations, ok) = (flow.name, flow.operations, isOk)
    (trades, volume, notional) = (result.trades, result.volume, result.notional)
    hash = String(result.hash, radix: 16)
    nanosecondsPerOperation = times.isEmpty ? 0 : times[times.count / 2]
    (fastest, slowest) = (times.first ?? 0, times.last ?? 0)
    self.latencies = (0...1_000).map { percentile(Double($0) / 1_000) }
    (p50, p99, p999) = (percentile(0.5), percentile(0.99), percentile(0.999))
    highest = sorted.last ?? 0
    longest = latencies.longest
    eventsPerOperation = Double(events) / Double(max(flow.operations, 1))
    allocations = allocated
    self.residentMegabytes = residentMegabytes
  }

  var text: String {
    func fixed(_ number: Double) -> String { String(format: "%.1f", number) }
    return """
      file=\(file) ops=\(operations) trades=\(trades) volume=\(volume) notional=\(notional) \
      hash=\(hash) ok=\(ok) ns_per_op=\(fixed(nanosecondsPerOperation)) fastest=\(fixed(fastest)) \
      p50=\(p50) p99=\(p99) p999=\(p999) max=\(highest) \
      longest=\(longest) events_per_op=\(fixed(eventsPerOperation)) rss_mb=\(residentMegabytes) \
      allocations=\(allocations)
      """
  }
}

// `micro`: measures single data structures, each with its lower bound on this machine: the number of dependent
// loads that the operation needs, at the latency measured in the same run.

import OrderFlow

/// Measures every structure and prints one line each, or a Markdown table.
@main
struct Micro {
  static func main() {
    let isTable = CommandLine.arguments.contains("--markdown")
    let machine = MemoryLatency()
    if isTable {
      print("| structure | operation | ns | limit, ns | of what |")
      print("| --- | --- | ---: | ---: | --- |")
    }
    for figure in Structures(machine).all() {
      print(isTable ? figure.row : figure.line)
    }
  }
}

/// Latency in ns of a load on which the next load's address depends.
struct MemoryLatency {
  /// From the first-level cache, the second-level cache, and memory.
  let first = Machine.loadLatency(bytes: 16 << 10)
  let second = Machine.loadLatency(bytes: 512 << 10)
  let memory = Machine.loadLatency(bytes: 256 << 20)
}

/// The result of one operation of one structure.
struct Figure {
  var structure: String
  var operation: String
  /// ns per operation of the fastest pass.
  var nanoseconds: Double
  /// Lower bound of any such structure in ns, and its reason.
  var limit: Double
  var bound: String

  var line: String {
    "structure=\(structure) operation=\"\(operation)\" ns_per_op=\(rounded(nanoseconds)) "
      + "limit=\(rounded(limit)) bound=\"\(bound)\""
  }

  var row: String {
    "| \(structure) | \(operation) | \(rounded(nanoseconds)) | \(rounded(limit)) | \(bound) |"
  }

  private func rounded(_ number: Double) -> Double { (number * 10).rounded() / 10 }
}

/// Runs seven passes and returns the ns per operation of the fastest.
/// - Parameter body: Performs `count` operations and returns a value that depends on all of them.
func fastest(_ count: Int, _ body: (Int) -> UInt64) -> Double {
  var best = UInt64.max
  for _ in 0..<7 {
    let start = now()
    let sum = body(count)
    let elapsed = now() - start
    keep(sum)
    best = min(best, elapsed)
  }
  return Double(best) / Double(count)
}

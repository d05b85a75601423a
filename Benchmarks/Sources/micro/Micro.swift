// `micro`: what single structures cost, each beside what bounds it on this machine: the dependent loads
// that the operation cannot do without, at the latency that was just measured.

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

/// ns of a load that the next load's address depends on.
struct MemoryLatency {
  /// From the first, the second cache, and from memory.
  let first = Machine.loadLatency(bytes: 16 << 10)
  let second = Machine.loadLatency(bytes: 512 << 10)
  let memory = Machine.loadLatency(bytes: 256 << 20)
}

/// One operation of one structure.
struct Figure {
  var structure: String
  var operation: String
  /// The fastest of some passes, ns an operation.
  var nanoseconds: Double
  /// What no such structure can go below, ns; and why.
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

/// The fastest of seven passes, ns an operation.
/// - Parameter body: Does `count` operations and returns something that depends on all of them.
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

// Measures the present speed of this machine to detect drift: the latency of dependent loads from each level of
// the memory hierarchy.

import Foundation
import MarketModel

/// The machine that runs the benchmark.
package enum Machine {
  /// Latency in ns of dependent loads over a random cycle through `bytes` of memory.
  package static func loadLatency(bytes: Int) -> Double {
    let count = bytes / 64
    let lines = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 4_096)
    defer { lines.deallocate() }
    var order = Array(0..<count)
    var random = SeededRandom(seed: 7)
    order.shuffle(using: &random)
    for index in 0..<count {
      lines.storeBytes(
        of: order[(index + 1) % count] * 64, toByteOffset: order[index] * 64, as: Int.self)
    }
    let steps = 2_000_000
    var place = 0
    for _ in 0..<count { place = lines.load(fromByteOffset: place, as: Int.self) }
    let start = now()
    for _ in 0..<steps { place = lines.load(fromByteOffset: place, as: Int.self) }
    let elapsed = now() - start
    precondition(place >= 0)
    return Double(elapsed) / Double(steps)
  }

  package static func latencyLine() -> String {
    let parts = [("l1", 16 << 10), ("l2", 512 << 10), ("l3", 8 << 20), ("dram", 256 << 20)].map {
      "\($0.0)=\(String(format: "%.1f", loadLatency(bytes: $0.1)))"
    }
    return "machine dependent_load_ns " + parts.joined(separator: " ")
  }
}

import MarketModel
import Testing

@testable import MeterImport

@Suite("Which intervals a file has had")
struct CoverageTests {
  @Test("Intervals in random order have the verdicts and gaps of a plain list.", arguments: 1...20)
  func random(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var coverage = Coverage()
    var all: [(start: Int64, end: Int64, mark: UInt32)] = []
    for _ in 0..<600 {
      let length = Int64([15, 15, 15, 30, 7].randomElement(using: &random) ?? 15)
      let start = Int64.random(in: 0..<200, using: &random) * (length == 7 ? 7 : 15)
      let (end, mark) = (start + length, UInt32.random(in: 0..<3, using: &random))
      let verdict = coverage.add(start, end, mark: mark)
      let met = all.filter { $0.start < end && start < $0.end }
      if let same = met.first(where: { $0.start == start && $0.end == end }) {
        #expect(verdict == (same.mark == mark ? .repeated : .contradicting), "seed \(seed)")
      } else if met.isEmpty {
        #expect(verdict == .new, "seed \(seed)")
        all.append((start, end, mark))
      } else {
        guard case .overlapping(let from, let to) = verdict else {
          Issue.record("seed \(seed): \(verdict) of \(start) to \(end)")
          continue
        }
        #expect(met.contains { $0.start == from && $0.end == to }, "seed \(seed)")
      }
    }
    var expected: [Range<Int64>] = []
    var covered: Int64 = 0
    for interval in all.sorted(by: { $0.start < $1.start }) {
      if interval.start > covered { expected.append(covered..<interval.start) }
      covered = interval.end
    }
    if covered < 4_000 { expected.append(covered..<4_000) }
    var gaps: [Range<Int64>] = []
    coverage.gaps(in: 0..<4_000) { gap, _ in gaps.append(gap) }
    #expect(gaps == expected, "seed \(seed)")
    #expect(coverage.count == all.count && all.count > 50)
  }

  @Test("A year of quarters is one run in any order of its lines.", arguments: [0, 1, 2])
  func orders(order: Int) {
    var coverage = Coverage()
    var quarters = Array(Int64(0)..<2_000)
    if order == 1 { quarters.reverse() }
    if order == 2 {
      var random = SeededRandom(seed: 5)
      quarters.shuffle(using: &random)
    }
    for quarter in quarters {
      #expect(coverage.add(quarter * 900, quarter * 900 + 900, mark: UInt32(quarter)) == .new)
    }
    var gaps = 0
    coverage.gaps(in: 0..<2_000 * 900) { _, _ in gaps += 1 }
    #expect(gaps == 0 && coverage.period == 0..<2_000 * 900)
    for quarter in quarters {
      #expect(coverage.add(quarter * 900, quarter * 900 + 900, mark: UInt32(quarter)) == .repeated)
    }
  }

  @Test("More runs than the bound are refused.")
  func bound() {
    var coverage = Coverage()
    for run in 0..<Int64(Coverage.mostRuns) {
      #expect(coverage.add(run * 10, run * 10 + 5, mark: 0) == .new)
    }
    #expect(coverage.add(-10, -5, mark: 0) == .scattered)
    #expect(coverage.add(-5, 0, mark: 0) == .new, "an interval beside a run needs no other one")
  }
}

import MarketModel
import Testing

@testable import ExchangeCore

private struct NumberedRow: KeyedRow, Equatable {
  var key: UInt64
  var value: UInt64
}

@Suite("Rows in groups, sorted by key")
struct SortedRowsTests {
  /// The rows of a group, ascending.
  private func all(_ rows: borrowing SortedRows<NumberedRow>, _ group: UInt32) -> [NumberedRow] {
    var found: [NumberedRow] = []
    rows.forEach(in: group) { found.append($0) }
    return found
  }

  @Test("Appends, insertions and removals in any order give the rows of a sorted array.")
  func sameAsArrays() {
    for seed in UInt64(1)...60 {
      var random = SeededRandom(seed: seed)
      var rows = SortedRows<NumberedRow>(capacity: 600, groups: 3)
      var arrays = [[NumberedRow]](repeating: [], count: 4)
      let late = Int.random(in: 1...10, using: &random)
      for step in 0..<3_000 {
        let group = Int.random(in: 0...3, using: &random)
        let last = arrays[group].last?.key ?? 0
        switch Int.random(in: 0..<12, using: &random) {
        case 0..<late where !rows.isFull:
          let key = UInt64.random(in: 1...2_000, using: &random)
          if arrays[group].contains(where: { $0.key == key }) { continue }
          let row = NumberedRow(key: key, value: UInt64(step))
          rows.insert(row, into: UInt32(group))
          arrays[group].append(row)
          arrays[group].sort { $0.key < $1.key }
        case late..<10 where !rows.isFull:
          let row = NumberedRow(key: last + 1, value: UInt64(step))
          rows.append(row, to: UInt32(group))
          arrays[group].append(row)
        case 10:
          guard let place = rows.first(in: UInt32(group)) else { continue }
          rows.remove(place, from: UInt32(group))
          arrays[group].removeFirst()
        default:
          guard let row = arrays[group].randomElement(using: &random),
            let place = rows.last(atMost: row.key, in: UInt32(group))
          else { continue }
          rows.remove(place, from: UInt32(group))
          arrays[group].removeAll { $0.key == row.key }
        }
        let key = UInt64.random(in: 0...2_100, using: &random)
        let expected = arrays[group].last { $0.key <= key }
        #expect(rows.last(atMost: key, in: UInt32(group)).map { rows[$0] } == expected)
        if step % 50 == 0 { expect(&rows, arrays, "seed \(seed), step \(step)") }
      }
      expect(&rows, arrays, "seed \(seed)")
    }
  }

  private func expect(
    _ rows: inout SortedRows<NumberedRow>, _ arrays: [[NumberedRow]], _ what: Comment
  ) {
    for group in 0..<4 { #expect(all(rows, UInt32(group)) == arrays[group], what) }
    var violations: [String] = []
    rows.check(&violations)
    #expect(violations.isEmpty, what)
  }

  @Test("Rows in any order take at most a leaf for 14 of them; rows at the end one for 21.")
  func leaves() {
    var random = SeededRandom(seed: 7)
    for pattern in 0..<4 {
      var rows = SortedRows<NumberedRow>(capacity: 20_000, groups: 0)
      let keys: [UInt64] =
        switch pattern {
        case 0: Array(1...20_000)
        case 1: (1...20_000).reversed()
        case 2: (1...20_000).shuffled(using: &random)
        // Into the middle of what is there, again and again.
        default: (0..<20_000).map { $0 % 2 == 0 ? 1_000_000 - $0 : 2_000_000 - $0 }
        }
      for key in keys { rows.insert(NumberedRow(key: key, value: key), into: 0) }
      #expect(rows.count == 20_000)
      #expect(rows.leafCount <= (pattern == 0 ? 20_000 / 21 + 1 : 20_000 / 14 + 2))
      #expect(all(rows, 0).map(\.key) == keys.sorted())
    }
  }

  @Test("Rows that leave at the beginning give their leaves to those that come at the end.")
  func reusesLeaves() {
    var rows = SortedRows<NumberedRow>(capacity: 100, groups: 1)
    for key in UInt64(1)...10_000 {
      if rows.isFull, let first = rows.first(in: 1) { rows.remove(first, from: 1) }
      rows.append(NumberedRow(key: key, value: 0), to: 1)
    }
    #expect(all(rows, 1).map(\.key) == Array(9_901...10_000))
    #expect(rows.leafCount <= 6)
  }
}

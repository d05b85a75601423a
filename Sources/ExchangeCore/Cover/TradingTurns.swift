// How often the positions of one drain traded (section 4, "Circles"; Circles.swift). Counting begins
// late, so that a usual drain counts nothing.

import MarketModel

/// How many turns of each position had trades, in the drain that counts them.
struct TradingTurns: ~Copyable {
  struct Row: BitwiseCopyable {
    /// Number of the drain to which the count belongs.
    var drain: UInt64
    var count: UInt64
  }

  private let rows: Table<Row>
  /// Number of drains that counted, since the start of the process. It is no state: what is counted
  /// ends with its drain.
  private var drains: UInt64 = 0

  init(capacity: Capacity) { rows = Table(capacity: Int(capacity.positions) + 1) }

  /// Begins to count: all positions have none.
  mutating func begin() { drains &+= 1 }

  /// Counts a turn of a position.
  func add(_ position: UInt32) {
    let before = self[position]
    rows[position] = Row(drain: drains, count: before &+ 1)
  }

  /// The counted turns of a position.
  subscript(position: UInt32) -> UInt64 {
    let row = rows[position]
    return row.drain == drains ? row.count : 0
  }
}

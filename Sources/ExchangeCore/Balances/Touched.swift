// The queue of positions that a command changed (section 4). The drain at the end of the command
// processes it (Drain.swift).

import MarketModel

/// Head and tail of the queue; the positions contain the links.
struct Touched: ~Copyable, StateComponent {
  var head: UInt32 = 0
  var tail: UInt32 = 0
  /// Whether the last drain reached its bound and left positions in the queue.
  var hasBacklog = false

  init(capacity: Capacity) {}

  struct Image: BitwiseCopyable {
    var head, tail: UInt32
    var hasBacklog: UInt64
  }

  static func add(to layout: inout StateLayout) { layout.add(Image.self) }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    sink.put(
      Image(
        head: exchange.touched.head, tail: exchange.touched.tail,
        hasBacklog: exchange.touched.hasBacklog ? 1 : 0))
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    let image = source.get(Image.self)
    (exchange.touched.head, exchange.touched.tail) = (image.head, image.tail)
    exchange.touched.hasBacklog = image.hasBacklog != 0
  }
}

extension Exchange {
  /// Whether the whole eligible quantity of one side is covered and the position still backs it, so
  /// that recalculating its cover would change nothing.
  @inline(__always) func isFullyCovered(
    _ position: PositionRow, _ owned: PositionSideRow, _ side: Side
  ) -> Bool {
    // One branch for two unpredictable conditions.
    let eligible = owned.eligible
    let missing = (position.value.backing(side) &- eligible) >> 63
    return (owned.covered ^ eligible) | missing == 0
  }

  /// Appends a position to the queue unless it is in it.
  mutating func touch(_ position: UInt32) { touch(position, balances.positions.row(position)) }

  /// Appends a position to the queue unless it is in it; the caller has its row.
  @inline(__always) mutating func touch(_ position: UInt32, _ row: PositionRow) {
    if row.isTouched { return }
    row.isTouched = true
    row.nextTouched = 0
    if touched.tail == 0 {
      touched.head = position
    } else {
      balances.positions[touched.tail].nextTouched = position
    }
    touched.tail = position
  }

  /// Touches a position whose energy or cash changed: the drain runs its agent and reports its
  /// balance.
  mutating func touchBalance(_ position: UInt32) {
    touchBalance(position, balances.positions.row(position))
  }

  /// Touches a position whose energy or cash changed; the caller has its row.
  @inline(__always) mutating func touchBalance(_ position: UInt32, _ row: PositionRow) {
    row.mustRunAgent = true
    row.mustReport = true
    touch(position, row)
  }
}

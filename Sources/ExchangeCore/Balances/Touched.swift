// The queue of positions that a command changed (section 4): each is settled before the command ends.

import MarketModel

/// Ends of the queue, whose links stand in the positions.
struct Touched: ~Copyable, StateComponent {
  var head: UInt32 = 0
  var tail: UInt32 = 0
  /// Whether a drain reached its bound and the queue holds what it left.
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
  /// Whether one side of a position has all its open quantity covered, and still can have: nothing to
  /// re-cover.
  @inline(__always) func isFullyCovered(
    _ position: PositionRow, _ owned: PositionSideRow, _ side: Side
  ) -> Bool {
    // One branch of two conditions: which of them fails is anyone's guess.
    let eligible = owned.eligible
    let missing = (position.value.backing(side) &- eligible) >> 63
    return (owned.covered ^ eligible) | missing == 0
  }

  /// Puts a position at the end of the queue, once.
  mutating func touch(_ position: UInt32) { touch(position, balances.positions.row(position)) }

  /// Puts a position, whose row is at hand, at the end of the queue, once.
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

  /// Touches a position whose energy or cash changed.
  mutating func touchBalance(_ position: UInt32) {
    touchBalance(position, balances.positions.row(position))
  }

  /// Touches a position, whose row is at hand, whose energy or cash changed.
  @inline(__always) mutating func touchBalance(_ position: UInt32, _ row: PositionRow) {
    row.mustRunAgent = true
    row.mustReport = true
    touch(position, row)
  }
}

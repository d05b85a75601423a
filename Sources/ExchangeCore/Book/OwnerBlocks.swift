// Blocks of long lists of one owner's orders, with their sums, so that a side that lacks cover finds
// a place in its list, and the orders that gain or lose cover, without a walk over all of them:
//
//     list of the side   o o o o o o │ o o o o o │ o o o o o o o │ o o o     in price-time order
//     blocks             price of the first, number, leaves, covered
//
// A side has blocks from the first time that it lacks cover while it has at least `least` orders,
// until it has fewer than half as many. Its list stays sorted as long as it has them. The other sides
// pay one predictable branch for each change of an order. The blocks are not part of the state: after a
// restart each side gets them again when it needs them, and the results are the same without.

import MarketModel

/// A run of orders that stand one behind another in the list of a side.
struct OwnerBlock: BitwiseCopyable {
  /// Limit price of the first order, 1e-5 per kWh.
  var price: Int64
  /// Sum of the leaves of orders whose instrument is open, Wh.
  var leaves: Int64
  /// Sum of the covered quantities, Wh.
  var covered: Int64
  /// The first order.
  var head: UInt32
  /// Number of orders.
  var count: UInt32
  /// Neighbours in the list of the side's blocks; 0: none.
  var next: UInt32
  var previous: UInt32
}

/// The blocks of all sides that have some.
struct OwnerBlocks: ~Copyable, StateComponent {
  fileprivate let table: Table<OwnerBlock>
  /// The block of each order, by slot; valid for orders of sides that have blocks.
  fileprivate let ofOrder: Table<UInt32>
  /// The first block of each side (`SideNumber`); 0: the side has none.
  fileprivate let firsts: Table<UInt32>
  /// Number of sides that have blocks.
  private var sides: UInt32 = 0
  private var firstFree: UInt32 = 0
  private var used: UInt32 = 0
  /// The least number of orders with which a side gets blocks; tests lower it.
  var least: UInt32 = 256
  /// The most orders of a block; tests lower it.
  var most: UInt32 = 128

  /// Whether any side has blocks.
  @inline(__always) var isActive: Bool { sides != 0 }

  init(capacity: Capacity) {
    // Each block has an order.
    table = Table(capacity: Int(capacity.orders) + 2)
    ofOrder = Table(capacity: Int(capacity.orders) + 1)
    firsts = Table(capacity: (Int(capacity.positions) + 1) * 2)
  }

  /// The first block of a side; 0: it has none.
  @inline(__always) fileprivate func first(_ side: SideNumber) -> UInt32 {
    isActive ? firsts[side.rawValue] : 0
  }

  fileprivate mutating func take(head: UInt32, price: Int64) -> UInt32 {
    var block = firstFree
    if block != 0 {
      firstFree = table[block].next
    } else {
      used &+= 1  // At most the number of open orders, and one.
      block = used
    }
    table[block] = OwnerBlock(
      price: price, leaves: 0, covered: 0, head: head, count: 0, next: 0, previous: 0)
    return block
  }

  fileprivate mutating func free(_ block: UInt32) {
    invariant(block != 0 && block <= used, "a block is within the table")
    table[block].next = firstFree
    firstFree = block
  }

  fileprivate mutating func begin(_ side: SideNumber, first: UInt32) {
    firsts[side.rawValue] = first
    sides &+= 1  // At most the number of sides.
  }

  fileprivate mutating func end(_ side: SideNumber) {
    var block = firsts[side.rawValue]
    while block != 0 {
      let next = table[block].next
      free(block)
      block = next
    }
    firsts[side.rawValue] = 0
    sides &-= 1
  }

  /// Links `block` behind `previous`, which is a block of the same side.
  fileprivate func link(_ block: UInt32, after previous: UInt32) {
    let next = table[previous].next
    table[block].previous = previous
    table[block].next = next
    table[previous].next = block
    if next != 0 { table[next].previous = block }
  }

  fileprivate mutating func unlink(_ block: UInt32, of side: SideNumber) {
    let (previous, next) = (table[block].previous, table[block].next)
    if previous != 0 { table[previous].next = next } else { firsts[side.rawValue] = next }
    if next != 0 { table[next].previous = previous }
    free(block)
  }

  // MARK: Not part of the state

  static func add(to layout: inout StateLayout) {}
  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {}
  static func read(_ exchange: inout Exchange, from source: any StateSource) {}

  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {
    exchange.checkBlocks(&violations)
  }
}

/// The number of a side of a position: `position << 1 | side`.
struct SideNumber: BitwiseCopyable, RawRepresentable {
  let rawValue: UInt32

  @inline(__always) init(rawValue: UInt32) { self.rawValue = rawValue }

  @inline(__always) init(_ position: UInt32, _ side: Side) {
    rawValue = position << 1 | UInt32(side.rawValue)
  }
}

extension OpenOrder {
  /// The side of its owner's position.
  @inline(__always) var sideNumber: SideNumber { SideNumber(row.position, row.side) }
}

// MARK: - Changes of the list

extension Exchange {
  /// Whether a side has blocks.
  @inline(__always) func hasBlocks(_ side: SideNumber) -> Bool { blocks.first(side) != 0 }

  /// Gives a side its blocks, if its list is long and it has none. Linear in the orders, once.
  /// - Precondition: The list is sorted.
  @inline(__always) mutating func divideIfLong(_ owned: PositionSideRow, _ side: SideNumber) {
    if owned.count >= blocks.least, !hasBlocks(side) { divide(owned, side) }
  }

  @inline(never) private mutating func divide(_ owned: PositionSideRow, _ side: SideNumber) {
    var (first, block): (UInt32, UInt32) = (0, 0)
    var slot = owned.head
    while slot != 0 {
      if block == 0 || blocks.table[block].count >= blocks.most / 2 {
        let new = blocks.take(head: slot, price: orders.links[slot].price)
        if block == 0 { first = new } else { blocks.link(new, after: block) }
        block = new
      }
      add(slot, to: block)
      slot = orders.links[slot].ownerNext
    }
    blocks.begin(side, first: first)
    noteWhatIsKept()
    noteVisited(UInt64(owned.count))
  }

  /// Adds an entering order, the last at its price, to the blocks of its side.
  /// - Returns: The order behind which it belongs in the list; 0: it is the first.
  @inline(never) mutating func insertIntoBlocks(_ order: OpenOrder) -> UInt32 {
    let (block, _) = block(at: order.price, order.sideNumber, until: .max)
    var (previous, next) = (UInt32(0), blocks.table[block].head)
    for _ in 0..<blocks.table[block].count
    where !isBetter(order.price, than: orders.links[next].price, order.side) {
      (previous, next) = (next, orders.links[next].ownerNext)
    }
    if previous == 0 {
      invariant(blocks.table[block].previous == 0, "only the first block begins behind the order")
      (blocks.table[block].head, blocks.table[block].price) = (order.slot, order.price)
    }
    add(order.slot, to: block)
    return previous
  }

  /// Divides the block of an order that was linked, if it has become too large.
  mutating func splitBlock(of order: OpenOrder) {
    let block = blocks.ofOrder[order.slot]
    let count = blocks.table[block].count
    if count <= blocks.most { return }
    var slot = blocks.table[block].head
    for _ in 0..<count / 2 { slot = orders.links[slot].ownerNext }
    let new = blocks.take(head: slot, price: orders.links[slot].price)
    blocks.link(new, after: block)
    move(from: block, slot, count - count / 2, to: new)
  }

  /// Removes an order from the blocks of its side; its links are still those of the list.
  /// - Parameter left: The number of orders of the side without it.
  @inline(never) mutating func removeFromBlocks(
    _ order: OpenOrder, _ owned: PositionSideRow, left: UInt32
  ) {
    let side = order.sideNumber
    if left < blocks.least / 2 {
      blocks.end(side)
      return noteWhatIsKept()
    }
    let block = blocks.ofOrder[order.slot]
    subtract(order.slot, from: block)
    let row = blocks.table[block]
    if row.count == 0 { return blocks.unlink(block, of: side) }
    if row.head == order.slot {
      blocks.table[block].head = order.links.ownerNext
      blocks.table[block].price = orders.links[order.links.ownerNext].price
    }
    mergeIfSmall(block, order, side)
    if row.previous != 0 { mergeIfSmall(row.previous, order, side) }
  }

  /// Merges a block with the next one if they have less than half of `most` orders together.
  private mutating func mergeIfSmall(_ block: UInt32, _ removed: OpenOrder, _ side: SideNumber) {
    let next = blocks.table[block].next
    if next == 0 { return }
    let count = blocks.table[next].count
    if blocks.table[block].count + count >= blocks.most / 2 { return }
    move(from: next, blocks.table[next].head, count, to: block, without: removed.slot)
    blocks.unlink(next, of: side)
  }

  /// Moves `count` orders, from `first` on, to the end of another block.
  private func move(
    from old: UInt32, _ first: UInt32, _ count: UInt32, to new: UInt32, without: UInt32 = 0
  ) {
    var (slot, left) = (first, count)
    while left > 0 {
      if slot != without {
        subtract(slot, from: old)
        add(slot, to: new)
        left -= 1
      }
      slot = orders.links[slot].ownerNext
    }
  }

  private func add(_ slot: UInt32, to block: UInt32) {
    let order = open(slot)
    blocks.ofOrder[slot] = block
    blocks.table[block].count += 1
    if !isHalted(order) { blocks.table[block].leaves += order.leaves }
    blocks.table[block].covered += order.covered
  }

  private func subtract(_ slot: UInt32, from block: UInt32) {
    let order = open(slot)
    blocks.table[block].count -= 1
    if !isHalted(order) { blocks.table[block].leaves -= order.leaves }
    blocks.table[block].covered -= order.covered
  }

  /// Changes the sums of an order's block by what its leaves and its cover change by, Wh. Leaves of
  /// a halted order count as 0.
  @inline(__always) func changeBlock(_ order: OpenOrder, leaves: Int64, covered: Int64) {
    if blocks.isActive { changeBlock(of: order, leaves, covered) }
  }

  @inline(never) private func changeBlock(
    of order: OpenOrder, _ leaves: Int64, _ covered: Int64
  ) {
    if !hasBlocks(order.sideNumber) { return }
    let block = blocks.ofOrder[order.slot]
    blocks.table[block].leaves += leaves
    blocks.table[block].covered += covered
  }
}

// MARK: - Searches

extension Exchange {
  @inline(__always) private func isBetter(_ price: Int64, than other: Int64, _ side: Side) -> Bool {
    side == .sell ? price < other : price > other
  }

  /// The last block that begins before an order that would enter at `price`, and the sum of the
  /// leaves of the blocks before it. Stops when the sum reaches `limit`.
  private func block(at price: Int64, _ number: SideNumber, until limit: Int64) -> (
    block: UInt32, before: Int64
  ) {
    let side: Side = number.rawValue & 1 == Side.sell.rawValue ? .sell : .buy
    var block = blocks.first(number)
    var before: Int64 = 0
    var visited: UInt64 = 0
    while before < limit {
      let next = blocks.table[block].next
      if next == 0 || isBetter(price, than: blocks.table[next].price, side) { break }
      before += blocks.table[block].leaves
      block = next
      visited += 1
    }
    // Eight blocks, which are neighbours in memory, take as long as one order.
    noteVisited(visited / 8)
    return (block, before)
  }

  /// The leaves of a side's orders at `price` and better prices, Wh; stops at `limit`.
  @inline(never) func leavesInBlocks(
    at price: Int64, _ number: SideNumber, _ side: Side, until limit: Int64
  ) -> Int64 {
    let (block, before) = block(at: price, number, until: limit)
    var sum = before
    var slot = blocks.table[block].head
    for _ in 0..<blocks.table[block].count
    where sum < limit && !isBetter(price, than: orders.links[slot].price, side) {
      if !isHalted(open(slot)) { sum += orders[slot].leaves }
      slot = orders.links[slot].ownerNext
    }
    noteVisited(UInt64(blocks.table[block].count))
    return sum
  }

  /// The last order of the last block that has cover, and the eligible leaves through it, Wh.
  @inline(never) func lastInBlocks(_ owned: PositionSideRow) -> (slot: UInt32, through: Int64) {
    var (slot, through) = (owned.tail, owned.eligible)
    var block = blocks.ofOrder[slot]
    var visited: UInt64 = 0
    while blocks.table[block].covered == 0, blocks.table[block].previous != 0 {
      through -= blocks.table[block].leaves
      slot = orders.links[blocks.table[block].head].ownerPrevious
      block = blocks.table[block].previous
      visited += 1
    }
    noteVisited(visited / 8)
    return (slot, through)
  }

  /// The first order of the first block that lacks cover, and the leaves of those before it, Wh.
  @inline(never) func firstInBlocks(_ side: SideNumber) -> (slot: UInt32, before: Int64) {
    var block = blocks.first(side)
    var before: Int64 = 0
    var visited: UInt64 = 0
    while blocks.table[block].covered == blocks.table[block].leaves, blocks.table[block].next != 0 {
      before += blocks.table[block].leaves
      block = blocks.table[block].next
      visited += 1
    }
    noteVisited(visited / 8)
    return (blocks.table[block].head, before)
  }

  // MARK: Check

  /// Checks that the blocks of each side divide its list, and their sums.
  fileprivate func checkBlocks(_ violations: inout [String]) {
    for position in stride(from: 1, through: balances.positionCount, by: 1) {
      for side in [Side.sell, .buy] where hasBlocks(SideNumber(position, side)) {
        checkBlocks(position, side, &violations)
      }
    }
  }

  private func checkBlocks(_ position: UInt32, _ side: Side, _ violations: inout [String]) {
    let owned = owned(position, side)
    var slot = owned.head
    var (block, previous) = (blocks.first(SideNumber(position, side)), UInt32(0))
    while block != 0 {
      let row = blocks.table[block]
      var (leaves, covered) = (Int64(0), Int64(0))
      var isRight =
        row.head == slot && row.count > 0 && row.previous == previous
        && row.price == orders.links[slot].price
      for _ in 0..<row.count where slot != 0 {
        isRight = isRight && blocks.ofOrder[slot] == block
        if !isHalted(open(slot)) { leaves += orders[slot].leaves }
        covered += orders[slot].covered
        slot = orders.links[slot].ownerNext
      }
      if !isRight || (leaves, covered) != (row.leaves, row.covered) {
        violations.append("position \(position) \(side): block \(row) differs from its orders")
      }
      (previous, block) = (block, row.next)
    }
    if slot != 0 || !owned.isSorted {
      violations.append("position \(position) \(side): the blocks end before the list")
    }
  }
}

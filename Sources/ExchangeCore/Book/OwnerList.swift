// The list of the open orders on one side of a position, linked through `QueueLinks`. It is sorted
// in price-time order only when the distribution of cover needs the order.

import MarketModel

extension Exchange {
  /// Whether order `a` stands before order `b` of that side in price-time order.
  @inline(__always) func isBefore(_ a: UInt32, _ b: UInt32) -> Bool {
    isBefore(a, b, orders[a].side)
  }

  @inline(__always) private func isBefore(_ a: UInt32, _ b: UInt32, _ side: Side) -> Bool {
    let (first, second) = (orders.links.row(a), orders.links.row(b))
    let (price, other) = (first.price, second.price)
    let isBetter = side.select(sell: other - price, buy: price - other)
    let isOlder = first.arrival < second.arrival
    return isBetter != 0 ? isBetter > 0 : isOlder
  }

  /// Adds an order to its owner's list and its leaves and cover to the sums.
  ///
  /// The order goes to the tail. If that breaks price-time order, a side that lacks cover inserts
  /// it at the right place; otherwise the list is only marked as unsorted and is sorted when it is
  /// needed.
  /// - Precondition: The side has no blocks.
  @inline(__always) func linkToOwner(_ order: OpenOrder, _ side: PositionSideRow) {
    let tail = side.tail
    side.count &+= 1  // At most the orders' capacity.
    side.add(leaves: order.leaves, covered: order.covered)
    if tail == 0 {
      side.isSorted = true
    } else if side.isSorted, !isBefore(tail, order.slot) {
      if side.isShort, side.covered > 0 {
        link(order.slot, after: predecessor(of: order.slot, side), side)
        return
      }
      side.isSorted = false
    }
    linkLast(order, side)
  }

  /// Adds an order to its owner's list and, when the side has blocks, to one of them.
  @inline(__always)
  mutating func linkToDividedOwner(_ order: OpenOrder, _ side: PositionSideRow) {
    if !hasBlocks(order.sideNumber) { return linkToOwner(order, side) }
    side.count &+= 1  // At most the orders' capacity.
    side.add(leaves: order.leaves, covered: order.covered)
    link(order.slot, after: insertIntoBlocks(order), side)
    splitBlock(of: order)
  }

  /// Removes an order from its owner's list and, when the side has blocks, from its block.
  @inline(__always)
  mutating func unlinkFromDividedOwner(_ order: OpenOrder, _ side: PositionSideRow) {
    if hasBlocks(order.sideNumber) { removeFromBlocks(order, side, left: side.count - 1) }
    unlinkFromOwner(order, side)
  }

  /// Removes an order from its owner's list and its leaves and cover from the sums.
  /// - Precondition: The order is in no block.
  @inline(__always) func unlinkFromOwner(_ order: OpenOrder, _ side: PositionSideRow) {
    side.count &-= 1
    side.remove(leaves: order.leaves, covered: order.covered, isHalted: isHalted(order))
    unlinkOwned(order.slot, side)
  }

  @inline(__always) private func unlinkOwned(_ slot: UInt32, _ side: PositionSideRow) {
    let links = orders.links[slot]
    if links.ownerPrevious != 0 {
      orders.links[links.ownerPrevious].ownerNext = links.ownerNext
    } else {
      side.head = links.ownerNext
    }
    if links.ownerNext != 0 {
      orders.links[links.ownerNext].ownerPrevious = links.ownerPrevious
    } else {
      side.tail = links.ownerPrevious
    }
  }

  @inline(__always) private func linkLast(_ order: OpenOrder, _ side: PositionSideRow) {
    let slot = order.slot
    let tail = side.tail
    let links = orders.links.row(slot)
    links.ownerPrevious = tail
    links.ownerNext = 0
    if tail != 0 { orders.links[tail].ownerNext = slot } else { side.head = slot }
    side.tail = slot
  }

  private func link(_ slot: UInt32, after previous: UInt32, _ side: PositionSideRow) {
    let next = previous == 0 ? side.head : orders.links[previous].ownerNext
    invariant(previous != slot && next != slot, "an order is in a list once")
    orders.links[slot].ownerPrevious = previous
    orders.links[slot].ownerNext = next
    invariant(next == 0 || next != previous, "the list has no cycle")
    if previous != 0 { orders.links[previous].ownerNext = slot } else { side.head = slot }
    if next != 0 { orders.links[next].ownerPrevious = slot } else { side.tail = slot }
  }

  /// The last order before `slot` in a sorted list; 0 when there is none.
  private func predecessor(of slot: UInt32, _ side: PositionSideRow) -> UInt32 {
    if isBefore(slot, side.head) { return 0 }
    var candidate = side.tail
    while isBefore(slot, candidate) { candidate = orders.links[candidate].ownerPrevious }
    invariant(candidate != 0 && candidate != slot, "the head of the list stands before the order")
    return candidate
  }

  /// Sorts a side's list in price-time order, in place: up to 32 orders by insertion, longer lists
  /// by merging in O(n log n).
  @inline(__always) func sortOwned(_ owned: PositionSideRow, _ side: Side) {
    if owned.isSorted { return }
    if owned.count <= 32 {
      sortShort(owned, side)
    } else {
      sortLong(owned, side)
    }
    owned.isSorted = true
    invariant(
      orders.links[owned.head].ownerPrevious == 0
        && orders.links[owned.tail].ownerNext == 0, "head and tail are the ends of the list")
  }

  private func sortShort(_ owned: PositionSideRow, _ side: Side) {
    var last = owned.head
    var slot = orders.links[last].ownerNext
    while slot != 0 {
      let next = orders.links[slot].ownerNext
      if isBefore(slot, last, side) {
        var candidate = orders.links[last].ownerPrevious
        while candidate != 0, isBefore(slot, candidate, side) {
          candidate = orders.links[candidate].ownerPrevious
        }
        unlinkOwned(slot, owned)
        link(slot, after: candidate, owned)
      } else {
        last = slot
      }
      slot = next
    }
    invariant(owned.tail == last, "the worst order is the last")
  }

  private func sortLong(_ owned: PositionSideRow, _ side: Side) {
    var width: UInt32 = 1
    while width < owned.count {
      mergePass(owned, width, side)
      noteVisited(UInt64(owned.count))
      width *= 2
    }
    var previous: UInt32 = 0
    var slot = owned.head
    var count: UInt32 = 0
    while slot != 0 {
      count &+= 1
      orders.links[slot].ownerPrevious = previous
      previous = slot
      slot = orders.links[slot].ownerNext
    }
    owned.tail = previous
    invariant(count == owned.count, "sorting keeps the number of orders")
  }

  /// Merges adjacent sorted runs of `width` orders into runs of twice that length. Updates
  /// `ownerNext` only.
  private func mergePass(_ owned: PositionSideRow, _ width: UInt32, _ side: Side) {
    invariant(width < owned.count, "a run is shorter than the list")
    var rest = owned.head
    var tail: UInt32 = 0
    owned.head = 0
    while rest != 0 {
      var left = rest
      var right = cut(left, width)
      rest = right == 0 ? 0 : cut(right, width)
      while left != 0 || right != 0 {
        let slot: UInt32
        if right == 0 || (left != 0 && isBefore(left, right, side)) {
          slot = left
          left = orders.links[left].ownerNext
        } else {
          slot = right
          right = orders.links[right].ownerNext
        }
        if tail == 0 { owned.head = slot } else { orders.links[tail].ownerNext = slot }
        tail = slot
      }
    }
    invariant(tail != 0 && orders.links[tail].ownerNext == 0, "the last run ends the list")
  }

  /// Ends the run of at most `width` orders that starts at `start`.
  /// - Returns: The order that followed the run; 0 when there was none.
  private func cut(_ start: UInt32, _ width: UInt32) -> UInt32 {
    invariant(start != 0 && width > 0, "a run has at least one order")
    var last = start
    for _ in 1..<width {
      if orders.links[last].ownerNext == 0 { return 0 }
      last = orders.links[last].ownerNext
    }
    let next = orders.links[last].ownerNext
    orders.links[last].ownerNext = 0
    return next
  }
}

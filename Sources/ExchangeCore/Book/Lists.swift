// The three lists an order can stand in: a level's live queue, a level's waiting list, and its
// owner's orders. All are links in the order itself.

import MarketModel

extension Exchange {
  @inline(__always) func bookIndex(_ instrument: UInt32, _ side: Side) -> UInt32 {
    instrument << 1 | UInt32(side.rawValue)
  }

  /// The open orders of a position on one side.
  @inline(__always) func owned(_ position: UInt32, _ side: Side) -> OwnedRow {
    owned.address(of: position << 1 | UInt32(side.rawValue))
  }

  // MARK: Levels

  /// Puts an entering order into its level: live when it has cover, else waiting.
  @inline(always) mutating func rest(_ order: OpenOrder) {
    if order.pointee.marks.isIceberg { fill(order) }
    let number = bookIndex(order.pointee.instrument, order.pointee.side)
    let instrument = order.instrument
    let key = instrument.pointee.key(order.price, order.pointee.side)
    let side = books.address(of: number)
    let level = ladder.findOrMake(key, number: number, in: side)
    order.pointee.level = level.pointee.number
    level.pointee.total += order.pointee.leaves
    level.pointee.count &+= 1  // At most the orders' capacity.
    if order.pointee.covered > 0 {
      appendLive(order, level, side)
    } else {
      appendWaiting(order, level)
    }
    showIceberg(order)
  }

  /// Takes an order out of its level; it is then entering, or gone.
  @inline(__always) mutating func leave(_ order: OpenOrder) {
    leave(order, isLive: order.pointee.covered > 0)
  }

  /// Takes an order out of its level, from the live queue or from the waiting list.
  @inline(__always) mutating func leave(_ order: OpenOrder, isLive: Bool) {
    let level = ladder.levels.address(of: order.pointee.level)
    level.pointee.total -= order.pointee.leaves
    level.pointee.count &-= 1
    if isLive {
      unlinkLive(order, level)
    } else {
      unlinkWaiting(order, level)
    }
    order.pointee.level = 0
    if level.pointee.count == 0 {
      ladder.remove(level, from: books.address(of: level.pointee.book))
    }
  }

  /// Moves a live order whose cover became 0 to the tail of the waiting list. The order's `covered` is
  /// still what it was; the caller clears it afterwards.
  mutating func moveToWaiting(_ order: OpenOrder) {
    let level = ladder.levels.address(of: order.pointee.level)
    unlinkLive(order, level)
    appendWaiting(order, level)
    if order.pointee.marks.isIceberg { fill(order) }
  }

  /// Moves a live order to the tail of its level's live queue.
  mutating func moveToBack(_ order: OpenOrder) {
    let level = ladder.levels.address(of: order.pointee.level)
    if level.pointee.liveTail == order.slot { return }
    unlinkLive(order, level)
    appendLive(order, level, books.address(of: level.pointee.book))
    invariant(level.pointee.liveTail == order.slot, "the back of the level")
  }

  @inline(__always) private mutating func appendLive(
    _ order: OpenOrder, _ level: LevelRow, _ side: BookRow
  ) {
    let slot = order.slot
    let tail = level.pointee.liveTail
    let links = orders.places.address(of: slot)
    links.pointee.previous = tail
    links.pointee.next = 0
    level.pointee.liveTail = slot
    level.pointee.live += order.pointee.covered
    if tail != 0 {
      orders.places[tail].next = slot
    } else {
      level.pointee.liveHead = slot
      ladder.becameLive(level, in: side)
    }
  }

  @inline(__always) private mutating func unlinkLive(_ order: OpenOrder, _ level: LevelRow) {
    let links = order.place.pointee
    if links.previous != 0 {
      orders.places[links.previous].next = links.next
    } else {
      level.pointee.liveHead = links.next
    }
    if links.next != 0 {
      orders.places[links.next].previous = links.previous
    } else {
      level.pointee.liveTail = links.previous
    }
    level.pointee.live -= order.pointee.covered
    invariant(level.pointee.live >= 0, "a level is live by its orders")
    if level.pointee.liveHead == 0 {
      invariant(level.pointee.live == 0, "without live orders nothing is live")
      ladder.becameWaiting(level, in: books.address(of: level.pointee.book))
    }
  }

  private func appendWaiting(_ order: OpenOrder, _ level: LevelRow) {
    let slot = order.slot
    let tail = level.pointee.waitingTail
    let links = orders.places.address(of: slot)
    links.pointee.previous = tail
    links.pointee.next = 0
    invariant(tail != slot, "an order stands in a list once")
    level.pointee.waitingTail = slot
    if tail != 0 { orders.places[tail].next = slot } else { level.pointee.waitingHead = slot }
  }

  private func unlinkWaiting(_ order: OpenOrder, _ level: LevelRow) {
    let links = order.place.pointee
    if links.previous != 0 {
      invariant(orders.places[links.previous].next == order.slot, "neighbours know each other")
      orders.places[links.previous].next = links.next
    } else {
      invariant(level.pointee.waitingHead == order.slot, "the first of the waiting list")
      level.pointee.waitingHead = links.next
    }
    if links.next != 0 {
      invariant(orders.places[links.next].previous == order.slot, "neighbours know each other")
      orders.places[links.next].previous = links.previous
    } else {
      invariant(level.pointee.waitingTail == order.slot, "the last of the waiting list")
      level.pointee.waitingTail = links.previous
    }
  }

  // MARK: The owner's orders

  /// Whether `a` stands before `b` in price-time order. Same side.
  @inline(__always) func isBefore(_ a: UInt32, _ b: UInt32) -> Bool {
    isBefore(a, b, orders[a].side)
  }

  @inline(__always) private func isBefore(_ a: UInt32, _ b: UInt32, _ side: Side) -> Bool {
    let (first, second) = (orders.places.address(of: a), orders.places.address(of: b))
    let (price, other) = (first.pointee.price, second.pointee.price)
    let isBetter = side.pick(sell: other - price, buy: price - other)
    let isOlder = first.pointee.arrival < second.pointee.arrival
    return isBetter != 0 ? isBetter > 0 : isOlder
  }

  /// Adds an order, its leaves and cover to its owner's side.
  ///
  /// It goes to the tail. Where that breaks price-time order, a position that is short has it put
  /// in its place; any other merely forgets that its list was sorted, and asks no more until then.
  @inline(__always) func own(_ order: OpenOrder, _ side: OwnedRow) {
    let tail = side.pointee.tail
    side.pointee.count &+= 1  // At most the orders' capacity.
    side.pointee.eligible += order.pointee.leaves
    side.pointee.covered += order.pointee.covered
    side.pointee.fairFrom = Int64.max
    if tail == 0 {
      side.pointee.isSorted = true
    } else if side.pointee.isSorted, !isBefore(tail, order.slot) {
      if side.pointee.isShort, side.pointee.covered > 0 {
        link(order.slot, after: predecessor(of: order.slot, side), side)
        return
      }
      side.pointee.isSorted = false
    }
    linkLast(order, side)
  }

  /// Removes an order, its leaves and cover from its owner's side.
  @inline(__always) func disown(_ order: OpenOrder, _ side: OwnedRow) {
    side.pointee.count &-= 1
    if isHalted(order) {
      side.pointee.halted -= order.pointee.leaves
    } else {
      side.pointee.eligible -= order.pointee.leaves
    }
    side.pointee.covered -= order.pointee.covered
    invariant(
      side.pointee.eligible | side.pointee.covered >= 0, "what is left of the sums is not negative")
    unlinkOwned(order.slot, side)
  }

  @inline(__always) private func unlinkOwned(_ slot: UInt32, _ side: OwnedRow) {
    let links = orders.places[slot]
    if links.ownerPrevious != 0 {
      orders.places[links.ownerPrevious].ownerNext = links.ownerNext
    } else {
      side.pointee.head = links.ownerNext
    }
    if links.ownerNext != 0 {
      orders.places[links.ownerNext].ownerPrevious = links.ownerPrevious
    } else {
      side.pointee.tail = links.ownerPrevious
    }
  }

  @inline(__always) private func linkLast(_ order: OpenOrder, _ side: OwnedRow) {
    let slot = order.slot
    let tail = side.pointee.tail
    let links = orders.places.address(of: slot)
    links.pointee.ownerPrevious = tail
    links.pointee.ownerNext = 0
    if tail != 0 { orders.places[tail].ownerNext = slot } else { side.pointee.head = slot }
    side.pointee.tail = slot
  }

  private func link(_ slot: UInt32, after previous: UInt32, _ side: OwnedRow) {
    let next = previous == 0 ? side.pointee.head : orders.places[previous].ownerNext
    invariant(previous != slot && next != slot, "an order stands in a list once")
    orders.places[slot].ownerPrevious = previous
    orders.places[slot].ownerNext = next
    invariant(next == 0 || next != previous, "a list does not bite its tail")
    if previous != 0 { orders.places[previous].ownerNext = slot } else { side.pointee.head = slot }
    if next != 0 { orders.places[next].ownerPrevious = slot } else { side.pointee.tail = slot }
  }

  /// The last order that stands before `slot` in a sorted list; 0 when none does.
  private func predecessor(of slot: UInt32, _ side: OwnedRow) -> UInt32 {
    if isBefore(slot, side.pointee.head) { return 0 }
    var candidate = side.pointee.tail
    while isBefore(slot, candidate) { candidate = orders.places[candidate].ownerPrevious }
    invariant(candidate != 0 && candidate != slot, "the head at the latest stands before it")
    return candidate
  }

  /// Brings a side's list into price-time order, in place. Of a list's few last, each is put where it
  /// belongs; a long list is merged: O(n log n).
  @inline(__always) func sortOwned(_ owned: OwnedRow, _ side: Side) {
    if owned.pointee.isSorted { return }
    if owned.pointee.count <= 32 { sortShort(owned, side) } else { sortLong(owned, side) }
    owned.pointee.isSorted = true
    invariant(
      orders.places[owned.pointee.head].ownerPrevious == 0
        && orders.places[owned.pointee.tail].ownerNext == 0, "a list with two ends")
  }

  private func sortShort(_ owned: OwnedRow, _ side: Side) {
    var last = owned.pointee.head
    var slot = orders.places[last].ownerNext
    while slot != 0 {
      let next = orders.places[slot].ownerNext
      if isBefore(slot, last, side) {
        var candidate = orders.places[last].ownerPrevious
        while candidate != 0, isBefore(slot, candidate, side) {
          candidate = orders.places[candidate].ownerPrevious
        }
        unlinkOwned(slot, owned)
        link(slot, after: candidate, owned)
      } else {
        last = slot
      }
      slot = next
    }
    invariant(owned.pointee.tail == last, "the worst order is the last")
  }

  private func sortLong(_ owned: OwnedRow, _ side: Side) {
    var width: UInt32 = 1
    while width < owned.pointee.count {
      mergePass(owned, width, side)
      width *= 2
    }
    var previous: UInt32 = 0
    var slot = owned.pointee.head
    var count: UInt32 = 0
    while slot != 0 {
      count &+= 1
      orders.places[slot].ownerPrevious = previous
      previous = slot
      slot = orders.places[slot].ownerNext
    }
    owned.pointee.tail = previous
    invariant(count == owned.pointee.count, "no order is lost or doubled by sorting")
  }

  /// Merges neighbouring runs of `width` orders into runs of twice that, over `ownerNext` alone.
  private func mergePass(_ owned: OwnedRow, _ width: UInt32, _ side: Side) {
    invariant(width < owned.pointee.count, "runs shorter than the list")
    var rest = owned.pointee.head
    var tail: UInt32 = 0
    owned.pointee.head = 0
    while rest != 0 {
      var left = rest
      var right = cut(left, width)
      rest = right == 0 ? 0 : cut(right, width)
      while left != 0 || right != 0 {
        let slot: UInt32
        if right == 0 || (left != 0 && isBefore(left, right, side)) {
          slot = left
          left = orders.places[left].ownerNext
        } else {
          slot = right
          right = orders.places[right].ownerNext
        }
        if tail == 0 { owned.pointee.head = slot } else { orders.places[tail].ownerNext = slot }
        tail = slot
      }
    }
    invariant(tail != 0 && orders.places[tail].ownerNext == 0, "the last run ends the list")
  }

  /// Ends the run of at most `width` orders that starts at `start`.
  /// - Returns: the order that followed it; 0 when none did.
  private func cut(_ start: UInt32, _ width: UInt32) -> UInt32 {
    invariant(start != 0 && width > 0, "a run of something")
    var last = start
    for _ in 1..<width {
      if orders.places[last].ownerNext == 0 { return 0 }
      last = orders.places[last].ownerNext
    }
    let next = orders.places[last].ownerNext
    orders.places[last].ownerNext = 0
    return next
  }
}

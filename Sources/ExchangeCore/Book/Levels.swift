// The two lists of a price level: the queue of live orders and the list of waiting orders. The
// links are in `QueueLinks`. OwnerList.swift has the list of an owner's orders.

import MarketModel

extension Exchange {
  @inline(__always) func bookIndex(_ instrument: UInt32, _ side: Side) -> UInt32 {
    instrument << 1 | UInt32(side.rawValue)
  }

  // MARK: Levels

  /// Puts an entering order into its level: into the live queue when it has cover, else into the
  /// waiting list.
  @inline(always) mutating func rest(_ order: OpenOrder) {
    place(order)
    if order.marks.isSpecial { didRest(special: order) }
  }

  /// Puts an order into its level, at the tail of the list that its cover asks for.
  @inline(always) mutating func place(_ order: OpenOrder) {
    let number = bookIndex(order.row.instrument, order.side)
    let instrument = order.instrument
    let key = instrument.value.key(order.price, order.side)
    let side = books.sides.row(number)
    let level = books.ladder.findOrMake(key, number: number, in: side)
    if level.count == 0 { countLevel(level, openedBy: order.owner) }
    order.level = level.number
    level.add(leaves: order.leaves)
    if order.covered > 0 {
      appendLive(order, level, side)
    } else {
      appendWaiting(order, level)
    }
  }

  /// Removes an order from its level. The caller enters it again or ends it.
  @inline(__always) mutating func removeFromLevel(_ order: OpenOrder) {
    removeFromLevel(order, isLive: order.covered > 0)
  }

  /// Removes an order from the live queue or the waiting list of its level.
  @inline(__always) mutating func removeFromLevel(_ order: OpenOrder, isLive: Bool) {
    let level = books.ladder.levels.row(order.level)
    level.remove(leaves: order.leaves)
    if isLive {
      unlinkLive(order, level)
    } else {
      unlinkWaiting(order, level)
    }
    order.level = 0
    if level.count == 0 {
      uncountLevel(level)
      books.ladder.remove(level, from: books.sides.row(level.book))
    }
  }

  /// Moves a live order that loses all cover to the tail of the waiting list. The caller sets
  /// `covered` to 0 afterwards.
  mutating func moveToWaiting(_ order: OpenOrder) {
    let level = books.ladder.levels.row(order.level)
    unlinkLive(order, level)
    appendWaiting(order, level)
    if order.marks.isSpecial { didMoveToWaiting(special: order) }
  }

  /// Moves a live order to the tail of its level's live queue.
  mutating func moveToBack(_ order: OpenOrder) {
    let level = books.ladder.levels.row(order.level)
    if level.liveTail == order.slot { return }
    unlinkLive(order, level)
    appendLive(order, level, books.sides.row(level.book))
    invariant(level.liveTail == order.slot, "the order is the last of the live queue")
  }

  @inline(__always) private mutating func appendLive(
    _ order: OpenOrder, _ level: LevelRow, _ side: BookRow
  ) {
    let slot = order.slot
    let tail = level.liveTail
    let links = orders.links.row(slot)
    links.previous = tail
    links.next = 0
    level.liveTail = slot
    level.cover(by: order.covered)
    if tail != 0 {
      orders.links[tail].next = slot
    } else {
      level.liveHead = slot
      books.ladder.becameLive(level, in: side)
    }
  }

  @inline(__always) private mutating func unlinkLive(_ order: OpenOrder, _ level: LevelRow) {
    let links = order.links.value
    if links.previous != 0 {
      orders.links[links.previous].next = links.next
    } else {
      level.liveHead = links.next
    }
    if links.next != 0 {
      orders.links[links.next].previous = links.previous
    } else {
      level.liveTail = links.previous
    }
    level.cover(by: -order.covered)
    invariant(level.live >= 0, "the live quantity of a level is at least 0")
    if level.liveHead == 0 {
      invariant(level.live == 0, "a level without live orders has no live quantity")
      books.ladder.becameWaiting(level, in: books.sides.row(level.book))
    }
  }

  private func appendWaiting(_ order: OpenOrder, _ level: LevelRow) {
    let slot = order.slot
    let tail = level.waitingTail
    let links = orders.links.row(slot)
    links.previous = tail
    links.next = 0
    invariant(tail != slot, "an order is in a list once")
    level.waitingTail = slot
    if tail != 0 { orders.links[tail].next = slot } else { level.waitingHead = slot }
  }

  private func unlinkWaiting(_ order: OpenOrder, _ level: LevelRow) {
    let links = order.links.value
    if links.previous != 0 {
      invariant(orders.links[links.previous].next == order.slot, "neighbours know each other")
      orders.links[links.previous].next = links.next
    } else {
      invariant(level.waitingHead == order.slot, "the first of the waiting list")
      level.waitingHead = links.next
    }
    if links.next != 0 {
      invariant(orders.links[links.next].previous == order.slot, "neighbours know each other")
      orders.links[links.next].previous = links.previous
    } else {
      invariant(level.waitingTail == order.slot, "the last of the waiting list")
      level.waitingTail = links.previous
    }
  }
}

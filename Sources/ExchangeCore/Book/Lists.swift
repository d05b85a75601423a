// The three lists an order can stand in: a level's live queue, a level's waiting list, and its
// owner's orders. All are links in the order itself.

import MarketModel

extension Exchange {
  @inline(__always) func bookIndex(_ instrument: UInt32, _ side: Side) -> UInt32 {
    instrument << 1 | UInt32(side.rawValue)
  }

  @inline(__always) func ownedIndex(_ position: UInt32, _ side: Side) -> UInt32 {
    position << 1 | UInt32(side.rawValue)
  }

  // MARK: Levels

  /// Puts an entering order into its level: live when it has cover, else waiting.
  mutating func rest(_ slot: UInt32) {
    let book = bookIndex(orders[slot].instrument, orders[slot].side)
    let key = instruments[orders[slot].instrument].key(orders[slot].price, orders[slot].side)
    let side = books.address(of: book)
    let level = ladder.findOrMake(key, number: book, in: &side.pointee)
    orders[slot].level = level
    ladder.levels[level].total += orders[slot].leaves
    ladder.levels[level].count += 1
    if orders[slot].covered > 0 {
      appendLive(slot, level)
    } else {
      appendWaiting(slot, level)
    }
  }

  /// Takes an order out of its level; it is then entering, or gone.
  mutating func leave(_ slot: UInt32) { leave(slot, isLive: orders[slot].covered > 0) }

  /// Takes an order out of its level, from the live queue or from the waiting list.
  mutating func leave(_ slot: UInt32, isLive: Bool) {
    let level = orders[slot].level
    let side = books.address(of: ladder.levels[level].book)
    ladder.levels[level].total -= orders[slot].leaves
    ladder.levels[level].count -= 1
    if isLive {
      unlinkLive(slot, level)
    } else {
      unlinkWaiting(slot, level)
    }
    orders[slot].level = 0
    if ladder.levels[level].count == 0 { ladder.remove(level, from: &side.pointee) }
  }

  /// Moves a live order whose cover became 0 to the tail of the waiting list. The order's `covered` is
  /// still what it was; the caller clears it afterwards.
  mutating func moveToWaiting(_ slot: UInt32) {
    let level = orders[slot].level
    unlinkLive(slot, level)
    appendWaiting(slot, level)
  }

  private mutating func appendLive(_ slot: UInt32, _ level: UInt32) {
    let tail = ladder.levels[level].liveTail
    orders[slot].previous = tail
    orders[slot].next = 0
    ladder.levels[level].liveTail = slot
    ladder.levels[level].live += orders[slot].covered
    if tail != 0 {
      orders[tail].next = slot
    } else {
      ladder.levels[level].liveHead = slot
      let side = books.address(of: ladder.levels[level].book)
      ladder.becameLive(level, in: &side.pointee)
    }
  }

  private mutating func unlinkLive(_ slot: UInt32, _ level: UInt32) {
    let (previous, next) = (orders[slot].previous, orders[slot].next)
    if previous != 0 { orders[previous].next = next } else { ladder.levels[level].liveHead = next }
    if next != 0 {
      orders[next].previous = previous
    } else {
      ladder.levels[level].liveTail = previous
    }
    ladder.levels[level].live -= orders[slot].covered
    if ladder.levels[level].liveHead == 0 {
      let side = books.address(of: ladder.levels[level].book)
      ladder.becameWaiting(level, in: &side.pointee)
    }
  }

  private func appendWaiting(_ slot: UInt32, _ level: UInt32) {
    let tail = ladder.levels[level].waitingTail
    orders[slot].previous = tail
    orders[slot].next = 0
    ladder.levels[level].waitingTail = slot
    if tail != 0 { orders[tail].next = slot } else { ladder.levels[level].waitingHead = slot }
  }

  private func unlinkWaiting(_ slot: UInt32, _ level: UInt32) {
    let (previous, next) = (orders[slot].previous, orders[slot].next)
    if previous != 0 {
      orders[previous].next = next
    } else {
      ladder.levels[level].waitingHead = next
    }
    if next != 0 {
      orders[next].previous = previous
    } else {
      ladder.levels[level].waitingTail = previous
    }
  }

  // MARK: The owner's orders

  /// Whether `a` stands before `b` in price-time order. Same side.
  @inline(__always) func isBefore(_ a: UInt32, _ b: UInt32) -> Bool {
    let (pa, pb) = (orders[a].price, orders[b].price)
    if pa != pb { return orders[a].side == .sell ? pa < pb : pa > pb }
    return orders[a].arrival < orders[b].arrival
  }

  /// Adds an order, its leaves and cover to its owner's side.
  ///
  /// It goes to the tail. Where that breaks price-time order, a position that is short has it put
  /// in its place; any other merely forgets that its list was sorted.
  @inline(__always) func own(_ slot: UInt32) {
    let index = ownedIndex(orders[slot].position, orders[slot].side)
    let tail = owned[index].tail
    owned[index].count += 1
    owned[index].eligible += orders[slot].leaves
    owned[index].covered += orders[slot].covered
    if tail == 0 {
      owned[index].isSorted = true
      link(slot, after: 0, index)
    } else if !owned[index].isSorted || isBefore(tail, slot) {
      link(slot, after: tail, index)
    } else if owned[index].covered < owned[index].eligible {
      link(slot, after: predecessor(of: slot, index), index)
    } else {
      owned[index].isSorted = false
      link(slot, after: tail, index)
    }
  }

  /// Removes an order, its leaves and cover from its owner's side.
  func disown(_ slot: UInt32) {
    let index = ownedIndex(orders[slot].position, orders[slot].side)
    owned[index].count -= 1
    if instruments[orders[slot].instrument].state == .halted {
      owned[index].halted -= orders[slot].leaves
    } else {
      owned[index].eligible -= orders[slot].leaves
    }
    owned[index].covered -= orders[slot].covered
    unlinkOwned(slot, index)
  }

  private func unlinkOwned(_ slot: UInt32, _ index: UInt32) {
    let (previous, next) = (orders[slot].ownerPrevious, orders[slot].ownerNext)
    if previous != 0 { orders[previous].ownerNext = next } else { owned[index].head = next }
    if next != 0 { orders[next].ownerPrevious = previous } else { owned[index].tail = previous }
  }

  private func link(_ slot: UInt32, after previous: UInt32, _ index: UInt32) {
    let next = previous == 0 ? owned[index].head : orders[previous].ownerNext
    orders[slot].ownerPrevious = previous
    orders[slot].ownerNext = next
    if previous != 0 { orders[previous].ownerNext = slot } else { owned[index].head = slot }
    if next != 0 { orders[next].ownerPrevious = slot } else { owned[index].tail = slot }
  }

  /// The last order that stands before `slot` in a sorted list; 0 when none does.
  private func predecessor(of slot: UInt32, _ index: UInt32) -> UInt32 {
    if isBefore(slot, owned[index].head) { return 0 }
    var candidate = owned[index].tail
    while isBefore(slot, candidate) { candidate = orders[candidate].ownerPrevious }
    return candidate
  }

  /// Brings a side's list into price-time order: a bottom-up merge of the links, O(n log n), in place.
  func sortOwned(_ index: UInt32) {
    if owned[index].isSorted { return }
    var width: UInt32 = 1
    while width < owned[index].count {
      mergePass(index, width)
      width *= 2
    }
    var previous: UInt32 = 0
    var slot = owned[index].head
    while slot != 0 {
      orders[slot].ownerPrevious = previous
      previous = slot
      slot = orders[slot].ownerNext
    }
    owned[index].tail = previous
    owned[index].isSorted = true
  }

  /// Merges neighbouring runs of `width` orders into runs of twice that, over `ownerNext` alone.
  private func mergePass(_ index: UInt32, _ width: UInt32) {
    var rest = owned[index].head
    var tail: UInt32 = 0
    owned[index].head = 0
    while rest != 0 {
      var left = rest
      var right = cut(left, width)
      rest = right == 0 ? 0 : cut(right, width)
      while left != 0 || right != 0 {
        let slot: UInt32
        if right == 0 || (left != 0 && isBefore(left, right)) {
          slot = left
          left = orders[left].ownerNext
        } else {
          slot = right
          right = orders[right].ownerNext
        }
        if tail == 0 { owned[index].head = slot } else { orders[tail].ownerNext = slot }
        tail = slot
      }
    }
  }

  /// Ends the run of at most `width` orders that starts at `start`.
  /// - Returns: the order that followed it; 0 when none did.
  private func cut(_ start: UInt32, _ width: UInt32) -> UInt32 {
    var last = start
    for _ in 1..<width {
      if orders[last].ownerNext == 0 { return 0 }
      last = orders[last].ownerNext
    }
    let next = orders[last].ownerNext
    orders[last].ownerNext = 0
    return next
  }
}

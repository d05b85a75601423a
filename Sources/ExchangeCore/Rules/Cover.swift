// Cover (section 4): which open quantity can execute, and the queue that keeps it so.

import MarketModel

extension Exchange {
  // MARK: The function

  /// What of an order with `leaves` is covered when `before` Wh stand before it.
  @inline(__always) func cover(
    _ available: Int64, before: Int64, leaves: Int64, lot: Int64
  ) -> Int64 {
    let left = available - before
    if left >= leaves { return leaves }
    return left <= 0 ? 0 : left - left % lot
  }

  /// The cover an order would have if it entered `position` now, behind its equals.
  ///
  /// One comparison when the position stays covered in full; else a walk over the better orders.
  func coverOnEntry(
    _ position: UInt32, _ side: Side, price: Int64, leaves: Int64, lot: Int64,
    besides slot: UInt32 = 0
  ) -> Int64 {
    let index = ownedIndex(position, side)
    let available = positions[position].available(side)
    let own = slot == 0 ? 0 : orders[slot].leaves
    if owned[index].eligible - own + leaves <= available { return leaves }
    sortOwned(index)
    var before: Int64 = 0
    var other = owned[index].head
    while other != 0, before < available {
      let isBetter =
        side == .sell ? orders[other].price <= price : orders[other].price >= price
      if !isBetter { break }
      if other != slot, !isHalted(other) { before += orders[other].leaves }
      other = orders[other].ownerNext
    }
    return cover(available, before: before, leaves: leaves, lot: lot)
  }

  @inline(__always) func isHalted(_ slot: UInt32) -> Bool {
    instruments[orders[slot].instrument].state == .halted
  }

  // MARK: The queue

  /// Puts a position at the end of the queue, once.
  @inline(__always) mutating func touch(_ position: UInt32) {
    if positions[position].isTouched { return }
    positions[position].isTouched = true
    positions[position].nextTouched = 0
    if touchedTail == 0 {
      touchedHead = position
    } else {
      positions[touchedTail].nextTouched = position
    }
    touchedTail = position
  }

  /// Touches a position whose energy or cash changed.
  @inline(__always) mutating func touchBalance(_ position: UInt32) {
    positions[position].mustConsult = true
    positions[position].mustReport = true
    touch(position)
  }

  /// Re-covers the touched positions until none is left.
  mutating func drain() {
    if isBehind { loseCoverOfTouched() }
    var steps: UInt32 = 0
    while touchedHead != 0 {
      if steps == capacity.cascadeSteps {
        emit(.alarm(Alarm(kind: .cascadeBound, value: Int64(steps))))
        isBehind = true
        return
      }
      steps += 1
      let position = touchedHead
      touchedHead = positions[position].nextTouched
      if touchedHead == 0 { touchedTail = 0 }
      positions[position].isTouched = false
      recover(position, .sell)
      recover(position, .buy)
      if positions[position].mustConsult {
        positions[position].mustConsult = false
        if positions[position].agent.instrument != 0 { consult(position) }
      }
      if positions[position].mustReport, !positions[position].isTouched {
        positions[position].mustReport = false
        emit(.balance(balance(position)))
      }
    }
    isBehind = false
  }

  /// Behind a bound the position that a command changed is not the first in the queue: before any
  /// of them trades, all lose the cover that has gone.
  private mutating func loseCoverOfTouched() {
    var position = touchedHead
    while position != 0 {
      loseCover(position, .sell)
      loseCover(position, .buy)
      position = positions[position].nextTouched
    }
  }

  // MARK: Re-covering

  /// Makes the cover of one side of a position what the function says: losses, then gains.
  @inline(__always) mutating func recover(
    _ position: UInt32, _ side: Side
  ) {
    let index = ownedIndex(position, side)
    // The usual case: all that is open is covered, and still is.
    if owned[index].covered == owned[index].eligible,
      owned[index].eligible <= positions[position].available(side)
    {
      return
    }
    recoverShort(position, side)
  }

  private mutating func recoverShort(
    _ position: UInt32, _ side: Side
  ) {
    let index = ownedIndex(position, side)
    sortOwned(index)
    losses(index, positions[position].available(side))
    gains(position, side)
  }

  /// Takes the cover that one side of a position has no longer, and gives none.
  mutating func loseCover(
    _ position: UInt32, _ side: Side
  ) {
    let index = ownedIndex(position, side)
    let available = positions[position].available(side)
    if owned[index].covered <= available && owned[index].eligible <= available { return }
    sortOwned(index)
    losses(index, available)
  }

  private mutating func losses(
    _ index: UInt32, _ available: Int64
  ) {
    var before = owned[index].eligible
    var slot = owned[index].tail
    while slot != 0 {
      let previous = orders[slot].ownerPrevious
      if !isHalted(slot) {
        let leaves = orders[slot].leaves
        before -= leaves
        let target = cover(
          available, before: before, leaves: leaves, lot: instruments[orders[slot].instrument].lot)
        if target < orders[slot].covered { reduceCover(slot, to: target) }
        if target == leaves { return }
      }
      slot = previous
    }
  }

  private mutating func gains(
    _ position: UInt32, _ side: Side
  ) {
    var before: Int64 = 0
    var slot = owned[ownedIndex(position, side)].head
    while slot != 0 {
      let next = orders[slot].ownerNext
      if !isHalted(slot) {
        let available = positions[position].available(side)
        if available <= before { return }
        let target = cover(
          available, before: before, leaves: orders[slot].leaves,
          lot: instruments[orders[slot].instrument].lot)
        if orders[slot].covered < target { raiseCover(slot, to: target) }
        if orders[slot].isOpen { before += orders[slot].leaves }
      }
      slot = next
    }
  }

  /// Takes cover from an order in the live book; without any it waits.
  mutating func reduceCover(
    _ slot: UInt32, to target: Int64
  ) {
    let lost = orders[slot].covered - target
    if target == 0 {
      moveToWaiting(slot)
    } else {
      ladder.levels[orders[slot].level].live -= lost
    }
    orders[slot].covered = target
    owned[ownedIndex(orders[slot].position, orders[slot].side)].covered -= lost
    emitState(slot, .restated)
  }

  /// Gives cover to an order: in place when it is live already, else it enters the live book.
  private mutating func raiseCover(
    _ slot: UInt32, to target: Int64
  ) {
    let gained = target - orders[slot].covered
    let entersLive = orders[slot].covered == 0
    if entersLive, orders[slot].postOnly, crosses(slot) {
      remove(slot, .postOnly)
      return
    }
    if entersLive {
      leave(slot)
    } else {
      ladder.levels[orders[slot].level].live += gained
    }
    orders[slot].covered = target
    owned[ownedIndex(orders[slot].position, orders[slot].side)].covered += gained
    emitState(slot, .restated)
    if entersLive { matchAndRest(slot) }
  }
}

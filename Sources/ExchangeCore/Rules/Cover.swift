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
    if left <= 0 { return 0 }
    return lot == 1 ? left : left - left % lot
  }

  /// The cover an order would have if it entered `position` now, behind its equals.
  ///
  /// One comparison when the position stays covered in full; else a walk over the better orders.
  @inline(__always) func coverOnEntry(
    _ position: UInt32, _ side: Side, price: Int64, leaves: Int64, lot: Int64,
    besides slot: UInt32 = 0
  ) -> Int64 {
    let owned = owned(position, side)
    let available = positions.address(of: position).pointee.available(side)
    let own = slot == 0 ? 0 : orders[slot].leaves
    if owned.pointee.eligible - own + leaves <= available { return leaves }
    return coverOnEntry(
      owned, available, side, price: price, leaves: leaves, lot: lot, besides: slot)
  }

  private func coverOnEntry(
    _ owned: OwnedRow, _ available: Int64, _ side: Side, price: Int64, leaves: Int64, lot: Int64,
    besides slot: UInt32
  ) -> Int64 {
    if available <= 0 { return 0 }
    invariant(leaves > 0 && lot > 0, "cover for some lots")
    sortOwned(owned, side)
    var before: Int64 = 0
    var other = owned.pointee.head
    while other != 0, before < available {
      let isBetter =
        side == .sell ? orders.places[other].price <= price : orders.places[other].price >= price
      if !isBetter { break }
      if other != slot, !isHalted(open(other)) { before += orders[other].leaves }
      other = orders.places[other].ownerNext
    }
    invariant(before >= 0, "what stands before is not negative")
    return cover(available, before: before, leaves: leaves, lot: lot)
  }

  @inline(__always) func isHalted(_ order: OpenOrder) -> Bool {
    order.instrument.pointee.state == .halted
  }

  /// Whether one side of a position has all its open quantity covered, and still can have: nothing to
  /// re-cover.
  @inline(__always) func isSettled(
    _ position: PositionRow, _ owned: OwnedRow, _ side: Side
  ) -> Bool {
    // One branch of two conditions: which of them fails is anyone's guess.
    let eligible = owned.pointee.eligible
    let missing = (position.pointee.available(side) &- eligible) >> 63
    return (owned.pointee.covered ^ eligible) | missing == 0
  }

  // MARK: The queue

  /// Touches the position that an order joined or left. Where that leaves it settled and nobody waits
  /// in the queue, its turn would do nothing.
  @inline(__always) mutating func touchUnlessSettled(_ order: OpenOrder) {
    if touchedHead != 0 || !isSettled(order.owner, order.owned, order.pointee.side) {
      touch(order.pointee.position)
    }
  }

  /// Puts a position at the end of the queue, once.
  mutating func touch(_ position: UInt32) { touch(position, positions.address(of: position)) }

  /// Puts a position, whose row is at hand, at the end of the queue, once.
  @inline(__always) mutating func touch(_ position: UInt32, _ row: PositionRow) {
    if row.pointee.isTouched { return }
    row.pointee.isTouched = true
    row.pointee.nextTouched = 0
    if touchedTail == 0 {
      touchedHead = position
    } else {
      positions[touchedTail].nextTouched = position
    }
    touchedTail = position
  }

  /// Touches a position whose energy or cash changed.
  mutating func touchBalance(_ position: UInt32) {
    touchBalance(position, positions.address(of: position))
  }

  /// Touches a position, whose row is at hand, whose energy or cash changed.
  @inline(__always) mutating func touchBalance(_ position: UInt32, _ row: PositionRow) {
    row.pointee.mustConsult = true
    row.pointee.mustReport = true
    touch(position, row)
  }

  /// Re-covers the touched positions until none is left.
  @inline(__always) mutating func drain() {
    if touchedHead != 0 { drainTouched() }
  }

  private mutating func drainTouched() {
    if isBehind { loseCoverOfTouched() }
    var steps: UInt32 = 0
    while touchedHead != 0 {
      if steps == capacity.cascadeSteps {
        emit(.control(.alarm(Alarm(kind: .cascadeBound, value: Int64(steps)))))
        isBehind = true
        return
      }
      steps &+= 1
      let position = touchedHead
      let row = positions.address(of: position)
      invariant(row.pointee.isTouched, "what is in the queue is marked")
      touchedHead = row.pointee.nextTouched
      if touchedHead == 0 { touchedTail = 0 }
      row.pointee.isTouched = false
      let (asks, bids) = (owned(position, .sell), owned(position, .buy))
      if !isSettled(row, asks, .sell) { recoverShort(position, .sell) }
      if !isSettled(row, bids, .buy) { recoverShort(position, .buy) }
      if row.pointee.mustConsult {
        row.pointee.mustConsult = false
        if row.pointee.hasAgent { consult(position) }
      }
      if row.pointee.mustReport, !row.pointee.isTouched {
        row.pointee.mustReport = false
        emitBalance(row, asks: asks, bids: bids)
      }
    }
    invariant(touchedTail == 0, "an empty queue has no end")
    isBehind = false
  }

  /// Behind a bound the position that a command changed is not the first in the queue: before any
  /// of them trades, all lose the cover that has gone.
  private mutating func loseCoverOfTouched() {
    var position = touchedHead
    while position != 0 {
      invariant(positions[position].isTouched, "what is in the queue is marked")
      loseCover(position, .sell)
      loseCover(position, .buy)
      position = positions[position].nextTouched
    }
  }

  // MARK: Re-covering

  /// Makes the cover of one side of a position what the function says: losses, then gains.
  @inline(__always) mutating func recover(_ position: UInt32, _ side: Side) {
    if !isSettled(positions.address(of: position), owned(position, side), side) {
      recoverShort(position, side)
    }
  }

  private mutating func recoverShort(_ position: UInt32, _ side: Side) {
    let owned = owned(position, side)
    // Without cover there is none to lose, without anything to cover with there is none to gain.
    let available = positions[position].available(side)
    if owned.pointee.covered == 0, available <= 0 { return }
    takeBack(owned, side, available)
    if owned.pointee.covered < available {
      sortOwned(owned, side)
      gains(position, owned, side)
      invariant(
        owned.pointee.covered <= positions[position].available(side),
        "the same energy backs no two live quantities")
    }
  }

  /// Takes from one side's orders what is more than their share of `available`.
  @inline(__always) private mutating func takeBack(
    _ owned: OwnedRow, _ side: Side, _ available: Int64
  ) {
    if available < owned.pointee.fairFrom {
      sortOwned(owned, side)
      losses(owned, available)
    }
    owned.pointee.fairFrom = available
    invariant(owned.pointee.covered <= available, "no more covered than there is")
  }

  /// Takes the cover that one side of a position has no longer, and gives none.
  mutating func loseCover(_ position: UInt32, _ side: Side) {
    invariant(position != 0 && position <= positionCount, "a position of the table")
    let owned = owned(position, side)
    let available = positions[position].available(side)
    if owned.pointee.covered <= available && owned.pointee.eligible <= available { return }
    takeBack(owned, side, available)
  }

  private mutating func losses(_ owned: OwnedRow, _ available: Int64) {
    if owned.pointee.covered == 0 { return }
    var before = owned.pointee.eligible
    var slot = owned.pointee.tail
    while slot != 0 {
      let previous = orders.places[slot].ownerPrevious
      let order = orders.address(of: slot)
      let instrument = instruments.address(of: order.pointee.instrument)
      if instrument.pointee.state != .halted {
        let (leaves, held) = (order.pointee.leaves, order.pointee.covered)
        before -= leaves
        // Those that wait have nothing to lose.
        if held > 0 {
          let target = cover(
            available, before: before, leaves: leaves, lot: instrument.pointee.lot)
          if target < held { reduceCover(open(order, slot), owned, to: target) }
          if target == leaves { return }
        }
      }
      slot = previous
    }
    invariant(before == 0, "what is eligible is the sum of the orders")
  }

  private mutating func gains(_ position: UInt32, _ owned: OwnedRow, _ side: Side) {
    var before: Int64 = 0
    var slot = owned.pointee.head
    while slot != 0 {
      let available = positions[position].available(side)
      invariant(before >= 0 && owned.pointee.covered >= 0, "sums of what is not negative")
      // No order has more than its share now: when all together have everything, each has its share.
      if available <= before || owned.pointee.covered >= available { return }
      let next = orders.places[slot].ownerNext
      let order = orders.address(of: slot)
      let instrument = instruments.address(of: order.pointee.instrument)
      if instrument.pointee.state != .halted {
        let target = cover(
          available, before: before, leaves: order.pointee.leaves, lot: instrument.pointee.lot)
        if order.pointee.covered < target { raiseCover(open(order, slot), owned, to: target) }
        if order.pointee.marks.isOpen { before += order.pointee.leaves }
      }
      slot = next
    }
  }

  /// Takes cover from an order in the live book; without any it waits.
  private mutating func reduceCover(_ order: OpenOrder, _ owned: OwnedRow, to target: Int64) {
    let lost = order.pointee.covered - target
    invariant(lost > 0 && target >= 0, "some of its cover is taken, and no more")
    if target == 0 {
      moveToWaiting(order)
    } else {
      ladder.levels[order.pointee.level].live -= lost
    }
    order.pointee.covered = target
    owned.pointee.covered -= lost
    invariant(owned.pointee.covered >= 0, "no more cover lost than there was")
    emitState(order, .restated, waitReason(order))
    showIceberg(order)
  }

  /// Gives cover to an order: in place when it is live already, else it enters the live book.
  private mutating func raiseCover(_ order: OpenOrder, _ owned: OwnedRow, to target: Int64) {
    let gained = target - order.pointee.covered
    invariant(gained > 0 && target <= order.pointee.leaves, "cover for what is open, and no more")
    let entersLive = order.pointee.covered == 0
    if entersLive, order.pointee.marks.isPostOnly, crosses(order) {
      remove(order, .postOnly)
      return
    }
    if entersLive {
      leave(order)
    } else {
      ladder.levels[order.pointee.level].live += gained
    }
    order.pointee.covered = target
    owned.pointee.covered += gained
    invariant(owned.pointee.covered <= owned.pointee.eligible, "no more covered than eligible")
    emitState(order, .restated, waitReason(order))
    if entersLive { matchAndRest(order) } else { showIceberg(order) }
  }
}

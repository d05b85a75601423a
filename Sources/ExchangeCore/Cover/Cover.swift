// Cover (section 4): which open quantity can execute, and the queue that keeps it so.

import MarketModel

extension Exchange {
  // MARK: The function

  /// What of an order with `leaves` is covered when `before` Wh stand before it.
  @inline(__always) func cover(_ available: Int64, before: Int64, leaves: Int64, lot: Int64)
    -> Int64
  {
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
    let available = balances.positions.row(position).value.backing(side)
    let own = slot == 0 ? 0 : orders[slot].leaves
    if owned.eligible - own + leaves <= available { return leaves }
    return coverOnEntry(
      owned, available, side, price: price, leaves: leaves, lot: lot, besides: slot)
  }

  private func coverOnEntry(
    _ owned: PositionSideRow, _ available: Int64, _ side: Side, price: Int64, leaves: Int64,
    lot: Int64,
    besides slot: UInt32
  ) -> Int64 {
    if available <= 0 { return 0 }
    invariant(leaves > 0 && lot > 0, "cover for some lots")
    sortOwned(owned, side)
    var before: Int64 = 0
    var other = owned.head
    while other != 0, before < available {
      let isBetter =
        side == .sell ? orders.links[other].price <= price : orders.links[other].price >= price
      if !isBetter { break }
      if other != slot, !isHalted(open(other)) { before += orders[other].leaves }
      other = orders.links[other].ownerNext
    }
    invariant(before >= 0, "what stands before is not negative")
    return cover(available, before: before, leaves: leaves, lot: lot)
  }

  // MARK: Re-covering

  /// Makes the cover of one side of a position what the function says: losses, then gains.
  @inline(__always) mutating func recalculateCover(_ position: UInt32, _ side: Side) {
    if !isFullyCovered(balances.positions.row(position), owned(position, side), side) {
      recalculatePartialCover(position, side)
    }
  }

  mutating func recalculatePartialCover(_ position: UInt32, _ side: Side) {
    let owned = owned(position, side)
    // Without cover there is none to lose, without anything to cover with there is none to gain.
    let available = balances.positions[position].available(side)
    if owned.covered == 0, available <= 0 { return }
    reduceToShares(owned, side, available)
    if owned.covered < available {
      sortOwned(owned, side)
      raiseBestFirst(position, owned, side)
      invariant(
        owned.covered <= balances.positions[position].available(side),
        "the same energy backs no two live quantities")
    }
  }

  /// Takes from one side's orders what is more than their share of `available`.
  @inline(__always) private mutating func reduceToShares(
    _ owned: PositionSideRow, _ side: Side, _ available: Int64
  ) {
    if available < owned.excessBelow {
      sortOwned(owned, side)
      reduceWorstFirst(owned, available)
    }
    owned.noteNoExcess(from: available)
    invariant(owned.covered <= available, "no more covered than there is")
  }

  /// Takes the cover that one side of a position has no longer, and gives none.
  mutating func removeExcessCover(_ position: UInt32, _ side: Side) {
    invariant(position != 0 && position <= balances.positionCount, "a position of the table")
    let owned = owned(position, side)
    let available = balances.positions[position].available(side)
    if owned.covered <= available && owned.eligible <= available { return }
    reduceToShares(owned, side, available)
  }

  private mutating func reduceWorstFirst(_ owned: PositionSideRow, _ available: Int64) {
    if owned.covered == 0 { return }
    var before = owned.eligible
    var slot = owned.tail
    while slot != 0 {
      let previous = orders.links[slot].ownerPrevious
      let order = orders.row(slot)
      let instrument = products.instruments.row(order.instrument)
      if !instrument.isHalted {
        let (leaves, held) = (order.leaves, order.covered)
        before -= leaves
        // Those that wait have nothing to lose.
        if held > 0 {
          let target = cover(
            available, before: before, leaves: leaves, lot: instrument.lot)
          if target < held { reduceCover(open(order, slot), owned, to: target) }
          if target == leaves { return }
        }
      }
      slot = previous
    }
    invariant(before == 0, "what is eligible is the sum of the orders")
  }

  private mutating func raiseBestFirst(_ position: UInt32, _ owned: PositionSideRow, _ side: Side) {
    var before: Int64 = 0
    var slot = owned.head
    while slot != 0 {
      let available = balances.positions[position].available(side)
      invariant(before >= 0 && owned.covered >= 0, "sums of what is not negative")
      // No order has more than its share now: when all together have everything, each has its share.
      if available <= before || owned.covered >= available { return }
      let next = orders.links[slot].ownerNext
      let order = orders.row(slot)
      let instrument = products.instruments.row(order.instrument)
      if !instrument.isHalted {
        let target = cover(
          available, before: before, leaves: order.leaves, lot: instrument.lot)
        if order.covered < target { raiseCover(open(order, slot), owned, to: target) }
        if order.marks.isOpen { before += order.leaves }
      }
      slot = next
    }
  }

  /// Takes cover from an order in the live book; without any it waits.
  private mutating func reduceCover(_ order: OpenOrder, _ owned: PositionSideRow, to target: Int64)
  {
    let lost = order.covered - target
    invariant(lost > 0 && target >= 0, "some of its cover is taken, and no more")
    if target == 0 {
      moveToWaiting(order)
    } else {
      books.ladder.levels.row(order.level).cover(by: -lost)
    }
    order.row.cover(target)
    owned.cover(by: -lost)
    invariant(owned.covered >= 0, "no more cover lost than there was")
    emitState(order, .restated, waitReason(order))
    showSpecial(order)
  }

  /// Gives cover to an order: in place when it is live already, else it enters the live book.
  private mutating func raiseCover(_ order: OpenOrder, _ owned: PositionSideRow, to target: Int64) {
    let gained = target - order.covered
    invariant(gained > 0 && target <= order.leaves, "cover for what is open, and no more")
    let entersLive = order.covered == 0
    if entersLive, order.marks.isPostOnly, crosses(order) {
      cancelInFull(order, .postOnly)
      return
    }
    if entersLive {
      removeFromLevel(order)
    } else {
      books.ladder.levels.row(order.level).cover(by: gained)
    }
    order.row.cover(target)
    owned.cover(by: gained)
    invariant(owned.covered <= owned.eligible, "no more covered than eligible")
    emitState(order, .restated, waitReason(order))
    if entersLive { matchAndRest(order) } else { showSpecial(order) }
  }
}

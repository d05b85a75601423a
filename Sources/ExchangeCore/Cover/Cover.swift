// Cover (section 4): the part of the open quantity that can execute, and its recalculation.

import MarketModel

extension Exchange {
  // MARK: The function

  /// The covered quantity of an order with `leaves` Wh when better orders of its owner need
  /// `before` Wh of the available amount. Whole lots.
  @inline(__always) func cover(_ available: Int64, before: Int64, leaves: Int64, lot: Int64)
    -> Int64
  {
    let left = available - before
    if left >= leaves { return leaves }
    if left <= 0 { return 0 }
    return lot == 1 ? left : left - left % lot
  }

  /// The cover that an order would get if it entered `position` now, behind orders of equal price.
  ///
  /// One comparison when the side stays fully covered; otherwise a walk over the better orders.
  /// - Parameter slot: An order to leave out because it is being replaced; 0: none.
  @inline(always) func coverOnEntry(
    _ position: UInt32, _ side: Side, price: Int64, leaves: Int64, lot: Int64,
    besides slot: UInt32 = 0
  ) -> Int64 {
    let owned = owned(position, side)
    let available = balances.positions.row(position).value.backing(side)
    let own = slot == 0 ? 0 : orders[slot].leaves
    if owned.eligible - own + leaves <= available { return leaves }
    if available <= 0 { return 0 }
    sortOwned(owned, side)
    let number = SideNumber(position, side)
    if hasBlocks(number) {
      return coverInBlocks(
        number, available, side, price: price, leaves: leaves, lot: lot, besides: slot)
    }
    return coverOnEntry(
      owned, available, side, price: price, leaves: leaves, lot: lot, besides: slot)
  }

  private func coverInBlocks(
    _ number: SideNumber, _ available: Int64, _ side: Side, price: Int64, leaves: Int64,
    lot: Int64, besides slot: UInt32
  ) -> Int64 {
    var own: Int64 = 0
    if slot != 0, !isHalted(open(slot)) {
      let resting = orders.links[slot].price
      own = side.select(sell: price - resting, buy: resting - price) >= 0 ? orders[slot].leaves : 0
    }
    // Both are at most a sum of leaves of one side.
    let before =
      leavesInBlocks(at: price, number, side, until: available + own) - own
    return before < available ? cover(available, before: before, leaves: leaves, lot: lot) : 0
  }

  private func coverOnEntry(
    _ owned: PositionSideRow, _ available: Int64, _ side: Side, price: Int64, leaves: Int64,
    lot: Int64,
    besides slot: UInt32
  ) -> Int64 {
    invariant(leaves > 0 && lot > 0, "leaves and lot are positive")
    var before: Int64 = 0
    var visited: UInt64 = 0
    var other = owned.head
    while other != 0, before < available {
      visited &+= 1
      let isBetter =
        side == .sell ? orders.links[other].price <= price : orders.links[other].price >= price
      if !isBetter { break }
      if other != slot, !isHalted(open(other)) { before += orders[other].leaves }
      other = orders.links[other].ownerNext
    }
    noteVisited(visited)
    invariant(before >= 0, "the quantity of better orders is at least 0")
    return cover(available, before: before, leaves: leaves, lot: lot)
  }

  // MARK: Recalculation

  /// Recalculates the cover of one side of a position: first removes excess cover, then adds
  /// missing cover.
  @inline(__always) mutating func recalculateCover(_ position: UInt32, _ side: Side) {
    if !isFullyCovered(balances.positions.row(position), owned(position, side), side) {
      recalculatePartialCover(position, side)
    }
  }

  /// Recalculates the cover of a side that is not fully covered.
  mutating func recalculatePartialCover(_ position: UInt32, _ side: Side) {
    let owned = owned(position, side)
    let available = balances.positions[position].available(side)
    // Nothing to remove and nothing to add.
    if owned.covered == 0, available <= 0 { return }
    let number = SideNumber(position, side)
    reduceToShares(owned, number, side, available)
    if owned.covered < available {
      sortOwned(owned, side)
      divideIfLong(owned, number)
      raiseBestFirst(position, owned, side)
      invariant(
        owned.covered <= balances.positions[position].available(side),
        "cover is at most what the position has available")
    }
  }

  /// Reduces the cover of one side's orders to their shares of `available` Wh.
  @inline(__always) private mutating func reduceToShares(
    _ owned: PositionSideRow, _ number: SideNumber, _ side: Side, _ available: Int64
  ) {
    if available < owned.excessBelow {
      sortOwned(owned, side)
      divideIfLong(owned, number)
      reduceWorstFirst(owned, number, available)
    }
    owned.noteNoExcess(from: available)
    invariant(owned.covered <= available, "cover is at most what is available")
  }

  /// Removes the cover of one side that exceeds what its position has available. Adds none.
  mutating func removeExcessCover(_ position: UInt32, _ side: Side) {
    invariant(
      position != 0 && position <= balances.positionCount, "the position is within the table")
    let owned = owned(position, side)
    let available = balances.positions[position].available(side)
    if owned.covered <= available && owned.eligible <= available { return }
    reduceToShares(owned, SideNumber(position, side), side, available)
  }

  /// Reduces excess cover, from the order with the lowest priority upwards.
  private mutating func reduceWorstFirst(
    _ owned: PositionSideRow, _ number: SideNumber, _ available: Int64
  ) {
    if owned.covered == 0 { return }
    var (slot, before) = hasBlocks(number) ? lastInBlocks(owned) : (owned.tail, owned.eligible)
    var visited: UInt64 = 0
    defer { noteVisited(visited) }
    while slot != 0 {
      visited &+= 1
      let previous = orders.links[slot].ownerPrevious
      let order = orders.row(slot)
      let instrument = products.instruments.row(order.instrument)
      if !instrument.isHalted {
        let (leaves, held) = (order.leaves, order.covered)
        before -= leaves
        // An order that only waits has no cover to remove.
        if held > 0 {
          let target = cover(
            available, before: before, leaves: leaves, lot: instrument.lot)
          if target < held { reduceCover(open(order, slot), owned, to: target) }
          if target == leaves { return }
        }
      }
      slot = previous
    }
    invariant(before == 0, "eligible is the sum of the orders' leaves")
  }

  /// Adds missing cover, from the order with the highest priority downwards.
  private mutating func raiseBestFirst(_ position: UInt32, _ owned: PositionSideRow, _ side: Side) {
    let number = SideNumber(position, side)
    var (slot, before) = hasBlocks(number) ? firstInBlocks(number) : (owned.head, 0)
    var visited: UInt64 = 0
    defer { noteVisited(visited) }
    while slot != 0 {
      visited &+= 1
      let available = balances.positions[position].available(side)
      invariant(before >= 0 && owned.covered >= 0, "sums of quantities are at least 0")
      // No order has excess cover here, so once everything available is used, each order has its
      // share.
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

  /// Reduces the cover of a live order; without cover it moves to the waiting list.
  private mutating func reduceCover(_ order: OpenOrder, _ owned: PositionSideRow, to target: Int64)
  {
    let lost = order.covered - target
    invariant(lost > 0 && target >= 0, "cover falls, to 0 at the lowest")
    if target == 0 {
      moveToWaiting(order)
    } else {
      books.ladder.levels.row(order.level).cover(by: -lost)
    }
    order.row.cover(target)
    owned.cover(by: -lost)
    changeBlock(order, leaves: 0, covered: -lost)
    invariant(owned.covered >= 0, "the covered sum is at least 0")
    emitState(order, .restated, waitReason(order))
    showSpecial(order)
  }

  /// Raises the cover of an order. A live order keeps its place; a waiting one enters the live book
  /// and may trade. A post-only order that would trade is cancelled instead.
  private mutating func raiseCover(_ order: OpenOrder, _ owned: PositionSideRow, to target: Int64) {
    let gained = target - order.covered
    invariant(gained > 0 && target <= order.leaves, "cover rises, to the leaves at the most")
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
    changeBlock(order, leaves: 0, covered: gained)
    invariant(owned.covered <= owned.eligible, "covered is at most eligible")
    emitState(order, .restated, waitReason(order))
    if entersLive { matchAndRest(order) } else { showSpecial(order) }
  }
}

// Halting, opening and closing an instrument (sections 2 and 5), and the effect on its orders.

import MarketModel

extension Exchange {
  // MARK: States

  mutating func setInstrumentState(_ change: SetInstrumentState, _ request: Request) {
    var refusal = permission(request, .administration)
    if refusal == nil, !exists(change.instrument) {
      refusal = Refusal(.unknownInstrument, capacity.instruments)
    }
    let number = change.instrument.rawValue
    if refusal == nil, products.instruments[number].isClosed, change.state != .closed {
      refusal = Refusal(.instrumentClosed)
    }
    if let refusal { return reject(refusal, request) }
    if products.instruments[number].state != change.state {
      emit(.reference(.instrumentStateChanged(change)))
      transition(to: change.state, number, .buy)
      transition(to: change.state, number, .sell)
      checkEmptied(number, change.state)
      invariant(
        !products.instruments[number].isClosed, "a closed instrument stays closed")
      products.instruments[number].state = change.state
      drain()
    }
    acknowledge(request)
  }

  /// Checks the postcondition of a state change: no live orders unless the instrument is open, and
  /// no orders when it is closed.
  private func checkEmptied(_ instrument: UInt32, _ state: InstrumentState) {
    for side in [Side.buy, .sell] {
      let book = books.sides.row(bookIndex(instrument, side))
      invariant(state == .open || book.bestLevel == 0, "only an open instrument has live orders")
      invariant(
        (book.bestLevel == 0) == (book.bestKey == Ladder.none),
        "a best level has a key")
      invariant(state != .closed || book.root == 0, "a closed instrument has no orders")
    }
  }

  /// Halts, reopens or cancels every order of one side, in book order. The instrument still has its
  /// former state.
  private mutating func transition(
    to state: InstrumentState, _ instrument: UInt32, _ side: Side
  ) {
    let book = bookIndex(instrument, side)
    var level = books.ladder.first(in: books.sides[book], live: false)
    while level != 0 {
      let next = books.ladder.next(after: level, in: books.sides[book], live: false)
      // Live orders move to the tail of the waiting list, so the walk is bounded by the count
      // before it.
      var left = books.ladder.levels[level].count
      var slot = firstOf(level)
      while left > 0, slot != 0 {
        left -= 1
        let order = open(slot)
        invariant(
          order.level == level && order.row.instrument == instrument
            && order.side == side, "an order in a list of a level belongs to the level and its book"
        )
        let following = following(order, level)
        switch state {
        case .halted: halt(order)
        case .open: reopen(order)
        case .closed: cancelInFull(order, .closed)
        }
        slot = following
      }
      invariant(left == 0, "the walk visited every order of the level")
      level = next
    }
  }

  /// The first order of a level in book order: live queue before waiting list.
  private func firstOf(_ level: UInt32) -> UInt32 {
    let live = books.ladder.levels[level].liveHead
    return live != 0 ? live : books.ladder.levels[level].waitingHead
  }

  /// The order after `order` in book order; 0 after the last.
  private func following(_ order: OpenOrder, _ level: UInt32) -> UInt32 {
    invariant(order.level == level, "the order belongs to the level")
    let next = order.links.next
    invariant(next == 0 || orders[next].level == level, "the orders of a list belong to one level")
    if next != 0 { return next }
    return order.covered > 0 ? books.ladder.levels[level].waitingHead : 0
  }

  private mutating func halt(_ order: OpenOrder) {
    let owned = order.owned
    let covered = order.covered
    invariant(order.level != 0, "an order that is halted rests")
    invariant(covered >= 0 && covered <= order.leaves, "covered is at most leaves")
    if covered > 0 { moveToWaiting(order) }
    order.row.cover(0)
    owned.halt(leaves: order.leaves, covered: covered)
    changeBlock(order, leaves: -order.leaves, covered: -covered)
    emitState(order, .restated, .halted)
    showSpecial(order)
    touch(order.position)
  }

  private mutating func reopen(_ order: OpenOrder) {
    let owned = order.owned
    invariant(order.covered == 0, "a halted order has no cover")
    invariant(order.level != 0, "an order that is reopened rests")
    owned.reopen(leaves: order.leaves)
    changeBlock(order, leaves: order.leaves, covered: 0)
    touch(order.position)
  }
}

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
    walkBook(instrument, side) { exchange, order in
      switch state {
      case .halted: exchange.halt(order)
      case .open: exchange.reopen(order)
      case .closed: exchange.cancelInFull(order, .closed)
      }
    }
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

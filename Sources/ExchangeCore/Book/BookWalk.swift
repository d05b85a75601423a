// Walks over the resting orders of one side of a book that may change or end the orders.

import MarketModel

extension Exchange {
  /// Calls `body` with every order of one side of a book, in book order (section 4). `body` may
  /// end the order, take it out of its level or move it to the waiting list of its level.
  mutating func walkBook(
    _ instrument: UInt32, _ side: Side, _ body: (inout Exchange, OpenOrder) -> Void
  ) {
    let book = bookIndex(instrument, side)
    var level = books.ladder.first(in: books.sides[book], live: false)
    while level != 0 {
      let next = books.ladder.next(after: level, in: books.sides[book], live: false)
      // Live orders may move to the tail of the waiting list, so the walk is bounded by the count
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
        body(&self, order)
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

  // MARK: Another ladder

  /// Gives both sides of a book the ladder of the changed definition `changed`, which becomes the
  /// instrument's. Resting orders keep their priority. Each level counts for the account of its
  /// first order. Linear in the instrument's orders.
  mutating func rebuildBook(_ instrument: UInt32, _ changed: Instrument) {
    let firstBid = takeOut(instrument, .buy)
    let firstAsk = takeOut(instrument, .sell)
    products.instruments[instrument] = changed
    for side in [Side.buy, .sell] {
      invariant(
        books.sides[bookIndex(instrument, side)].root == 0, "no order is left in the old ladder")
      books.sides[bookIndex(instrument, side)] = BookSide(depth: ladderDepth(changed))
    }
    putBack(firstBid)
    putBack(firstAsk)
  }

  /// Takes all orders of one side out of their levels and links them in book order.
  /// - Returns: The first of them; 0: there is none.
  private mutating func takeOut(_ instrument: UInt32, _ side: Side) -> UInt32 {
    var (first, last) = (UInt32(0), UInt32(0))
    walkBook(instrument, side) { exchange, order in
      exchange.removeFromLevel(order)
      order.links.next = 0
      if last == 0 { first = order.slot } else { exchange.orders.links[last].next = order.slot }
      last = order.slot
    }
    return first
  }

  private mutating func putBack(_ first: UInt32) {
    var slot = first
    while slot != 0 {
      let next = orders.links[slot].next
      place(open(slot))
      invariant(orders[slot].level != 0, "an order that is put back rests")
      slot = next
    }
  }

  /// The depth of the ladder: how many digits of 6 bits the keys of the band have.
  func ladderDepth(_ instrument: Instrument) -> UInt32 {
    let highestKey = (instrument.highest - instrument.lowest) / instrument.tick
    invariant(highestKey >= 0 && highestKey < Limit.bandTicks, "the band is within its bound")
    let bits = UInt32(Int64.bitWidth - max(highestKey, 1).leadingZeroBitCount)
    return (bits + 5) / 6
  }
}

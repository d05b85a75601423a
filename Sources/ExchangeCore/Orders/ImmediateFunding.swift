// The cash of an immediate order whose reservation at its limit does not fit (section 6). It never
// rests, so it needs no more than the orders that it would meet cost: a walk over the live book.
//
//     level by level, best first:   displayed quantity in order of the queue, then hidden quantity
//     of other accounts             costs what a reservation at the level's price would be
//     own                           ends the walk, is passed over, or takes from the order's quantity
//
// The order trades before anything else can use the cash, so nothing is moved into a reservation: it
// reserves 0 per lot, and pays from the free cash.

import MarketModel

/// The parts of one level that a walk has counted, Wh.
private struct WalkedLevel {
  /// What the order would trade with other accounts.
  var traded: Int64 = 0
  /// Hidden quantity of other accounts and of the owner.
  var hidden: Int64 = 0
  var ownHidden: Int64 = 0
}

extension Exchange {
  /// What an immediate order needs instead of a reservation at its limit; `nil`: more than the free
  /// cash. Since version 6 of the rules. Linear in the orders that it would meet.
  ///
  /// It takes the entry by value: of an entry whose address is known outside the inlined rules no
  /// part could stay in a register.
  @inline(never) func costOfWalk(_ order: NewOrderRow, _ entry: Entry, _ free: Int64) -> Int64? {
    if order.side == .buy, free < 0 { return nil }
    return walkCost(order, entry, atMost: max(0, free))
  }

  /// What the order would cost at most, with the fees of section 6; `nil`: more than `budget`.
  private func walkCost(_ order: NewOrderRow, _ entry: Entry, atMost budget: Int64) -> Int64? {
    let side = order.side.opposite
    let book = books.sides[bookIndex(order.instrument.rawValue, side)]
    let limit = entry.instrument.value.key(entry.price, side)
    var left = coverAtEntry(order, entry)
    var cost: Int64 = 0
    var level = book.bestLevel
    while level != 0, left > 0, books.ladder.levels[level].key <= limit {
      let (walked, ends) = walk(level, order, entry, &left)
      if walked.traded > 0 {
        let price = entry.instrument.value.price(books.ladder.levels[level].key, side)
        guard let perLot = reservePerLot(entry.instrument, order.side, price) else { return nil }
        let (more, isTooMuch) = perLot.multipliedReportingOverflow(
          by: entry.instrument.value.lots(walked.traded))
        if isTooMuch || more > budget - cost { return nil }
        cost += more
      }
      if ends { return cost }
      level = books.ladder.next(after: level, in: book, live: true)
    }
    return cost
  }

  /// Counts what the order would meet at a level; `left` is the quantity that it still has.
  /// - Returns: What it counted, and whether self-trade prevention ends the order there.
  private func walk(
    _ level: UInt32, _ order: NewOrderRow, _ entry: Entry, _ left: inout Int64
  ) -> (WalkedLevel, ends: Bool) {
    var walked = WalkedLevel()
    var slot = books.ladder.levels[level].liveHead
    while slot != 0, left > 0 {
      let resting = open(slot)
      let shown = displayedLive(resting)
      let hidden = resting.covered - shown
      if isOwn(resting, of: order, entry) {
        switch order.selfTradePrevention {
        case .cancelNewer, .cancelBoth: return (walked, true)
        case .cancelOlder: break
        case .decrementBoth:
          left -= min(left, shown)
          walked.ownHidden += hidden
        }
      } else {
        let quantity = min(left, shown)
        left -= quantity
        walked.traded += quantity
        walked.hidden += hidden
      }
      slot = orders.links[slot].next
    }
    // Icebergs take turns; the dearest order of them is that others come first.
    let quantity = min(left, walked.hidden)
    walked.traded += quantity
    left -= quantity
    left -= min(left, walked.ownHidden)
    invariant(left >= 0 && walked.traded >= 0, "quantities are at least 0")
    return (walked, false)
  }

  /// Whether the prevention of self-trades of an order that enters applies to a resting one.
  private func isOwn(_ resting: OpenOrder, of order: NewOrderRow, _ entry: Entry) -> Bool {
    resting.position == entry.position
      || entry.selfTrade == .participant
        && resting.owner.participant == accounts[order.account.rawValue].participant
  }
}

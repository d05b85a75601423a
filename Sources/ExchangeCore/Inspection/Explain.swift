// The explanation of why an open order does not trade (section 12), for reports, the command line
// and the web page.

import MarketModel

extension Exchange {
  /// Explains why an open order does not trade. Allocates; walks the account's orders and the
  /// better levels.
  /// - Returns: `nil` when no open order has that id.
  public func explain(_ order: OrderId) -> OrderExplanation? {
    guard let row = find(order) else { return nil }
    let slot = order.slot
    var reasons: [OrderExplanation.Reason] = []
    if isHalted(row) {
      reasons.append(.instrumentHalted)
    } else if orders[slot].covered < orders[slot].leaves {
      reasons.append(waiting(slot))
    }
    if orders[slot].covered > 0 {
      let ahead = liveAhead(of: slot)
      if ahead > 0 { reasons.append(.behind(Energy(wattHours: ahead))) }
      reasons.append(otherSide(of: slot))
    }
    return OrderExplanation(state: state(row), reasons: reasons)
  }

  private func waiting(_ slot: UInt32) -> OrderExplanation.Reason {
    invariant(orders[slot].leaves > orders[slot].covered, "part of the order waits")
    var blockers: [OrderExplanation.Blocker] = []
    var other = open(slot).owned.head
    while other != 0 {
      if other != slot, orders[other].covered > 0, isBefore(other, slot) {
        blockers.append(OrderExplanation.Blocker(state(open(other))))
      }
      other = orders.links[other].ownerNext
    }
    blockers.sort { $0.order < $1.order }
    return orders[slot].side == .sell ? .awaitingEnergy(blockers) : .awaitingHeadroom(blockers)
  }

  private func liveAhead(of slot: UInt32) -> Int64 {
    let book = books.sides[bookIndex(orders[slot].instrument, orders[slot].side)]
    var ahead: Int64 = 0
    var level = book.bestLevel
    while level != 0, level != orders[slot].level {
      ahead += orders.highestIceberg == 0 ? books.ladder.levels[level].live : displayed(in: level)
      level = books.ladder.next(after: level, in: book, live: true)
    }
    var other = orders.links[slot].previous
    while other != 0 {
      invariant(
        orders[other].level == orders[slot].level, "the orders of a list belong to one level")
      ahead += displayed(open(other)).live
      other = orders.links[other].previous
    }
    return ahead
  }

  /// The displayed live quantity of a level, Wh; the hidden quantity of icebergs is left out.
  private func displayed(in level: UInt32) -> Int64 {
    invariant(books.ladder.levels[level].liveHead != 0, "a live level has a live order")
    var sum: Int64 = 0
    var slot = books.ladder.levels[level].liveHead
    while slot != 0 {
      sum += displayed(open(slot)).live
      slot = orders.links[slot].next
    }
    return sum
  }

  private func otherSide(of slot: UInt32) -> OrderExplanation.Reason {
    let side = orders[slot].side.opposite
    let instrument = orders[slot].instrument
    let book = books.sides[bookIndex(instrument, side)]
    if book.bestLevel == 0 { return .noCrossingPrice(best: nil) }
    let best = books.ladder.levels[book.bestLevel].liveHead
    invariant(best != 0, "the best level has a live order")
    invariant(orders[best].side == side, "the best order is on the opposite side")
    if orders[best].position == orders[slot].position {
      return .ownOrder(OrderExplanation.Blocker(state(open(best))))
    }
    return .noCrossingPrice(best: Price(ticks: orders.links[best].price))
  }
}

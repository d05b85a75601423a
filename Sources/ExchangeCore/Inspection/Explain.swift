// The explanation of why an open order does not trade (section 12), for reports, the command line
// and the web page.

import MarketModel

/// The bound of the walks of one explanation.
private struct Walk {
  /// The most orders and levels that an explanation visits: about 0.1 ms of the matching thread.
  private static let most = 4_096
  private var left = Walk.most
  /// Whether the bound ended a walk.
  private(set) var isExhausted = false

  /// Counts a step, when there is one to take.
  /// - Returns: `false` when the walk must end.
  mutating func step() -> Bool {
    if left == 0 {
      isExhausted = true
      return false
    }
    left -= 1
    invariant(left >= 0 && !isExhausted, "a walk ends at its bound")
    return true
  }
}

extension Exchange {
  /// Explains why an open order does not trade. Allocates; walks the account's orders and the
  /// better levels, up to 4,096 of them together.
  /// - Returns: `nil` when no open order has that id.
  public func explain(_ order: OrderId) -> OrderExplanation? {
    guard let row = find(order) else { return nil }
    let slot = order.slot
    var walk = Walk()
    var explanation = OrderExplanation(state: state(row), reasons: [])
    if isHalted(row) {
      explanation.reasons.append(.instrumentHalted)
    } else if orders[slot].covered < orders[slot].leaves {
      explanation.reasons.append(waiting(slot, &walk))
      explanation.hasMoreBlockers = walk.isExhausted
    }
    if orders[slot].covered > 0 {
      let ahead = liveAhead(of: slot, &walk)
      explanation.isAheadPartial = walk.isExhausted
      if ahead > 0 || walk.isExhausted {
        explanation.reasons.append(.behind(Energy(wattHours: ahead)))
      }
      explanation.reasons.append(otherSide(of: slot))
    }
    return explanation
  }

  private func waiting(_ slot: UInt32, _ walk: inout Walk) -> OrderExplanation.Reason {
    invariant(orders[slot].leaves > orders[slot].covered, "part of the order waits")
    var blockers: [OrderExplanation.Blocker] = []
    var other = open(slot).owned.head
    while other != 0, walk.step() {
      if other != slot, orders[other].covered > 0, isBefore(other, slot) {
        blockers.append(OrderExplanation.Blocker(state(open(other))))
      }
      other = orders.links[other].ownerNext
    }
    blockers.sort { $0.order < $1.order }
    return orders[slot].side == .sell ? .awaitingEnergy(blockers) : .awaitingHeadroom(blockers)
  }

  /// The displayed live quantity that has priority over an order, Wh.
  private func liveAhead(of slot: UInt32, _ walk: inout Walk) -> Int64 {
    let book = books.sides[bookIndex(orders[slot].instrument, orders[slot].side)]
    var ahead: Int64 = 0
    var level = book.bestLevel
    while level != 0, level != orders[slot].level, walk.step() {
      let hasIcebergs = orders.highestIceberg != 0
      ahead += hasIcebergs ? displayed(in: level, &walk) : books.ladder.levels[level].live
      level = books.ladder.next(after: level, in: book, live: true)
    }
    var other = orders.links[slot].previous
    while other != 0, walk.step() {
      invariant(
        orders[other].level == orders[slot].level, "the orders of a list belong to one level")
      ahead += displayed(open(other)).live
      other = orders.links[other].previous
    }
    return ahead
  }

  /// The displayed live quantity of a level, Wh; the hidden quantity of icebergs is left out.
  private func displayed(in level: UInt32, _ walk: inout Walk) -> Int64 {
    invariant(books.ladder.levels[level].liveHead != 0, "a live level has a live order")
    var sum: Int64 = 0
    var slot = books.ladder.levels[level].liveHead
    while slot != 0, walk.step() {
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
    if isOwn(open(best), of: open(slot)) {
      return .ownOrder(OrderExplanation.Blocker(state(open(best))))
    }
    return .noCrossingPrice(best: Price(ticks: orders.links[best].price))
  }
}

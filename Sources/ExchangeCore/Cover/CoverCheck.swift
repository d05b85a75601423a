// The full check of cover (section 4, invariant 2), for tests, simulations and diagnosis.

import MarketModel

extension Exchange {
  func checkCover(_ position: UInt32, _ side: Side, _ violations: inout [String]) {
    let owned = owned(position, side)
    var name: String {
      "account \(balances.positions[position].account) area \(balances.positions[position].area) \(side)"
    }
    let available = balances.positions[position].available(side)
    // The drain reached its bound: the next command recalculates the cover of this position.
    let isDue = touched.hasBacklog && balances.positions[position].isTouched
    var (eligible, halted, covered, count) = (Int64(0), Int64(0), Int64(0), UInt32(0))
    var slot = owned.head
    while slot != 0 {
      count += 1
      covered += orders[slot].covered
      if isHalted(open(slot)) {
        halted += orders[slot].leaves
        if orders[slot].covered != 0 { violations.append("\(name): a halted order has cover") }
      } else {
        eligible += orders[slot].leaves
        let before = leavesBefore(slot, owned)
        let (leaves, lot) = (orders[slot].leaves, products.instruments[orders[slot].instrument].lot)
        let due = cover(available, before: before, leaves: leaves, lot: lot)
        if !isDue, due != orders[slot].covered {
          violations.append(
            "\(name): order \(orders.id(slot).rawValue) has cover \(orders[slot].covered), not \(due)"
          )
        }
        let share = cover(owned.excessBelow, before: before, leaves: leaves, lot: lot)
        if share < orders[slot].covered {
          violations.append("\(name): excess cover at \(owned.excessBelow): the share is \(share)")
        }
      }
      slot = orders.links[slot].ownerNext
    }
    let row = owned.value
    if (eligible, halted, covered, count) != (row.eligible, row.halted, row.covered, row.count) {
      violations.append("\(name): sums \((eligible, halted, covered, count)) differ from \(row)")
    }
    if !isDue, covered > available {
      violations.append("\(name): covers \(covered) with \(available)")
    }
  }

  private func leavesBefore(_ slot: UInt32, _ owned: PositionSideRow) -> Int64 {
    var sum: Int64 = 0
    var other = owned.head
    while other != 0 {
      if other != slot, !isHalted(open(other)), isBefore(other, slot) {
        sum += orders[other].leaves
      }
      other = orders.links[other].ownerNext
    }
    return sum
  }
}

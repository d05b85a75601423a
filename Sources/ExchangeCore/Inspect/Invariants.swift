// The full walk of the invariants (section 4): for tests, simulation and an operator in doubt.

import MarketModel

extension Exchange {
  /// Every invariant that does not hold, as a sentence; empty in a healthy exchange.
  ///
  /// Walks everything: linear in the state, quadratic in the open orders of one account.
  public func invariantViolations() -> [String] {
    var violations: [String] = []
    for number in stride(from: 1, through: capacity.instruments, by: 1)
    where instruments[number].exists {
      checkBook(number, &violations)
    }
    for number in stride(from: 1, through: positionCount, by: 1) {
      for side in Side.allCases { checkCover(number, side, &violations) }
    }
    checkMoney(&violations)
    for number in stride(from: 1, through: capacity.areas, by: 1) where areas[number].exists {
      if let totals = totals(of: AreaId(UInt16(number))), !totals.isConserved {
        violations.append("area \(number): energy is not conserved: \(totals)")
      }
    }
    return violations
  }

  // MARK: 1 and 3: books

  private func checkBook(_ instrument: UInt32, _ violations: inout [String]) {
    for side in Side.allCases { checkLevels(instrument, side, &violations) }
    let bid = books[bookIndex(instrument, .buy)].bestKey
    let ask = books[bookIndex(instrument, .sell)].bestKey
    if bid != Ladder.none, ask != Ladder.none,
      instruments[instrument].price(bid, .buy) >= instruments[instrument].price(ask, .sell)
    {
      violations.append("instrument \(instrument): the live book overlaps")
    }
  }

  private func checkLevels(_ instrument: UInt32, _ side: Side, _ violations: inout [String]) {
    let book = books[bookIndex(instrument, side)]
    var name: String { "instrument \(instrument) \(side)" }
    var level = ladder.first(in: book, live: false)
    var previousKey: UInt32?
    while level != 0 {
      let sums = sums(level)
      let row = ladder.levels[level]
      if (sums.live, sums.total, sums.count) != (row.live, row.total, row.count) {
        violations.append("\(name) key \(row.key): sums \(sums) differ from level \(row)")
      }
      if sums.misplaced { violations.append("\(name) key \(row.key): an order in the wrong list") }
      if let previousKey, previousKey >= row.key {
        violations.append("\(name): levels out of order")
      }
      previousKey = row.key
      level = ladder.next(after: level, in: book, live: false)
    }
    if ladder.first(in: book, live: true) != book.bestLevel {
      violations.append("\(name): the best level is not the first live one")
    }
  }

  private func sums(_ level: UInt32) -> (live: Int64, total: Int64, count: UInt32, misplaced: Bool)
  {
    var (live, total, count, misplaced) = (Int64(0), Int64(0), UInt32(0), false)
    for (head, isLive) in [
      (ladder.levels[level].liveHead, true), (ladder.levels[level].waitingHead, false),
    ] {
      var slot = head
      while slot != 0 {
        live += orders[slot].covered
        total += orders[slot].leaves
        count += 1
        let inPlace =
          orders[slot].marks.isOpen && orders[slot].level == level && orders[slot].leaves > 0
          && (orders[slot].covered > 0) == isLive && orders[slot].covered <= orders[slot].leaves
          && (!orders[slot].marks.isIceberg || isWhole(orders.icebergs[slot], isLive))
        if !inPlace { misplaced = true }
        slot = orders.places[slot].next
      }
    }
    return (live, total, count, misplaced)
  }

  /// Whether the part of a resting iceberg is one that can be seen: a whole one while it waits.
  private func isWhole(_ iceberg: Iceberg, _ isLive: Bool) -> Bool {
    iceberg.part > 0 && iceberg.part <= iceberg.display
      && (isLive || iceberg.part == iceberg.display)
  }

  // MARK: 2: cover

  private func checkCover(_ position: UInt32, _ side: Side, _ violations: inout [String]) {
    let owned = owned(position, side)
    var name: String {
      "account \(positions[position].account) area \(positions[position].area) \(side)"
    }
    let available = positions[position].available(side)
    // What a drain that reached its bound left in the queue has its turn with the next command.
    let isDue = isBehind && positions[position].isTouched
    var (eligible, halted, covered, count) = (Int64(0), Int64(0), Int64(0), UInt32(0))
    var slot = owned.pointee.head
    while slot != 0 {
      count += 1
      covered += orders[slot].covered
      if isHalted(open(slot)) {
        halted += orders[slot].leaves
        if orders[slot].covered != 0 { violations.append("\(name): a halted order has cover") }
      } else {
        eligible += orders[slot].leaves
        let before = leavesBefore(slot, owned)
        let (leaves, lot) = (orders[slot].leaves, instruments[orders[slot].instrument].lot)
        let due = cover(available, before: before, leaves: leaves, lot: lot)
        if !isDue, due != orders[slot].covered {
          violations.append(
            "\(name): order \(orders.id(slot).rawValue) has cover \(orders[slot].covered), not \(due)"
          )
        }
        let share = cover(owned.pointee.fairFrom, before: before, leaves: leaves, lot: lot)
        if share < orders[slot].covered {
          violations.append("\(name): unfair from \(owned.pointee.fairFrom): \(share) its share")
        }
      }
      slot = orders.places[slot].ownerNext
    }
    let row = owned.pointee
    if (eligible, halted, covered, count) != (row.eligible, row.halted, row.covered, row.count) {
      violations.append("\(name): sums \((eligible, halted, covered, count)) differ from \(row)")
    }
    if !isDue, covered > available {
      violations.append("\(name): covers \(covered) with \(available)")
    }
  }

  private func leavesBefore(_ slot: UInt32, _ owned: OwnedRow) -> Int64 {
    var sum: Int64 = 0
    var other = owned.pointee.head
    while other != 0 {
      if other != slot, !isHalted(open(other)), isBefore(other, slot) {
        sum += orders[other].leaves
      }
      other = orders.places[other].ownerNext
    }
    return sum
  }

  // MARK: Money

  private func checkMoney(_ violations: inout [String]) {
    var reserved = [Int64](repeating: 0, count: Int(holdingCount) + 1)
    for slot in stride(from: 1, through: orders.used, by: 1) where orders[slot].marks.isOpen {
      let lots = orders[slot].leaves / instruments[orders[slot].instrument].lot
      reserved[Int(positions[orders[slot].position].holding)] += orders[slot].reservePerLot * lots
    }
    for number in stride(from: 1, through: holdingCount, by: 1)
    where holdings[number].reserved != reserved[Int(number)] {
      violations.append(
        "account \(holdings[number].account): reserved \(holdings[number].reserved), "
          + "its orders need \(reserved[Int(number)])")
    }
    for row in 0..<UInt32(Exchange.currencyCapacity) where currencies[row].isUsed {
      let currency = currencies[row].currency
      let held = money(of: currency)
      let supply = currencies[row].supply
      if held != Int128(supply) {
        violations.append("currency \(currency): \(held) held, \(supply) supplied")
      }
      checkCirculation(currency, supply, &violations)
    }
  }

  /// The sums that version 2 of the rules bounds, counted again.
  private func checkCirculation(
    _ currency: UInt16, _ supply: Int64, _ violations: inout [String]
  ) {
    let row = circulation[UInt32(currency)]
    var (owed, counted, grid) = (Int128(0), Int128(0), Int128(0))
    for number in stride(from: 1, through: holdingCount, by: 1)
    where holdings[number].currency == currency {
      if holdings[number].free < 0 { owed += Int128(holdings[number].free.magnitude) }
      counted += Int128(debts[number])
      if holdings[number].owes != (debts[number] != 0) {
        violations.append("account \(holdings[number].account): a debt that is not marked")
      }
    }
    for number in stride(from: 1, through: capacity.areas, by: 1)
    where areas[number].exists && areas[number].currency == currency {
      grid += Int128(areas[number].grid)
    }
    if row.owed != counted || row.owed < owed || row.grid != grid || row.supply != Int128(supply) {
      violations.append("currency \(currency): \(row), counted \((owed, counted, grid, supply))")
    }
    if rules >= 2, !isWithinBounds(currency) {
      violations.append("currency \(currency): \(row) is out of bounds")
    }
  }

  /// All cash of a currency: accounts, fees and grids.
  private func money(of currency: UInt16) -> Int128 {
    var sum: Int128 = 0
    for number in stride(from: 1, through: holdingCount, by: 1)
    where holdings[number].currency == currency {
      sum += Int128(holdings[number].free) + Int128(holdings[number].reserved)
    }
    for number in stride(from: 1, through: capacity.areas, by: 1)
    where areas[number].exists && areas[number].currency == currency {
      sum += Int128(areas[number].fees) + Int128(areas[number].grid)
    }
    return sum
  }
}

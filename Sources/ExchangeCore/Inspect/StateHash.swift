// The hash of the whole state: what a clean shutdown writes and a replay compares. It depends on what
// the state means, not on how it is stored: links count by the order they give.

import MarketModel

extension Exchange {
  /// Rolling hash over all events so far. Constant time.
  public var eventHash: UInt64 { history.value }

  /// Hash of the whole state. Walks everything that exists: linear in its size.
  ///
  /// Two exchanges with the same hash behave the same from here on. Not cryptographic.
  public func stateHash() -> UInt64 {
    var hash = WordHash()
    var open: UInt32 = 0
    hash.fold(tradeCount)
    hash.fold(arrivalCount)
    hash.fold(settledBatch)
    hash.fold(settledSequence)
    // Before version 2 a hash said nothing of rules and of what is counted for them: old checkpoints agree.
    if rules > RulesVersion.first { hash.fold(rules) }
    fold(who: &hash)
    fold(what: &hash)
    for number in stride(from: 1, through: positionCount, by: 1) { fold(position: number, &hash) }
    for number in stride(from: 1, through: holdingCount, by: 1) {
      hash.fold(UInt64(holdings[number].account) << 32 | UInt64(holdings[number].currency))
      hash.fold(holdings[number].free)
      hash.fold(holdings[number].reserved)
      if rules > RulesVersion.first { hash.fold(debts[number]) }
      invariant(holdings[number].reserved >= 0, "what is reserved is not negative")
      invariant(exists(AccountId(holdings[number].account)), "cash is somebody's")
    }
    for slot in stride(from: 1, through: orders.used, by: 1) {
      hash.fold(UInt64(orders[slot].generation) << 1 | (orders[slot].marks.isOpen ? 1 : 0))
      if !orders[slot].marks.isOpen { continue }
      open &+= 1
      fold(order: slot, &hash)
    }
    invariant(open == orders.count, "as many orders are open as are counted")
    return hash.value
  }

  private func fold(who hash: inout WordHash) {
    for number in stride(from: 1, through: capacity.participants, by: 1)
    where participants[number].exists {
      hash.fold(number)
      hash.fold(participants[number].name.low)
      hash.fold(participants[number].name.high)
    }
    for number in stride(from: 1, through: capacity.sessions, by: 1)
    where sessions[number].exists {
      hash.fold(UInt64(number) << 8 | UInt64(sessions[number].roles))
      hash.fold(sessions[number].participant)
      invariant(participants[sessions[number].participant].exists, "a session is somebody's")
      hash.fold(sessions[number].publicKey)
    }
    for number in stride(from: 1, through: capacity.accounts, by: 1)
    where accounts[number].exists {
      hash.fold(UInt64(number) << 32 | UInt64(accounts[number].participant))
      hash.fold(accounts[number].lastClientOrderId)
      hash.fold(accounts[number].lastReference)
      invariant(participants[accounts[number].participant].exists, "an account is somebody's")
    }
    for number in stride(from: 1, through: capacity.meters, by: 1)
    where meters[number].account != 0 {
      hash.fold(UInt64(number) << 32 | UInt64(meters[number].account))
      hash.fold(meters[number].lastSequence)
      hash.fold(meters[number].lastEnd)
      invariant(
        positions[meters[number].position].account == meters[number].account,
        "a meter's position is its account's")
      hash.fold(meters[number].publicKey)
    }
  }

  private func fold(what hash: inout WordHash) {
    for number in stride(from: 1, through: capacity.areas, by: 1) where areas[number].exists {
      hash.fold(UInt64(number) << 32 | UInt64(areas[number].currency))
      hash.fold(areas[number].defaultCap)
      hash.fold(areas[number].feedInPrice)
      hash.fold(areas[number].retailPrice)
      hash.fold(areas[number].lossFactor)
      hash.fold(areas[number].fees)
      hash.fold(areas[number].grid)
      for sum in [
        areas[number].produced, areas[number].lost, areas[number].burned, areas[number].imported,
        areas[number].exported,
      ] {
        hash.fold(sum)
        invariant(sum >= 0, "what is summed up is not negative")
      }
      invariant(areas[number].lost <= areas[number].produced, "no more lost than produced")
    }
    for number in stride(from: 1, through: capacity.instruments, by: 1)
    where instruments[number].exists {
      fold(instrument: number, &hash)
    }
    for row in 0..<UInt32(Exchange.currencyCapacity) where currencies[row].isUsed {
      hash.fold(UInt64(currencies[row].currency))
      hash.fold(currencies[row].supply)
      invariant(currencies[row].supply <= Limit.total, "a supply that was checked")
    }
  }

  private func fold(instrument number: UInt32, _ hash: inout WordHash) {
    let instrument = instruments[number]
    invariant(
      instrument.tick > 0 && instrument.lot > 0 && instrument.lowest <= instrument.highest,
      "an instrument as it was defined")
    invariant(areas[UInt32(instrument.area)].exists, "an instrument of an area")
    hash.fold(UInt64(number) << 8 | UInt64(instrument.state.rawValue))
    hash.fold(instrument.tick)
    hash.fold(instrument.lot)
    hash.fold(instrument.lowest)
    hash.fold(instrument.highest)
    hash.fold(UInt64(instrument.makerFee) << 32 | UInt64(instrument.takerFee))
    forEachOrder(in: number, .buy) { slot in hash.fold(orders.id(slot).rawValue) }
    forEachOrder(in: number, .sell) { slot in hash.fold(orders.id(slot).rawValue) }
  }

  private func fold(position number: UInt32, _ hash: inout WordHash) {
    let position = positions[number]
    invariant(position.energy >= 0 && position.cap >= 0, "nobody holds less than nothing")
    invariant(holdings[position.holding].account == position.account, "a position's own cash")
    hash.fold(UInt64(position.account) << 32 | UInt64(position.area))
    hash.fold(position.energy)
    hash.fold(position.cap)
    hash.fold(position.hasOwnCap)
    let agent = agents[number]
    hash.fold(UInt64(agent.instrument) << 32 | UInt64(agent.session))
    if agent.instrument == 0 { return }
    hash.fold(agent.sells)
    hash.fold(agent.buys)
    for word in [
      agent.sellPrice, agent.sellAbove, agent.buyPrice, agent.buyBelow, agent.target,
    ] {
      hash.fold(word)
    }
  }

  private func fold(order slot: UInt32, _ hash: inout WordHash) {
    let order = orders[slot]
    let place = orders.places[slot]
    let account = positions[order.position].account
    invariant(
      order.leaves > 0 && order.quantity >= order.leaves && order.covered >= 0
        && order.covered <= order.leaves, "an open order is what can be")
    invariant(order.level != 0, "an open order rests between two commands")
    hash.fold(UInt64(account) << 32 | UInt64(order.instrument))
    hash.fold(UInt64(order.session) << 32 | UInt64(order.side.rawValue) << 16)
    hash.fold(
      UInt64(order.timeInForce.rawValue) << 16 | UInt64(order.selfTradePrevention.rawValue) << 8
        | (order.marks.isPostOnly ? 1 : 0))
    for word in [place.price, order.quantity, order.leaves, order.covered, order.reservePerLot] {
      hash.fold(word)
    }
    hash.fold(order.clientOrderId)
    hash.fold(place.arrival)
    if order.marks.isIceberg {
      hash.fold(orders.icebergs[slot].display)
      hash.fold(orders.icebergs[slot].part)
    }
    hash.fold(
      order.timeInForce == .goodTillTime
        ? expiries.time(of: slot) : Timestamp.never.nanoseconds)
  }

  /// Calls `body` with every order of one side of a book, in book order.
  func forEachOrder(in instrument: UInt32, _ side: Side, _ body: (UInt32) -> Void) {
    let book = books[bookIndex(instrument, side)]
    var level = ladder.first(in: book, live: false)
    while level != 0 {
      for head in [ladder.levels[level].liveHead, ladder.levels[level].waitingHead] {
        var slot = head
        while slot != 0 {
          invariant(orders[slot].level == level, "a level holds its own orders")
          body(slot)
          slot = orders.places[slot].next
        }
      }
      level = ladder.next(after: level, in: book, live: false)
    }
  }
}

extension WordHash {
  fileprivate mutating func fold(_ key: PublicKey) {
    for word in [key.word0, key.word1, key.word2, key.word3] { fold(word) }
  }
}

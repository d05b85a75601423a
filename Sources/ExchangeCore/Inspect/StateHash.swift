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
    hash.fold(tradeCount)
    hash.fold(arrivalCount)
    hash.fold(settledBatch)
    hash.fold(settledSequence)
    fold(who: &hash)
    fold(what: &hash)
    for number in stride(from: 1, through: positionCount, by: 1) { fold(position: number, &hash) }
    for number in stride(from: 1, through: holdingCount, by: 1) {
      hash.fold(UInt64(holdings[number].account) << 32 | UInt64(holdings[number].currency))
      hash.fold(holdings[number].free)
      hash.fold(holdings[number].reserved)
    }
    for slot in stride(from: 1, through: orders.used, by: 1) {
      hash.fold(UInt64(orders[slot].generation) << 1 | (orders[slot].marks.isOpen ? 1 : 0))
      if orders[slot].marks.isOpen { fold(order: slot, &hash) }
    }
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
      hash.fold(sessions[number].publicKey)
    }
    for number in stride(from: 1, through: capacity.accounts, by: 1)
    where accounts[number].exists {
      hash.fold(UInt64(number) << 32 | UInt64(accounts[number].participant))
      hash.fold(accounts[number].lastClientOrderId)
      hash.fold(accounts[number].lastReference)
    }
    for number in stride(from: 1, through: capacity.meters, by: 1)
    where meters[number].account != 0 {
      hash.fold(UInt64(number) << 32 | UInt64(meters[number].account))
      hash.fold(meters[number].lastSequence)
      hash.fold(meters[number].lastEnd)
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
      }
    }
    for number in stride(from: 1, through: capacity.instruments, by: 1)
    where instruments[number].exists {
      fold(instrument: number, &hash)
    }
    for row in 0..<UInt32(Exchange.currencyCapacity) where currencies[row].isUsed {
      hash.fold(UInt64(currencies[row].currency))
      hash.fold(currencies[row].supply)
    }
  }

  private func fold(instrument number: UInt32, _ hash: inout WordHash) {
    let instrument = instruments[number]
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

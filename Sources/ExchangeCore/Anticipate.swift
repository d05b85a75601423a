// Looking ahead. In a large exchange an order waits for memory, not for arithmetic: its row, its level,
// its neighbours and its owner's balances each cost a miss of some 100 ns, one after the other. Whoever
// has the next commands at hand (a block of the journal, a ring, a full read buffer) shows them first:
// their rows are then loaded for all of them side by side, and the misses overlap.

import MarketModel

extension Exchange {
  /// Loads what `commands` will touch. Changes nothing that a rule can see; may be left out.
  ///
  /// Worth it from some 8 commands on; beyond 32 the first rows are evicted before they are used. A small
  /// exchange, which the caches hold anyway, returns at once.
  public mutating func anticipate(_ commands: UnsafeBufferPointer<Command>) {
    if orders.used < Exchange.cacheable, instruments.capacity < Exchange.cacheable { return }
    var warmth: UInt64 = 0
    for command in commands.indices { warmth &+= loadRows(commands[command].body) }
    for command in commands.indices { warmth &+= loadNeighbours(commands[command].body) }
    for command in commands.indices { warmth &+= loadEnds(commands[command].body) }
    lastWarmth = warmth
  }

  /// Orders or instruments that the second-level cache holds.
  private static var cacheable: Int { 1 << 12 }

  /// Whether an order, not validated yet, names rows that exist and a price within its band.
  @inline(__always) private func isKnown(_ order: NewOrder) -> Bool {
    guard exists(order.instrument), order.account.rawValue <= capacity.accounts else {
      return false
    }
    let instrument = instruments.address(of: order.instrument.rawValue)
    return order.price.ticks >= instrument.pointee.lowest
      && order.price.ticks <= instrument.pointee.highest
  }

  /// What a command names.
  @inline(__always) private func loadRows(_ body: Command.Body) -> UInt64 {
    switch body {
    case .enter(let order):
      guard isKnown(order) else { return 0 }
      let instrument = order.instrument.rawValue
      return UInt64(truncatingIfNeeded: instruments[instrument].tick)
        &+ UInt64(books[bookIndex(instrument, .buy)].root)
        &+ UInt64(accounts[order.account.rawValue].firstPosition)
    case .cancel(let cancel):
      let slot = cancel.order.slot
      guard slot <= orders.used else { return 0 }
      return UInt64(orders[slot].level) &+ UInt64(orders.places[slot].next)
    default: return 0
    }
  }

  /// What those name.
  @inline(__always) private func loadNeighbours(_ body: Command.Body) -> UInt64 {
    switch body {
    case .enter(let order):
      guard isKnown(order) else { return 0 }
      let instrument = instruments.address(of: order.instrument.rawValue)
      let key = instrument.pointee.key(order.price.ticks, order.side)
      let book = books.address(of: bookIndex(order.instrument.rawValue, order.side))
      let position = accounts[order.account.rawValue].firstPosition
      return ladder.loadNode(key, in: book.pointee)
        &+ UInt64(truncatingIfNeeded: positions[position].energy)
        &+ UInt64(truncatingIfNeeded: owned(position, order.side).pointee.eligible)
    case .cancel(let cancel):
      let slot = cancel.order.slot
      guard slot <= orders.used else { return 0 }
      let links = orders.places[slot]
      let order = orders.address(of: slot)
      return UInt64(ladder.levels[order.pointee.level].count)
        &+ UInt64(orders.places[links.next].previous) &+ UInt64(orders.places[links.previous].next)
        &+ UInt64(orders.places[links.ownerNext].ownerPrevious)
        &+ UInt64(orders.places[links.ownerPrevious].ownerNext)
        &+ UInt64(positions[order.pointee.position].holding)
        &+ UInt64(owned(order.pointee.position, order.pointee.side).pointee.count)
    default: return 0
    }
  }

  /// And those.
  @inline(__always) private func loadEnds(_ body: Command.Body) -> UInt64 {
    switch body {
    case .enter(let order):
      guard isKnown(order) else { return 0 }
      let instrument = instruments.address(of: order.instrument.rawValue)
      let key = instrument.pointee.key(order.price.ticks, order.side)
      let book = books.address(of: bookIndex(order.instrument.rawValue, order.side))
      let position = accounts[order.account.rawValue].firstPosition
      return UInt64(ladder.loadLevel(key, in: book.pointee))
        &+ UInt64(holdings[positions[position].holding].account)
        &+ UInt64(orders.places[owned(position, order.side).pointee.tail].next)
    case .cancel(let cancel):
      let slot = cancel.order.slot
      guard slot <= orders.used else { return 0 }
      let order = orders.address(of: slot)
      return ladder.loadMasks(order.pointee.level)
        &+ UInt64(holdings[positions[order.pointee.position].holding].account)
    default: return 0
    }
  }
}

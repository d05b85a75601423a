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
    guard let first = commands.baseAddress,
      orders.count > Exchange.cacheable || instruments.capacity > Exchange.cacheable
    else { return }
    var warmth: UInt64 = 0
    for index in commands.indices { warmth &+= loadRows(CommandLayout.payload(first + index)) }
    for index in commands.indices {
      warmth &+= loadNeighbours(CommandLayout.payload(first + index))
    }
    for index in commands.indices { warmth &+= loadEnds(CommandLayout.payload(first + index)) }
    lastWarmth = warmth
  }

  /// Orders or instruments that the second-level cache holds.
  private static var cacheable: Int { 1 << 12 }

  /// The new order in a payload, if it is one that names rows that exist and a price within its band.
  @inline(__always) private func newOrder(_ payload: UnsafeRawPointer) -> NewOrderRow? {
    guard CommandLayout.tag(payload) == commandLayout.enter else { return nil }
    let order = payload.assumingMemoryBound(to: NewOrder.self)
    guard exists(order.pointee.instrument), order.pointee.account.rawValue <= capacity.accounts
    else { return nil }
    let instrument = instruments.address(of: order.pointee.instrument.rawValue)
    let price = order.pointee.price.ticks
    return price >= instrument.pointee.lowest && price <= instrument.pointee.highest ? order : nil
  }

  /// The slot that the cancel in a payload names, if it is one and the slot was used; 0 if not.
  @inline(__always) private func canceledSlot(_ payload: UnsafeRawPointer) -> UInt32 {
    guard CommandLayout.tag(payload) == commandLayout.cancel else { return 0 }
    let slot = payload.assumingMemoryBound(to: CancelOrder.self).pointee.order.slot
    return slot <= orders.used ? slot : 0
  }

  /// Where a new order will rest.
  @inline(__always) private func place(of order: NewOrderRow) -> (key: UInt32, book: BookRow) {
    let (number, side) = (order.pointee.instrument.rawValue, order.pointee.side)
    let key = instruments.address(of: number).pointee.key(order.pointee.price.ticks, side)
    return (key, books.address(of: bookIndex(number, side)))
  }

  /// What a command names.
  @inline(__always) private func loadRows(_ payload: UnsafeRawPointer) -> UInt64 {
    let slot = canceledSlot(payload)
    if slot != 0 { return UInt64(orders[slot].level) &+ UInt64(orders.places[slot].next) }
    guard let order = newOrder(payload) else { return 0 }
    let instrument = order.pointee.instrument.rawValue
    return UInt64(books[bookIndex(instrument, .buy)].root)
      &+ UInt64(accounts[order.pointee.account.rawValue].firstPosition)
  }

  /// What those name.
  @inline(__always) private func loadNeighbours(_ payload: UnsafeRawPointer) -> UInt64 {
    let slot = canceledSlot(payload)
    if slot != 0 {
      let links = orders.places[slot]
      let order = orders.address(of: slot)
      return UInt64(ladder.levels[order.pointee.level].count)
        &+ UInt64(orders.places[links.next].previous) &+ UInt64(orders.places[links.previous].next)
        &+ UInt64(orders.places[links.ownerNext].ownerPrevious)
        &+ UInt64(orders.places[links.ownerPrevious].ownerNext)
        &+ UInt64(positions[order.pointee.position].holding)
        &+ UInt64(owned(order.pointee.position, order.pointee.side).pointee.count)
    }
    guard let order = newOrder(payload) else { return 0 }
    let (key, book) = place(of: order)
    let position = accounts[order.pointee.account.rawValue].firstPosition
    return ladder.loadNode(key, in: book.pointee)
      &+ UInt64(truncatingIfNeeded: positions[position].energy)
      &+ UInt64(truncatingIfNeeded: owned(position, order.pointee.side).pointee.eligible)
  }

  /// And those.
  @inline(__always) private func loadEnds(_ payload: UnsafeRawPointer) -> UInt64 {
    let slot = canceledSlot(payload)
    if slot != 0 {
      let order = orders.address(of: slot)
      return ladder.loadMasks(order.pointee.level)
        &+ UInt64(holdings[positions[order.pointee.position].holding].account)
    }
    guard let order = newOrder(payload) else { return 0 }
    let (key, book) = place(of: order)
    let position = accounts[order.pointee.account.rawValue].firstPosition
    return UInt64(ladder.loadLevel(key, in: book.pointee))
      &+ UInt64(holdings[positions[position].holding].account)
      &+ UInt64(orders.places[owned(position, order.pointee.side).pointee.tail].next)
  }
}

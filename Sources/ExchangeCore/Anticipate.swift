// Looking ahead. In a large exchange an order waits for memory, not for arithmetic: its row, its level,
// its neighbours and its owner's balances each cost a miss of some 100 ns, one after the other. Whoever
// has the next commands at hand (a block of the journal, a ring, a full read buffer) shows them: the
// lines of sixteen at a time are asked for, a step while the sixteen before them run, each step with what
// the one before it has brought in.
//
//     commands   +48 ... +63          +32 ... +47               +16 ... +31          next 16
//     enter      account              position, open orders,    cash, owner's tail,  (level's tail,
//                (book, instrument)   level (node), first met   level's tail         who is met)
//     change     account, order,      position, open orders,    cash
//                place                level, four neighbours
//     reading    meter                position, open orders     cash, first orders
//
// In brackets: with many instruments, whose books the caches do not hold, a level is one step further.
//
// Which command comes cannot be predicted, and every wrong guess costs as much as fifty instructions.
// So each sixteen are first sorted by kind, without a branch, and each step walks a list of one kind.

import CPrefetch
import MarketModel

extension Exchange {
  /// Asks for the memory that commands soon to be applied will touch. Changes nothing that a rule can
  /// see; may be left out.
  ///
  /// To be called before each of `commands` is applied, in order. A small exchange, which the caches hold
  /// anyway, returns at once.
  ///
  /// - Parameters:
  ///   - commands: Any commands, rightful or not. Worth it from some 16 on; best from 64.
  ///   - index: The one that is applied next.
  @inlinable @inline(__always) public mutating func anticipate(
    _ commands: UnsafeBufferPointer<Command>, before index: Int
  ) {
    if index % Exchange.lookAheadGroup == 0, commands.count > 1 { lookAhead(commands, index) }
  }

  /// Commands that are looked at together; a power of two.
  @inlinable static var lookAheadGroup: Int { 16 }

  @usableFromInline mutating func lookAhead(
    _ commands: UnsafeBufferPointer<Command>, _ index: Int
  ) {
    guard let first = commands.baseAddress, isLarge else { return }
    let block = index / Foreseen.size
    let count = commands.count
    if index == 0 {
      for early in 0..<3 { askForRows(first, count, block: early) }
      for early in 0..<2 { askForOwners(foreseen[early]) }
      askForEnds(foreseen[0])
    }
    askForRows(first, count, block: block + 3)
    askForOwners(foreseen[block + 2])
    askForEnds(foreseen[block + 1])
    if hasManyBooks { askForLevelEnds(foreseen[block]) }
  }

  /// Whether the second-level cache (1 MiB) holds less than what is in use.
  private var isLarge: Bool {
    orders.count >= 1 << 13 || hasManyBooks || positionCount >= 1 << 12
  }

  /// Whether the caches do not hold all books.
  private var hasManyBooks: Bool { instruments.capacity >= 1 << 12 }

  /// Whether the first cache does not hold all levels.
  private var hasManyLevels: Bool { ladder.levelCount >= 1 << 10 }

  // MARK: What a command names

  /// Sorts a block's commands and asks for the rows that they name. What names rows that cannot exist is
  /// left out.
  private mutating func askForRows(_ first: UnsafePointer<Command>, _ count: Int, block: Int) {
    let list = foreseen[block]
    list.clear()
    let start = block &* Foreseen.size
    if start >= count { return }
    for index in start..<min(start &+ Foreseen.size, count) {
      let payload = CommandLayout.payload(first + index)
      list.add(payload, commandLayout.kind(CommandLayout.tag(payload)))
    }
    list.filter(.enter) { askForEntering($0.assumingMemoryBound(to: NewOrder.self)) }
    // A replace begins with the same fields as a cancel.
    list.filter(.change) { askForChanged($0.assumingMemoryBound(to: CancelOrder.self)) }
    list.filter(.reading) { askForMeter($0.assumingMemoryBound(to: MeterReading.self)) }
  }

  @inline(__always) private func askForEntering(_ order: NewOrderRow) -> Bool {
    let (account, number) = (order.pointee.account.rawValue, order.pointee.instrument.rawValue)
    if account > capacity.accounts || number > capacity.instruments { return false }
    prefetch(accounts.address(of: account))
    if hasManyBooks {
      prefetch(instruments.address(of: number))
      prefetch(books.address(of: number &<< 1))
    }
    return true
  }

  @inline(__always) private func askForChanged(_ order: CancelOrderRow) -> Bool {
    let (account, slot) = (order.pointee.account.rawValue, order.pointee.order.slot)
    if account > capacity.accounts || slot > orders.used { return false }
    prefetch(accounts.address(of: account))
    prefetch(orders.address(of: slot))
    prefetch(orders.places.address(of: slot))
    return true
  }

  @inline(__always) private func askForMeter(_ reading: UnsafePointer<MeterReading>) -> Bool {
    let number = reading.pointee.meter.rawValue
    if number > capacity.meters { return false }
    prefetch(meters.address(of: number))
    return true
  }

  // MARK: What those rows name

  private func askForOwners(_ list: Foreseen.Block) {
    for index in 0..<list.count(.enter) {
      let order = list.enter(index)
      let position = accounts[order.pointee.account.rawValue].firstPosition
      prefetch(positions.address(of: position))
      prefetch(owned(position, order.pointee.side))
      if hasManyBooks { askForNode(order) } else if hasManyLevels { askForLevel(order) }
    }
    for index in 0..<list.count(.change) {
      let order = orders.address(of: list.change(index).pointee.order.slot)
      let place = orders.places.address(of: list.change(index).pointee.order.slot)
      prefetch(positions.address(of: order.pointee.position))
      prefetch(owned(order.pointee.position, order.pointee.side))
      prefetch(ladder.levels.address(of: order.pointee.level))
      prefetch(orders.places.address(of: place.pointee.next))
      prefetch(orders.places.address(of: place.pointee.previous))
      prefetch(orders.places.address(of: place.pointee.ownerNext))
      prefetch(orders.places.address(of: place.pointee.ownerPrevious))
    }
    for index in 0..<list.count(.reading) {
      let position = meters[list.reading(index).pointee.meter.rawValue].position
      prefetch(positions.address(of: position))
      prefetch(owned(position, .sell))
      prefetch(owned(position, .buy))
    }
  }

  private func askForEnds(_ list: Foreseen.Block) {
    for index in 0..<list.count(.enter) {
      let order = list.enter(index)
      let position = accounts[order.pointee.account.rawValue].firstPosition
      prefetch(holdings.address(of: positions[position].holding))
      prefetch(orders.places.address(of: owned(position, order.pointee.side).pointee.tail))
      if hasManyBooks { askForLevel(order) } else { askForLevelEnds(order) }
    }
    for index in 0..<list.count(.change) {
      let order = orders.address(of: list.change(index).pointee.order.slot)
      prefetch(holdings.address(of: positions[order.pointee.position].holding))
    }
    for index in 0..<list.count(.reading) {
      let position = meters[list.reading(index).pointee.meter.rawValue].position
      prefetch(holdings.address(of: positions[position].holding))
      prefetch(orders.places.address(of: owned(position, .sell).pointee.head))
      prefetch(orders.places.address(of: owned(position, .buy).pointee.head))
    }
  }

  private func askForLevelEnds(_ list: Foreseen.Block) {
    for index in 0..<list.count(.enter) { askForLevelEnds(list.enter(index)) }
  }

  // MARK: Where a new order goes

  /// The sides of the book that an order enters and meets, with its keys there; `nil` when its price is
  /// outside the band.
  @inline(__always) private func way(
    _ order: NewOrderRow
  ) -> (own: BookRow, key: UInt32, other: BookRow, reach: UInt32)? {
    let (number, side) = (order.pointee.instrument.rawValue, order.pointee.side)
    let (instrument, price) = (instruments.address(of: number), order.pointee.price.ticks)
    if price < instrument.pointee.lowest || price > instrument.pointee.highest { return nil }
    return (
      books.address(of: bookIndex(number, side)), instrument.pointee.key(price, side),
      books.address(of: bookIndex(number, side.opposite)),
      instrument.pointee.key(price, side.opposite)
    )
  }

  @inline(__always) private func askForNode(_ order: NewOrderRow) {
    guard let way = way(order) else { return }
    let start = ladder.start(way.key, in: way.own)
    prefetch(start.occupancy)
    prefetch(start.child)
    prefetch(ladder.levels.address(of: way.other.pointee.bestLevel))
  }

  @inline(__always) private func askForLevel(_ order: NewOrderRow) {
    guard let way = way(order) else { return }
    if hasManyBooks {
      prefetch(ladder.following(way.key, in: way.own))
    } else {
      prefetch(ladder.probable(way.key, in: way.own))
    }
    if way.other.pointee.bestKey <= way.reach {
      let first = ladder.levels[way.other.pointee.bestLevel].liveHead
      prefetch(orders.address(of: first))
      prefetch(orders.places.address(of: first))
    }
  }

  @inline(__always) private func askForLevelEnds(_ order: NewOrderRow) {
    guard let way = way(order) else { return }
    prefetch(orders.places.address(of: ladder.probable(way.key, in: way.own).pointee.liveTail))
    if way.other.pointee.bestKey <= way.reach {
      let first = orders.address(of: ladder.levels[way.other.pointee.bestLevel].liveHead)
      prefetch(positions.address(of: first.pointee.position))
      prefetch(owned(first.pointee.position, first.pointee.side))
    }
  }
}

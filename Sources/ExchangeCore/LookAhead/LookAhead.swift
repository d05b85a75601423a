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

  @usableFromInline mutating func lookAhead(_ commands: UnsafeBufferPointer<Command>, _ index: Int)
  {
    guard let first = commands.baseAddress, isLarge else { return }
    let block = index / Window.size
    let count = commands.count
    if index == 0 {
      for early in 0..<3 { askForRows(first, count, block: early) }
      for early in 0..<2 { askForOwners(window[early]) }
      askForEnds(window[0])
    }
    askForRows(first, count, block: block + 3)
    askForOwners(window[block + 2])
    askForEnds(window[block + 1])
    if hasManyBooks { askForLevelEnds(window[block]) }
  }

  /// Whether the second-level cache (1 MiB) holds less than what is in use.
  private var isLarge: Bool {
    orders.count >= 1 << 13 || hasManyBooks || balances.positionCount >= 1 << 12
  }

  /// Whether the caches do not hold all books.
  private var hasManyBooks: Bool { products.instruments.capacity >= 1 << 12 }

  /// Whether the first cache does not hold all levels.
  private var hasManyLevels: Bool { books.ladder.levelCount >= 1 << 10 }

  // MARK: What a command names

  /// Sorts a block's commands and asks for the rows that they name. What names rows that cannot exist is
  /// left out.
  private mutating func askForRows(_ first: UnsafePointer<Command>, _ count: Int, block: Int) {
    let list = window[block]
    list.clear()
    let start = block &* Window.size
    if start >= count { return }
    for index in start..<min(start &+ Window.size, count) {
      let payload = CommandLayout.payload(first + index)
      list.add(payload, commandLayout.kind(CommandLayout.tag(payload)))
    }
    list.filter(.enter) { askForEntering(NewOrderRow($0.assumingMemoryBound(to: NewOrder.self))) }
    // A replace begins with the same fields as a cancel.
    list.filter(.change) {
      askForChanged(CancelOrderRow($0.assumingMemoryBound(to: CancelOrder.self)))
    }
    list.filter(.reading) {
      askForMeter(ReadOnlyRow<MeterReading>($0.assumingMemoryBound(to: MeterReading.self)))
    }
  }

  @inline(__always) private func askForEntering(_ order: NewOrderRow) -> Bool {
    let (account, number) = (order.account.rawValue, order.instrument.rawValue)
    if account > capacity.accounts || number > capacity.instruments { return false }
    prefetch(accounts.address(of: account))
    if hasManyBooks {
      prefetch(products.instruments.address(of: number))
      prefetch(books.sides.address(of: number &<< 1))
    }
    return true
  }

  @inline(__always) private func askForChanged(_ order: CancelOrderRow) -> Bool {
    let (account, slot) = (order.account.rawValue, order.order.slot)
    if account > capacity.accounts || slot > orders.used { return false }
    prefetch(accounts.address(of: account))
    prefetch(orders.row(slot).address)
    prefetch(orders.places.address(of: slot))
    return true
  }

  @inline(__always) private func askForMeter(_ reading: ReadOnlyRow<MeterReading>) -> Bool {
    let number = reading.meter.rawValue
    if number > capacity.meters { return false }
    prefetch(meters.address(of: number))
    return true
  }

  // MARK: What those rows name

  private func askForOwners(_ list: Window.Block) {
    for index in 0..<list.count(.enter) {
      let order = list.enter(index)
      let position = accounts[order.account.rawValue].firstPosition
      prefetch(balances.positions.address(of: position))
      prefetch(owned(position, order.side).address)
      if hasManyBooks { askForNode(order) } else if hasManyLevels { askForLevel(order) }
    }
    for index in 0..<list.count(.change) {
      let order = orders.row(list.change(index).order.slot)
      let place = orders.places.row(list.change(index).order.slot)
      prefetch(balances.positions.address(of: order.position))
      prefetch(owned(order.position, order.side).address)
      prefetch(books.ladder.levels.address(of: order.level))
      prefetch(orders.places.address(of: place.next))
      prefetch(orders.places.address(of: place.previous))
      prefetch(orders.places.address(of: place.ownerNext))
      prefetch(orders.places.address(of: place.ownerPrevious))
    }
    for index in 0..<list.count(.reading) {
      let position = meters[list.reading(index).meter.rawValue].position
      prefetch(balances.positions.address(of: position))
      prefetch(owned(position, .sell).address)
      prefetch(owned(position, .buy).address)
    }
  }

  private func askForEnds(_ list: Window.Block) {
    for index in 0..<list.count(.enter) {
      let order = list.enter(index)
      let position = accounts[order.account.rawValue].firstPosition
      prefetch(balances.holdings.address(of: balances.positions[position].holding))
      prefetch(orders.places.address(of: owned(position, order.side).tail))
      if hasManyBooks { askForLevel(order) } else { askForLevelEnds(order) }
    }
    for index in 0..<list.count(.change) {
      let order = orders.row(list.change(index).order.slot)
      prefetch(balances.holdings.address(of: balances.positions[order.position].holding))
    }
    for index in 0..<list.count(.reading) {
      let position = meters[list.reading(index).meter.rawValue].position
      prefetch(balances.holdings.address(of: balances.positions[position].holding))
      prefetch(orders.places.address(of: owned(position, .sell).head))
      prefetch(orders.places.address(of: owned(position, .buy).head))
    }
  }

  private func askForLevelEnds(_ list: Window.Block) {
    for index in 0..<list.count(.enter) { askForLevelEnds(list.enter(index)) }
  }

  // MARK: Where a new order goes

  /// The sides of the book that an order enters and meets, with its keys there; `nil` when its price is
  /// outside the band.
  @inline(__always) private func way(_ order: NewOrderRow) -> (
    own: BookRow, key: UInt32, other: BookRow, reach: UInt32
  )? {
    let (number, side) = (order.instrument.rawValue, order.side)
    let (instrument, price) = (products.instruments.row(number), order.price.ticks)
    if price < instrument.lowest || price > instrument.highest { return nil }
    return (
      books.sides.row(bookIndex(number, side)), instrument.value.key(price, side),
      books.sides.row(bookIndex(number, side.opposite)),
      instrument.value.key(price, side.opposite)
    )
  }

  @inline(__always) private func askForNode(_ order: NewOrderRow) {
    guard let way = way(order) else { return }
    let start = books.ladder.start(way.key, in: way.own)
    prefetch(start.occupancy)
    prefetch(start.child)
    prefetch(books.ladder.levels.address(of: way.other.bestLevel))
  }

  @inline(__always) private func askForLevel(_ order: NewOrderRow) {
    guard let way = way(order) else { return }
    if hasManyBooks {
      prefetch(books.ladder.following(way.key, in: way.own))
    } else {
      prefetch(books.ladder.probable(way.key, in: way.own).address)
    }
    if way.other.bestKey <= way.reach {
      let first = books.ladder.levels[way.other.bestLevel].liveHead
      prefetch(orders.row(first).address)
      prefetch(orders.places.address(of: first))
    }
  }

  @inline(__always) private func askForLevelEnds(_ order: NewOrderRow) {
    guard let way = way(order) else { return }
    prefetch(orders.places.address(of: books.ladder.probable(way.key, in: way.own).liveTail))
    if way.other.bestKey <= way.reach {
      let first = orders.row(books.ladder.levels[way.other.bestLevel].liveHead)
      prefetch(balances.positions.address(of: first.position))
      prefetch(owned(first.position, first.side).address)
    }
  }
}

// Prefetching for the commands that follow. In a large exchange cache misses dominate the cost of
// an order: its row, its level, its neighbours and its owner's balances each miss for about 100 ns,
// one after another. A caller that has the next commands (a block of the journal, a ring, a full
// read buffer) passes them here. Their rows are prefetched in groups of sixteen and in several
// steps. Each step runs while an earlier group is applied, and uses the rows that the previous step
// brought into the cache.
//
//     commands   +48 ... +63          +32 ... +47               +16 ... +31          next 16
//     enter      account              position, open orders,    cash, owner's tail,  (level's tail,
//                (book, instrument)   level (node), first met   level's tail         who is met)
//     change     account, order,      position, open orders,    cash
//                place                level, four neighbours
//     reading    meter, readings      position, open orders,    cash, first orders,
//                (group)              newest readings (leaf)    place of the reading
//
// Rows in brackets: with many instruments the books do not fit the caches, and a level takes one
// more step.
//
// The kind of the next command is unpredictable, and a mispredicted branch costs as much as fifty
// instructions. Each group is therefore first sorted by kind without branches, and each step walks
// the lists of one kind.

import CPrefetch
import MarketModel

extension Exchange {
  /// Prefetches the memory that the next commands will access. Optional: it does not change the
  /// state.
  ///
  /// Call it before applying each of `commands`, in order. It returns at once when the exchange is
  /// small enough to fit the caches.
  ///
  /// - Parameters:
  ///   - commands: The commands to apply; they need not be valid. The gain starts at about 16
  ///     commands and is largest from 64 on.
  ///   - index: The index of the command that is applied next.
  @inlinable @inline(__always) public mutating func anticipate(
    _ commands: UnsafeBufferPointer<Command>, before index: Int
  ) {
    if index % Exchange.lookAheadGroup == 0, commands.count > 1 { lookAhead(commands, index) }
  }

  /// Number of commands in a group; a power of two.
  @inlinable static var lookAheadGroup: Int { 16 }

  @usableFromInline mutating func lookAhead(_ commands: UnsafeBufferPointer<Command>, _ index: Int)
  {
    guard let first = commands.baseAddress, isLarge else { return window.forget() }
    let block = index / Window.size
    let count = commands.count
    if index == 0 {
      for early in 0..<3 { prefetchRows(first, count, block: early) }
      for early in 0..<2 { prefetchOwners(window[early]) }
      prefetchEnds(window[0])
    }
    window.isInUse = true
    prefetchRows(first, count, block: block + 3)
    prefetchOwners(window[block + 2])
    prefetchEnds(window[block + 1])
    if hasManyBooks { prefetchLevelEnds(window[block]) }
  }

  /// Whether the rows in use exceed the second-level cache (1 MiB).
  private var isLarge: Bool {
    orders.count >= 1 << 13 || hasManyBooks || balances.positionCount >= 1 << 12
  }

  /// Whether the books exceed the caches.
  private var hasManyBooks: Bool { products.instruments.capacity >= 1 << 12 }

  /// Whether the levels exceed the first-level cache.
  private var hasManyLevels: Bool { books.ladder.levelCount >= 1 << 10 }

  // MARK: Rows that a command names

  /// Sorts the commands of a block by kind and prefetches the rows that they name. Commands whose
  /// numbers are out of range are left out.
  private mutating func prefetchRows(_ first: UnsafePointer<Command>, _ count: Int, block: Int) {
    let list = window[block]
    list.clear()
    let start = block &* Window.size
    if start >= count { return }
    for index in start..<min(start &+ Window.size, count) {
      let payload = CommandLayout.payload(first + index)
      list.add(payload, commandLayout.kind(CommandLayout.tag(payload)))
    }
    list.filter(.enter) { prefetchEntering(NewOrderRow($0.assumingMemoryBound(to: NewOrder.self))) }
    // The first fields of a replace are those of a cancel.
    list.filter(.change) {
      prefetchChanged(CancelOrderRow($0.assumingMemoryBound(to: CancelOrder.self)))
    }
    list.filter(.reading) {
      prefetchMeter(ReadOnlyRow<MeterReading>($0.assumingMemoryBound(to: MeterReading.self)))
    }
  }

  @inline(__always) private func prefetchEntering(_ order: NewOrderRow) -> Bool {
    let (account, number) = (order.account.rawValue, order.instrument.rawValue)
    if account > capacity.accounts || number > capacity.instruments { return false }
    prefetch(accounts.address(of: account))
    if hasManyBooks {
      prefetch(products.instruments.address(of: number))
      prefetch(books.sides.address(of: number &<< 1))
    }
    return true
  }

  @inline(__always) private func prefetchChanged(_ order: CancelOrderRow) -> Bool {
    let (account, slot) = (order.account.rawValue, order.order.slot)
    if account > capacity.accounts || slot > orders.used { return false }
    prefetch(accounts.address(of: account))
    prefetch(orders.row(slot).address)
    prefetch(orders.links.address(of: slot))
    return true
  }

  @inline(__always) private func prefetchMeter(_ reading: ReadOnlyRow<MeterReading>) -> Bool {
    let number = reading.meter.rawValue
    if number > capacity.meters { return false }
    prefetch(meters.address(of: number))
    prefetch(meterChanges.address(of: number))
    prefetch(spentPower.address(of: number))
    prefetch(lossRests.address(of: number))
    prefetch(keptReadings.rows.groups.address(of: number))
    return true
  }

  // MARK: Rows that those rows refer to

  private func prefetchOwners(_ list: Window.Block) {
    for index in 0..<list.count(.enter) {
      let order = list.enter(index)
      let position = accounts[order.account.rawValue].firstPosition
      prefetch(balances.positions.address(of: position))
      prefetch(owned(position, order.side).address)
      if hasManyBooks { prefetchNode(order) } else if hasManyLevels { prefetchLevel(order) }
    }
    for index in 0..<list.count(.change) {
      let order = orders.row(list.change(index).order.slot)
      let links = orders.links.row(list.change(index).order.slot)
      prefetch(balances.positions.address(of: order.position))
      prefetch(owned(order.position, order.side).address)
      prefetch(books.ladder.levels.address(of: order.level))
      prefetch(orders.links.address(of: links.next))
      prefetch(orders.links.address(of: links.previous))
      prefetch(orders.links.address(of: links.ownerNext))
      prefetch(orders.links.address(of: links.ownerPrevious))
    }
    for index in 0..<list.count(.reading) {
      let meter = list.reading(index).meter.rawValue
      let position = meters[meter].position
      prefetch(keptReadings.rows.newestLeaf(of: meter))
      prefetch(balances.positions.address(of: position))
      prefetch(owned(position, .sell).address)
      prefetch(owned(position, .buy).address)
    }
  }

  private func prefetchEnds(_ list: Window.Block) {
    for index in 0..<list.count(.enter) {
      let order = list.enter(index)
      let position = accounts[order.account.rawValue].firstPosition
      prefetch(balances.holdings.address(of: balances.positions[position].holding))
      prefetch(orders.links.address(of: owned(position, order.side).tail))
      if hasManyBooks { prefetchLevel(order) } else { prefetchLevelEnds(order) }
    }
    for index in 0..<list.count(.change) {
      let order = orders.row(list.change(index).order.slot)
      prefetch(balances.holdings.address(of: balances.positions[order.position].holding))
    }
    for index in 0..<list.count(.reading) {
      let meter = list.reading(index).meter.rawValue
      let position = meters[meter].position
      prefetch(keptReadings.rows.end(of: meter))
      prefetch(balances.holdings.address(of: balances.positions[position].holding))
      prefetch(orders.links.address(of: owned(position, .sell).head))
      prefetch(orders.links.address(of: owned(position, .buy).head))
    }
  }

  private func prefetchLevelEnds(_ list: Window.Block) {
    for index in 0..<list.count(.enter) { prefetchLevelEnds(list.enter(index)) }
  }

  // MARK: The level that a new order reaches or joins

  /// The book side that an order joins and the opposite one, with the key of its price on each;
  /// `nil` when the price is outside the band.
  @inline(__always) private func path(_ order: NewOrderRow) -> (
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

  @inline(__always) private func prefetchNode(_ order: NewOrderRow) {
    guard let path = path(order) else { return }
    let start = books.ladder.start(path.key, in: path.own)
    prefetch(start.occupancy)
    prefetch(start.child)
    prefetch(books.ladder.levels.address(of: path.other.bestLevel))
  }

  @inline(__always) private func prefetchLevel(_ order: NewOrderRow) {
    guard let path = path(order) else { return }
    if hasManyBooks {
      prefetch(books.ladder.following(path.key, in: path.own))
    } else {
      prefetch(books.ladder.probable(path.key, in: path.own).address)
    }
    if path.other.bestKey <= path.reach {
      let first = books.ladder.levels[path.other.bestLevel].liveHead
      prefetch(orders.row(first).address)
      prefetch(orders.links.address(of: first))
    }
  }

  @inline(__always) private func prefetchLevelEnds(_ order: NewOrderRow) {
    guard let path = path(order) else { return }
    prefetch(orders.links.address(of: books.ladder.probable(path.key, in: path.own).liveTail))
    if path.other.bestKey <= path.reach {
      let first = orders.row(books.ladder.levels[path.other.bestLevel].liveHead)
      prefetch(balances.positions.address(of: first.position))
      prefetch(owned(first.position, first.side).address)
    }
  }
}

// The order books: two sides for each instrument, and the price levels of all books (Ladder.swift).

import MarketModel

/// The sides and price levels of all books.
struct Books: ~Copyable, StateComponent {
  /// Both sides of instrument i at `i << 1 | side`.
  let sides: Table<BookSide>
  var ladder: Ladder

  init(capacity: Capacity) {
    sides = Table(capacity: (Int(capacity.instruments) + 1) * 2)
    ladder = Ladder(levels: capacity.priceLevels)
  }

  static func add(to layout: inout StateLayout) {
    layout.add(BookSide.self)
    Ladder.add(to: &layout)
  }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.books.sides.write(to: sink)
    exchange.books.ladder.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.books.sides.read(from: source)
    exchange.books.ladder.read(from: source)
  }

  /// Folds each instrument and its orders in book order. The hash depends on the priority of
  /// orders, not on slots or links.
  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    for number in stride(from: 1, through: exchange.capacity.instruments, by: 1)
    where exchange.products.instruments[number].exists {
      let instrument = exchange.products.instruments[number]
      invariant(
        exchange.products.areas[UInt32(instrument.area)].exists, "the area of an instrument exists")
      instrument.fold(number, into: &hash)
      exchange.forEachOrder(in: number, .buy) { hash.fold(exchange.orders.id($0).rawValue) }
      exchange.forEachOrder(in: number, .sell) { hash.fold(exchange.orders.id($0).rawValue) }
      // Before version 3 nothing depends on who opened a level.
      if exchange.rules < 3 { continue }
      for side in [Side.buy, .sell] { exchange.foldOpeners(number, side, into: &hash) }
    }
  }

  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {
    for number in stride(from: 1, through: exchange.capacity.instruments, by: 1)
    where exchange.products.instruments[number].exists {
      exchange.checkBook(number, &violations)
    }
  }
}

extension Exchange {
  /// Calls `body` with every order of one side of a book, in book order.
  func forEachOrder(in instrument: UInt32, _ side: Side, _ body: (UInt32) -> Void) {
    let book = books.sides[bookIndex(instrument, side)]
    var level = books.ladder.first(in: book, live: false)
    while level != 0 {
      for head in [books.ladder.levels[level].liveHead, books.ladder.levels[level].waitingHead] {
        var slot = head
        while slot != 0 {
          invariant(
            orders[slot].level == level, "an order in a list of a level belongs to the level")
          body(slot)
          slot = orders.links[slot].next
        }
      }
      level = books.ladder.next(after: level, in: book, live: false)
    }
  }

  /// Folds the account that opened each level of one side of a book, from best to worst.
  fileprivate func foldOpeners(_ instrument: UInt32, _ side: Side, into hash: inout WordHash) {
    let book = books.sides[bookIndex(instrument, side)]
    var level = books.ladder.first(in: book, live: false)
    while level != 0 {
      invariant(books.ladder.levels[level].opener != 0, "an account opened the level")
      hash.fold(books.ladder.levels[level].opener)
      level = books.ladder.next(after: level, in: book, live: false)
    }
  }

  // MARK: Its invariants (section 4, 1 and 3)

  fileprivate func checkBook(_ instrument: UInt32, _ violations: inout [String]) {
    for side in Side.allCases { checkLevels(instrument, side, &violations) }
    let bid = books.sides[bookIndex(instrument, .buy)].bestKey
    let ask = books.sides[bookIndex(instrument, .sell)].bestKey
    if bid != Ladder.none, ask != Ladder.none,
      products.instruments[instrument].price(bid, .buy)
        >= products.instruments[instrument].price(ask, .sell)
    {
      violations.append("instrument \(instrument): the live book overlaps")
    }
  }

  private func checkLevels(_ instrument: UInt32, _ side: Side, _ violations: inout [String]) {
    let book = books.sides[bookIndex(instrument, side)]
    var name: String { "instrument \(instrument) \(side)" }
    var level = books.ladder.first(in: book, live: false)
    var previousKey: UInt32?
    while level != 0 {
      let sums = sums(level)
      let row = books.ladder.levels[level]
      if (sums.live, sums.total, sums.count) != (row.live, row.total, row.count) {
        violations.append("\(name) key \(row.key): sums \(sums) differ from level \(row)")
      }
      if sums.misplaced { violations.append("\(name) key \(row.key): an order in the wrong list") }
      if let previousKey, previousKey >= row.key {
        violations.append("\(name): levels out of order")
      }
      previousKey = row.key
      level = books.ladder.next(after: level, in: book, live: false)
    }
    if books.ladder.first(in: book, live: true) != book.bestLevel {
      violations.append("\(name): the best level is not the first live one")
    }
  }

  private func sums(_ level: UInt32) -> (live: Int64, total: Int64, count: UInt32, misplaced: Bool)
  {
    var (live, total, count, misplaced) = (Int64(0), Int64(0), UInt32(0), false)
    for (head, isLive) in [
      (books.ladder.levels[level].liveHead, true), (books.ladder.levels[level].waitingHead, false),
    ] {
      var slot = head
      while slot != 0 {
        live += orders[slot].covered
        total += orders[slot].leaves
        count += 1
        let isInPlace =
          orders[slot].marks.isOpen && orders[slot].level == level && orders[slot].leaves > 0
          && (orders[slot].covered > 0) == isLive && orders[slot].covered <= orders[slot].leaves
          && (!orders[slot].marks.isIceberg || isWhole(orders.icebergs[slot], isLive))
        if !isInPlace { misplaced = true }
        slot = orders.links[slot].next
      }
    }
    return (live, total, count, misplaced)
  }

  /// Whether the displayed slice of a resting iceberg is valid; a waiting iceberg displays a whole
  /// slice.
  private func isWhole(_ iceberg: Iceberg, _ isLive: Bool) -> Bool {
    iceberg.displayedSlice > 0 && iceberg.displayedSlice <= iceberg.display
      && (isLive || iceberg.displayedSlice == iceberg.display)
  }
}

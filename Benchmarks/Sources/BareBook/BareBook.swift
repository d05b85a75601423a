// The order book alone: the exchange's tables, ladders and orders (linked source files) with price-time matching.
// It has no accounts, cash, energy, cover, sessions and events; trades are only counted. The difference of its
// time to the exchange's is the cost of the exchange's rules.

import CPrefetch
import MarketModel
import OrderFlow

/// A price-time order book for any number of symbols. Owned by one thread.
package struct BareBook: ~Copyable {
  private(set) var orders: OrderPool
  private(set) var ladder: Ladder
  /// Both sides of each symbol: `symbol << 1 | side`.
  let books: Table<BookSide>
  private let lowest: Int64
  private let highest: Int64
  /// Totals of the trades.
  private var tally = FlowResult()
  /// Number of cancels of orders that were not open.
  package private(set) var rejects = 0

  /// An empty book.
  /// - Parameters:
  ///   - symbols: Number of symbols; they are numbered from 0.
  ///   - band: Lowest and highest price of all symbols, in ticks.
  ///   - orders: Capacity of resting orders, at most 2^24.
  ///   - levels: Capacity of price levels.
  package init(symbols: UInt32, band: ClosedRange<Int32>, orders: UInt32, levels: UInt32) {
    (lowest, highest) = (Int64(band.lowerBound), Int64(band.upperBound))
    self.orders = OrderPool(capacity: orders)
    ladder = Ladder(levels: levels)
    books = Table(capacity: Int(symbols) * 2)
    let depth = BareBook.depth(UInt32(highest - lowest))
    for number in 0..<symbols * 2 { books[number] = BookSide(depth: depth) }
  }

  private static func depth(_ highestKey: UInt32) -> UInt32 {
    let bits = UInt32(UInt32.bitWidth - highestKey.leadingZeroBitCount)
    precondition(bits <= 24, "a band of at most 2^24 ticks")
    return max(1, (bits + 5) / 6)
  }

  /// Results of all records so far.
  package var result: FlowResult {
    var result = tally
    result.resting = UInt64(orders.count)
    return result
  }

  /// Selects a side without a branch.
  @inline(__always) static func side(_ record: UnsafePointer<FlowRecord>) -> Side {
    record.pointee.side == 0 ? .buy : .sell
  }

  @inline(__always) func number(_ symbol: UInt32, _ side: Side) -> UInt32 {
    symbol &<< 1 | UInt32(side.rawValue)
  }

  /// The key of a price in the ladder of `side`; 0 is the best price of the band.
  @inline(__always) func key(_ price: Int32, _ side: Side) -> UInt32 {
    UInt32(
      truncatingIfNeeded: side.select(sell: Int64(price) &- lowest, buy: highest &- Int64(price)))
  }

  // MARK: Operations

  /// Applies one record; a cancel contains the id that its add returned.
  /// - Returns: The id of a resting order; null for any other record.
  @inline(__always) @discardableResult
  mutating func execute(_ record: UnsafePointer<FlowRecord>) -> OrderId {
    if record.pointee.operation == FlowRecord.add { return enter(record) }
    cancel(OrderId(record.pointee.orderId))
    return .null
  }

  @inline(__always) private mutating func enter(_ record: UnsafePointer<FlowRecord>) -> OrderId {
    let side = BareBook.side(record)
    let other = books.row(number(record.pointee.symbol, side.opposite))
    let limit = key(record.pointee.price, side.opposite)
    var leaves = Int64(record.pointee.quantity)
    // Without an order the best key is above every limit.
    while other.bestKey <= limit {
      meetBest(of: other, side.opposite, taker: record.pointee.orderId, &leaves)
      if leaves == 0 { return .null }
    }
    return rest(record, side, leaves)
  }

  /// Trades with the first order of the best level.
  private mutating func meetBest(
    of book: BookRow, _ side: Side, taker: UInt64, _ leaves: inout Int64
  ) {
    let level = ladder.levels.row(book.bestLevel)
    let slot = level.liveHead
    let maker = orders.row(slot)
    let quantity = min(leaves, maker.leaves)
    let distance = Int64(level.key)
    tally.trade(
      maker: maker.clientOrderId, taker: taker,
      price: side.select(sell: lowest &+ distance, buy: highest &- distance), quantity: quantity)
    leaves &-= quantity
    maker.leaves &-= quantity
    level.cover(by: -quantity)
    if maker.leaves == 0 {
      leave(maker, slot, level)
      // The order that is first now is needed next.
      prefetch(orders.row(level.liveHead).address)
    }
  }

  @inline(__always) private mutating func rest(
    _ record: UnsafePointer<FlowRecord>, _ side: Side, _ leaves: Int64
  ) -> OrderId {
    let (order, slot) = orders.take()
    let number = number(record.pointee.symbol, side)
    let book = books.row(number)
    let level = ladder.findOrMake(key(record.pointee.price, side), number: number, in: book)
    order.leaves = leaves
    order.clientOrderId = record.pointee.orderId
    order.level = level.number
    order.marks = OrderMarks(type: .limit, postOnly: false)
    let tail = level.liveTail
    let links = orders.links.row(slot)
    links.previous = tail
    links.next = 0
    level.liveTail = slot
    level.cover(by: leaves)
    level.add(leaves: 0)
    if tail != 0 {
      orders.links[tail].next = slot
    } else {
      level.liveHead = slot
      ladder.becameLive(level, in: book)
    }
    return OrderId(slot: slot, generation: order.generation)
  }

  @inline(__always) private mutating func cancel(_ id: OrderId) {
    guard let order = orders.find(id) else {
      rejects += 1
      return
    }
    let level = ladder.levels.row(order.level)
    level.cover(by: -order.leaves)
    leave(order, id.slot, level)
  }

  /// Removes an order from its level, an empty level from its ladder, and frees the slot.
  @inline(__always) private mutating func leave(
    _ order: OrderRow, _ slot: UInt32, _ level: LevelRow
  ) {
    let links = orders.links.row(slot)
    let (previous, next) = (links.previous, links.next)
    if previous != 0 {
      orders.links[previous].next = next
    } else {
      level.liveHead = next
    }
    if next != 0 {
      orders.links[next].previous = previous
    } else {
      level.liveTail = previous
    }
    level.remove(leaves: 0)
    if level.count == 0 {
      let book = books.row(level.book)
      ladder.becameWaiting(level, in: book)
      ladder.remove(level, from: book)
    }
    orders.free(order, links, slot)
  }
}

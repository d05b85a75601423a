// The best prices of every instrument, maintained only while a client subscribes to them:
//
//     published change ──> its price level ──> instrument is marked as changed
//                                   a few times a second: best levels of the marked instruments
//
// Updating a level costs a look-up per change. Finding the best levels costs a walk over an
// instrument's prices, a few times a second at most, regardless of the number of changes.

import MarketModel

/// The top of one instrument's published book.
public struct FeedTop: Equatable, Sendable {
  /// The instrument.
  public var instrument: InstrumentId
  /// Best bid level, including waiting orders; `nil` if there is none.
  public var bid: FeedLevel?
  /// Best ask level, including waiting orders; `nil` if there is none.
  public var ask: FeedLevel?
  /// Best bid price with live quantity; `nil` if there is none.
  public var liveBid: Price?
  /// Best ask price with live quantity; `nil` if there is none.
  public var liveAsk: Price?
}

/// The price levels from which tops are computed. Owned by the I/O thread.
struct MarketTops {
  private struct Book {
    var levels: [Side: [Price: FeedLevel]] = [.buy: [:], .sell: [:]]
    var isMarked = false
  }

  private var books: [InstrumentId: Book] = [:]
  private var marked: [InstrumentId] = []

  /// An order changed from `before` to `now`; a total of 0 means that it is not in the book.
  mutating func change(from before: FeedOrder, to now: FeedOrder) {
    if before.total.wattHours > 0 { add(before, -1) }
    if now.total.wattHours > 0 { add(now, 1) }
  }

  /// Returns the tops of the instruments that changed since the last call.
  mutating func takeChanged() -> [FeedTop] {
    defer { marked.removeAll(keepingCapacity: true) }
    return marked.map { instrument in
      books[instrument]?.isMarked = false
      return top(of: instrument)
    }
  }

  /// The present top of `instrument`.
  func top(of instrument: InstrumentId) -> FeedTop {
    var top = FeedTop(instrument: instrument)
    guard let levels = books[instrument]?.levels else { return top }
    let (bids, asks) = (levels[.buy] ?? [:], levels[.sell] ?? [:])
    top.bid = bids.values.max { $0.price < $1.price }
    top.ask = asks.values.min { $0.price < $1.price }
    top.liveBid = bids.values.filter { $0.live.wattHours > 0 }.map(\.price).max()
    top.liveAsk = asks.values.filter { $0.live.wattHours > 0 }.map(\.price).min()
    return top
  }

  private mutating func add(_ order: FeedOrder, _ sign: Int64) {
    var book = books.removeValue(forKey: order.instrument) ?? Book()
    var level =
      book.levels[order.side]?[order.price]
      ?? FeedLevel(side: order.side, price: order.price, total: .zero, live: .zero, orders: 0)
    level.total.wattHours += sign * order.total.wattHours
    level.live.wattHours += sign * order.live.wattHours
    level.orders = sign > 0 ? level.orders + 1 : level.orders - 1
    book.levels[order.side]?[order.price] = level.orders == 0 ? nil : level
    if !book.isMarked {
      book.isMarked = true
      marked.append(order.instrument)
    }
    books[order.instrument] = book
  }
}

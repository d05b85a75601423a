// The best prices of every instrument, kept only while somebody wants them:
//
//     published change ──> level of its price ──> instrument is marked
//                                   a few times a second: best of the levels of those marked
//
// Adding up a level costs a look-up a change; finding the best costs a walk over an instrument's prices,
// a few times a second at most, however many changes there were.

import MarketModel

/// The top of one instrument's published book.
public struct FeedTop: Equatable, Sendable {
  /// What is traded.
  public var instrument: InstrumentId
  /// Best level of all resting orders.
  public var bid: FeedLevel?
  /// Best level of all resting orders.
  public var ask: FeedLevel?
  /// Best bid that can be had now.
  public var liveBid: Price?
  /// Best ask that can be had now.
  public var liveAsk: Price?
}

/// The levels behind the tops. Owned by the I/O thread.
struct MarketTops {
  private struct Book {
    var levels: [Side: [Price: FeedLevel]] = [.buy: [:], .sell: [:]]
    var isMarked = false
  }

  private var books: [InstrumentId: Book] = [:]
  private var marked: [InstrumentId] = []

  /// An order stands as `now`, which stood as `before`; a total of 0 is no order.
  mutating func change(from before: FeedOrder, to now: FeedOrder) {
    if before.total.wattHours > 0 { add(before, -1) }
    if now.total.wattHours > 0 { add(now, 1) }
  }

  /// The tops of the instruments that changed since the last call.
  mutating func takeChanged() -> [FeedTop] {
    defer { marked.removeAll(keepingCapacity: true) }
    return marked.map { instrument in
      books[instrument]?.isMarked = false
      return top(of: instrument)
    }
  }

  /// The top of `instrument` now.
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

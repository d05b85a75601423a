import ExchangeCore
import GatewayKit
import MarketModel
import Testing

@testable import JoulebookServer

/// What stood in area 1 at every number of its channel, as the journal says: its commands are applied to the
/// engine once more, what the feed makes of the events is kept number by number, and after every command it
/// is compared with the engine's own book.
struct PublishedBooks {
  /// The book order by order, sorted, by number.
  private(set) var orders: [UInt64: [String]] = [:]
  /// The book level by level, sorted, by number.
  private(set) var levels: [UInt64: [String]] = [:]
  /// The last number.
  private(set) var last: UInt64 = 0

  /// Reads a journal that nobody writes.
  init(journal: String) throws {
    var replay = try JournalReplay(directory: journal, capacity: Configuration().capacity)
    var feed = MarketFeed()
    var book = Book()
    var (differences, commands) = (0, 0)
    while let (command, events) = try replay.step(through: nil) {
      for event in events { feed.note(event) }
      for message in feed.endCommand(at: command.pointee.time) { book.take(message) }
      commands += 1
      if book.lines != Self.seen(replay.exchange) { differences += 1 }
    }
    #expect(
      commands > 0 && differences == 0, "feed and engine differ after \(differences) commands")
    (orders, levels, last) = (book.orderLines, book.levelLines, feed.lastSequence(of: AreaId(1)))
  }

  /// An order as both tell of it.
  static func line(
    _ order: OrderId, _ side: Side, _ price: Price, live: Energy, total: Energy
  ) -> String {
    "\(order.rawValue) \(side) \(price.ticks): \(live.wattHours)/\(total.wattHours)"
  }

  /// A level as both tell of it.
  static func line(
    _ side: Side, _ price: Price, live: Energy, total: Energy, orders: UInt32
  ) -> String {
    "\(side) \(price.ticks): \(live.wattHours)/\(total.wattHours) in \(orders)"
  }

  /// What the market may see of the engine's orders.
  private static func seen(_ exchange: borrowing Exchange) -> [String] {
    var lines: [String] = []
    for order in exchange.openOrders() {
      guard let seen = exchange.seen(of: order.order) else { continue }
      lines.append(
        line(order.order, order.side, order.price, live: seen.live, total: seen.total))
    }
    return lines.sorted()
  }

  private struct Book {
    private var book: [OrderId: FeedOrder] = [:]
    private(set) var orderLines: [UInt64: [String]] = [:]
    private(set) var levelLines: [UInt64: [String]] = [:]

    var lines: [String] {
      book.values.map {
        PublishedBooks.line($0.order, $0.side, $0.price, live: $0.live, total: $0.total)
      }.sorted()
    }

    mutating func take(_ message: FeedMessage) {
      let sequence = message.sequence
      switch message.update {
      case .add(let order), .modify(let order): book[order.order] = order
      case .delete(let order): book[order.order] = nil
      case .trade, .state: break
      }
      orderLines[sequence] = lines
      let places = Dictionary(grouping: book.values) { "\($0.side) \($0.price.ticks)" }
      levelLines[sequence] = places.values.compactMap { there -> String? in
        guard let first = there.first else { return nil }
        func sum(_ part: (FeedOrder) -> Energy) -> Energy {
          Energy(wattHours: there.reduce(0) { $0 + part($1).wattHours })
        }
        return PublishedBooks.line(
          first.side, first.price, live: sum(\.live), total: sum(\.total),
          orders: UInt32(there.count))
      }.sorted()
    }
  }
}

import ExchangeCore
import GatewayKit
import MarketModel
import Testing

@testable import JoulebookServer

/// The book of area 1 after every message of its channel, derived from the journal: its commands
/// are applied to an exchange again, the feed's messages are applied to a book one by one, and
/// after every command that book is compared with the exchange's.
struct PublishedBooks {
  /// The sorted book by order, per message number.
  private(set) var orders: [UInt64: [String]] = [:]
  /// The sorted book by price level, per message number.
  private(set) var levels: [UInt64: [String]] = [:]
  /// The last message number.
  private(set) var last: UInt64 = 0

  /// Reads a journal that no process writes.
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

  /// The text of an order in both sources.
  static func line(
    _ order: OrderId, _ side: Side, _ price: Price, live: Energy, total: Energy
  ) -> String {
    "\(order.rawValue) \(side) \(price.ticks): \(live.wattHours)/\(total.wattHours)"
  }

  /// The text of a price level in both sources.
  static func line(
    _ side: Side, _ price: Price, live: Energy, total: Energy, orders: UInt32
  ) -> String {
    "\(side) \(price.ticks): \(live.wattHours)/\(total.wattHours) in \(orders)"
  }

  /// The published part of the exchange's orders.
  private static func seen(_ exchange: borrowing Exchange) -> [String] {
    var lines: [String] = []
    for order in exchange.openOrders() {
      guard let seen = exchange.displayed(of: order.order) else { continue }
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

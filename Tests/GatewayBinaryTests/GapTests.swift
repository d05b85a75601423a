import Crypto
import GatewayKit
import MarketModel
import Testing

@testable import GatewayBinary
@testable import JoulebookClient

/// A subscriber's copy of an area's book, and the number of the last message it contains.
private struct SubscribedBook {
  var book: [OrderId: BookOrder] = [:]
  var last: UInt64 = 0

  /// Processes a message.
  /// - Returns: whether the snapshot or the answer is complete.
  mutating func take(_ message: ClientMessage) -> Bool {
    if case .snapshotEnd = message.event {
      last = message.sequence
      return true
    }
    if message.isReport { return false }
    if message.sequence != 0 {
      #expect(message.sequence == last + 1, "a gap")
      last = message.sequence
    }
    switch message.event {
    case .bookAdd(let order), .bookModify(let order): book[order.order] = order
    case .bookDelete(let order): #expect(book.removeValue(forKey: order.order) != nil)
    default: break
    }
    return false
  }

  var lines: Set<String> {
    Set(book.values.map { "\($0.order) \($0.price) \($0.total) \($0.live)" })
  }
}

/// A market of random events, delivered as they are generated.
struct RandomMarketEvents {
  let world: GatewayWorld
  var random: SeededRandom
  var market = RandomMarket(instruments: 7...7)
  var emitted = 1

  mutating func emit(_ count: Int) {
    for _ in 0..<count { world.emit(market.command(&random)) }
    emitted += count
    while world.state.withLock({ $0.delivered }) < emitted {}
  }

  var lines: Set<String> {
    Set(market.open.map { "\($0.order) \($0.price) \($0.leaves) \($0.covered)" })
  }
}

@Suite("Gaps and tops of market data")
struct GapTests {
  private func take(_ client: Client, _ copy: inout SubscribedBook, until isDone: Bool) throws {
    while let message = try client.poll(timeoutMilliseconds: isDone ? 3000 : 150) {
      if copy.take(message), isDone { return }
    }
  }

  @Test(
    "A subscriber that reconnects twenty times and requests missed updates has the whole book."
  )
  func gaps() throws {
    let world = try GatewayWorld()
    var events = RandomMarketEvents(world: world, random: SeededRandom(seed: 11))
    var copy = SubscribedBook()
    events.emit(200)
    var client = try world.client()
    try client.subscribe(to: GatewayWorld.area)
    try take(client, &copy, until: true)
    for _ in 0..<20 {
      events.emit(Int.random(in: 0...40, using: &events.random))
      client.drop()
      events.emit(Int.random(in: 0...60, using: &events.random))
      client = try world.client()
      try client.resumeMarketData(of: GatewayWorld.area, from: copy.last + 1)
      events.emit(Int.random(in: 0...20, using: &events.random))
      try take(client, &copy, until: false)
      #expect(copy.lines == events.lines)
    }
    #expect(copy.last > 700 && events.lines.count > 5)
  }

  @Test("A request for messages too old or not yet sent is refused with the lowest number stored.")
  func tooOld() throws {
    let world = try GatewayWorld()
    let bot = try world.client(GatewayWorld.operatorDesk)
    var events = RandomMarketEvents(world: world, random: SeededRandom(seed: 12))
    func refusal(from: UInt64, of area: AreaId = GatewayWorld.area) throws -> Refusal? {
      try bot.resumeMarketData(of: area, from: from)
      guard case .rejected(let rejection) = try bot.expect().event else { return nil }
      return Refusal(rejection.code, limit: rejection.limit)
    }
    #expect(try refusal(from: 2) == Refusal(.marketDataTooOld, limit: 1))
    events.emit(MarketFeed.keptUpdates + 2_000)
    #expect(try refusal(from: 1)?.code == .marketDataTooOld)
    let limit = try #require(try refusal(from: 1)?.limit)
    #expect(limit > 1_000)
    #expect(try refusal(from: UInt64(limit) - 1)?.limit == limit)
    #expect(try refusal(from: 1, of: AreaId(9)) == Refusal(.unknownArea, limit: 1))
    try bot.resumeMarketData(of: GatewayWorld.area, from: UInt64(limit))
    guard case .acknowledged = try bot.expect().event else {
      Issue.record("what is kept is not sent")
      return
    }
    try bot.expectDefinitions()
    for number in UInt64(limit)..<(UInt64(limit) + UInt64(MarketFeed.keptUpdates)) {
      #expect(try bot.expect().sequence == number)
    }
    #expect(try bot.isQuiet())
  }

  @Test("Tops are sent a few times a second at most, and the last one equals the book.")
  func tops() throws {
    let world = try GatewayWorld()
    let bot = try world.client(GatewayWorld.operatorDesk)
    var events = RandomMarketEvents(world: world, random: SeededRandom(seed: 13))
    events.emit(50)
    try bot.subscribe(to: GatewayWorld.area, snapshot: .top)
    var tops: [TopReport] = []
    func read(_ milliseconds: Int32) throws {
      while let message = try bot.poll(timeoutMilliseconds: milliseconds) {
        switch message.event {
        case .top(let top): tops.append(top)
        case .acknowledged, .snapshotEnd, .area, .instrument: break
        default: Issue.record("\(message.event)")
        }
      }
    }
    try read(100)
    #expect(tops.count == 1)
    #expect(tops.last == events.top)
    for _ in 0..<4 {
      events.emit(500)
      try read(600)
      #expect(tops.last == events.top)
    }
    #expect(tops.count <= 20, "conflated: \(tops.count) for 2,000 commands")
    try bot.unsubscribe(from: GatewayWorld.area)
    try read(300)
    let count = tops.count
    events.emit(100)
    try read(600)
    #expect(tops.count == count, "tops after the subscription")
  }
}

extension RandomMarketEvents {
  /// The best prices, computed from all orders.
  fileprivate var top: TopReport {
    func best(_ side: Side, _ isBetter: (Price, Price) -> Bool) -> (TopReport.Best?, Price?) {
      let orders = market.open.filter { $0.side == side && $0.leaves > .zero }
      let price = orders.map(\.price).min(by: isBetter)
      let live = orders.filter { $0.covered > .zero }.map(\.price).min(by: isBetter)
      let level = price.map { price in
        let there = orders.filter { $0.price == price }
        return TopReport.Best(
          price: price,
          total: Energy(wattHours: there.reduce(0) { $0 + $1.leaves.wattHours }),
          live: Energy(wattHours: there.reduce(0) { $0 + $1.covered.wattHours }))
      }
      return (level, live)
    }
    let ((bid, liveBid), (ask, liveAsk)) = (best(.buy, >), best(.sell, <))
    return TopReport(
      instrument: GatewayWorld.instrument, area: GatewayWorld.area, bid: bid, ask: ask,
      liveBid: liveBid, liveAsk: liveAsk)
  }
}

import Crypto
import GatewayKit
import MarketModel
import Testing

@testable import GatewayBinary
@testable import JoulebookClient

/// What a subscriber makes of an area's channel: a book, and the number up to which it holds.
private struct Picture {
  var book: [OrderId: BookOrder] = [:]
  var last: UInt64 = 0

  /// Takes a message in.
  /// - Returns: Whether the snapshot or the answer is complete.
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

/// A market of random events that are delivered as they are made.
struct Bustle {
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
  private func take(_ client: Client, _ picture: inout Picture, until isDone: Bool) throws {
    while let message = try client.poll(timeoutMilliseconds: isDone ? 3000 : 150) {
      if picture.take(message), isDone { return }
    }
  }

  @Test("Whoever lost the connection twenty times and asks for what is missing has the whole book.")
  func gaps() throws {
    let world = try GatewayWorld()
    var bustle = Bustle(world: world, random: SeededRandom(seed: 11))
    var picture = Picture()
    bustle.emit(200)
    var client = try world.client()
    try client.subscribe(to: GatewayWorld.area)
    try take(client, &picture, until: true)
    for _ in 0..<20 {
      bustle.emit(Int.random(in: 0...40, using: &bustle.random))
      client.drop()
      bustle.emit(Int.random(in: 0...60, using: &bustle.random))
      client = try world.client()
      try client.resumeMarketData(of: GatewayWorld.area, from: picture.last + 1)
      bustle.emit(Int.random(in: 0...20, using: &bustle.random))
      try take(client, &picture, until: false)
      #expect(picture.lines == bustle.lines)
    }
    #expect(picture.last > 700 && bustle.lines.count > 5)
  }

  @Test("What is too old, or yet to come, is refused with the lowest number that is kept.")
  func tooOld() throws {
    let world = try GatewayWorld()
    let bot = try world.client(GatewayWorld.operatorDesk)
    var bustle = Bustle(world: world, random: SeededRandom(seed: 12))
    func refusal(from: UInt64, of area: AreaId = GatewayWorld.area) throws -> Refusal? {
      try bot.resumeMarketData(of: area, from: from)
      guard case .rejected(let rejection) = try bot.expect().event else { return nil }
      return Refusal(rejection.code, limit: rejection.limit)
    }
    #expect(try refusal(from: 2) == Refusal(.marketDataTooOld, limit: 1))
    bustle.emit(MarketFeed.keptUpdates + 2_000)
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
    for number in UInt64(limit)..<(UInt64(limit) + UInt64(MarketFeed.keptUpdates)) {
      #expect(try bot.expect().sequence == number)
    }
    #expect(try bot.isQuiet())
  }

  @Test("Tops come a few times a second, however much happens, and the last one is the truth.")
  func tops() throws {
    let world = try GatewayWorld()
    let bot = try world.client(GatewayWorld.operatorDesk)
    var bustle = Bustle(world: world, random: SeededRandom(seed: 13))
    bustle.emit(50)
    try bot.subscribe(to: GatewayWorld.area, snapshot: .top)
    var tops: [TopReport] = []
    func read(_ milliseconds: Int32) throws {
      while let message = try bot.poll(timeoutMilliseconds: milliseconds) {
        switch message.event {
        case .top(let top): tops.append(top)
        case .acknowledged, .snapshotEnd: break
        default: Issue.record("\(message.event)")
        }
      }
    }
    try read(100)
    #expect(tops.count == 1)
    #expect(tops.last == bustle.top)
    for _ in 0..<4 {
      bustle.emit(500)
      try read(600)
      #expect(tops.last == bustle.top)
    }
    #expect(tops.count <= 20, "conflated: \(tops.count) for 2,000 commands")
    try bot.unsubscribe(from: GatewayWorld.area)
    try read(300)
    let count = tops.count
    bustle.emit(100)
    try read(600)
    #expect(tops.count == count, "tops after the subscription")
  }
}

extension Bustle {
  /// The top of the book, from all orders.
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

import MarketModel
import Testing

@testable import GatewayKit
@testable import JoulebookClient

/// A message of an area's channel as a subscriber of levels sees it.
private struct LevelEvent: Equatable {
  var sequence: UInt64
  var level: FeedLevel?
  var instrument = InstrumentId.null
}

@Suite("The market feed, level by level")
struct LevelTests {
  private func told(_ log: FeedLog, in area: AreaId) -> [LevelEvent] {
    log.updates.filter { $0.0 == area }.map { _, sequence, update in
      guard update.isOfOneOrder else { return LevelEvent(sequence: sequence) }
      let level = log.levels.first {
        $0.sequence == sequence && MarketFeedTests.area(of: $0.instrument) == area
      }
      return LevelEvent(
        sequence: sequence, level: level?.level, instrument: level?.instrument ?? .null)
    }
  }

  private func again(_ feed: borrowing MarketFeed, in area: AreaId, from: UInt64) -> [LevelEvent] {
    var told: [LevelEvent] = []
    let missed = MissedLevels(of: area, from: from, in: feed)
    while !missed.isReady {
      var steps = 10
      missed.walkBack(feed, steps: &steps)
    }
    while let (message, number, _) = missed.take(feed) {
      switch message {
      case .level(let level, let instrument):
        told.append(LevelEvent(sequence: number, level: level, instrument: instrument))
      case .other: told.append(LevelEvent(sequence: number))
      }
    }
    return told
  }

  @Test("Every change of an order changes one level; a new price is a delete and an add.")
  func oneLevelEach() {
    var feed = MarketFeedTests.feed()
    feed.keepLevels(of: AreaId(1), for: .first)
    var log = FeedLog()
    var order = MarketFeedTests.state(
      MarketFeedTests.id(1), .sell, price: 10, leaves: 5, covered: 2)
    feed.note(.accepted(order))
    feed.endCommand(at: .never, into: &log)
    order.price = Price(ticks: 12)
    feed.note(.replaced(order))
    feed.endCommand(at: .never, into: &log)
    order.covered = Energy(wattHours: 5)
    feed.note(.restated(order))
    feed.endCommand(at: .never, into: &log)
    func level(_ price: Int64, _ total: Int64, _ live: Int64, _ orders: UInt32) -> FeedLevel {
      FeedLevel(
        side: .sell, price: Price(ticks: price), total: Energy(wattHours: total),
        live: Energy(wattHours: live), orders: orders)
    }
    #expect(log.updates.map(\.1) == [1, 2, 3, 4])
    #expect(
      log.levels.map(\.level) == [
        level(10, 5, 2, 1), level(10, 0, 0, 0), level(12, 5, 2, 1), level(12, 5, 5, 1),
      ])
  }

  @Test(
    "Missed level messages are repeated unchanged, even if there was no subscriber at the time.",
    arguments: 1...8)
  func missed(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    var followed = MarketFeedTests.feed()
    var alone = MarketFeedTests.feed()
    for area in MarketFeedTests.areas { followed.keepLevels(of: area, for: .first) }
    var market = RandomMarket()
    var log = FeedLog()
    var nobody = FeedLog()
    for step in 0..<800 {
      for event in market.command(&random) {
        followed.note(event)
        alone.note(event)
      }
      followed.endCommand(at: .never, into: &log)
      alone.endCommand(at: .never, into: &nobody)
      guard step % 50 == 49 else { continue }
      let area = MarketFeedTests.areas[step / 50 % 2]
      let all = told(log, in: area)
      let from = UInt64.random(in: 1...followed.lastSequence(of: area) + 1, using: &random)
      let expected = Array(all.drop { $0.sequence < from })
      alone.keepAllLevels(of: area)
      #expect(again(followed, in: area, from: from) == expected, "seed \(seed) from \(from)")
      #expect(again(alone, in: area, from: from) == expected, "seed \(seed) from \(from)")
      #expect(followed.depth(of: area) == alone.depth(of: area), "seed \(seed)")
      alone.releaseLevels(for: .first, at: SteadyTime(nanoseconds: 0))
      alone.dropUnwantedLevels(at: SteadyTime(nanoseconds: MarketFeed.keptUnwanted))
    }
    #expect(nobody.levels.isEmpty && log.levels.count > 500)
  }
}

/// A subscriber of levels in a random market whose connection is lost repeatedly.
@Suite("Levels over the wire")
struct LevelWireTests {
  private func take(_ client: Client, _ book: inout LevelBook, until isDone: Bool) throws {
    while let message = try client.poll(timeoutMilliseconds: isDone ? 3000 : 150) {
      let outcome = book.take(message)
      if case .gap(let from) = outcome { Issue.record("a gap from \(from)") }
      if outcome == .complete, isDone { return }
      switch message.event {
      case .bookAdd, .bookModify, .bookDelete: Issue.record("orders to a subscriber of levels")
      default: break
      }
    }
  }

  @Test("A subscriber of levels that loses its connection twenty times has the whole depth.")
  func gaps() throws {
    let world = try GatewayWorld()
    var events = RandomMarketEvents(world: world, random: SeededRandom(seed: 21))
    var book = LevelBook(area: GatewayWorld.area)
    events.emit(200)
    var client = try world.client()
    try client.subscribe(to: GatewayWorld.area, snapshot: .levels)
    try take(client, &book, until: true)
    #expect(book.depth(of: GatewayWorld.instrument) == events.levels)
    for _ in 0..<20 {
      events.emit(Int.random(in: 0...40, using: &events.random))
      client.drop()
      events.emit(Int.random(in: 0...60, using: &events.random))
      client = try world.client()
      try client.resumeMarketData(of: GatewayWorld.area, from: book.last + 1, view: .levels)
      events.emit(Int.random(in: 0...20, using: &events.random))
      try take(client, &book, until: false)
      #expect(book.depth(of: GatewayWorld.instrument) == events.levels)
    }
    #expect(book.last > 700 && events.levels.count > 5)
  }

  @Test("A new view replaces the previous one; message numbers are equal in both.")
  func views() throws {
    let world = try GatewayWorld()
    let bot = try world.client(GatewayWorld.operatorDesk)
    var events = RandomMarketEvents(world: world, random: SeededRandom(seed: 22))
    events.emit(30)
    var book = LevelBook(area: GatewayWorld.area)
    try bot.subscribe(to: GatewayWorld.area)
    try bot.subscribe(to: GatewayWorld.area, snapshot: .levels)
    var ends = 0
    while ends < 2 {
      let message = try bot.expect()
      if case .snapshotEnd = message.event { ends += 1 }
      if ends > 0 { _ = book.take(message) }
    }
    events.emit(30)
    try take(bot, &book, until: false)
    #expect(book.depth(of: GatewayWorld.instrument) == events.levels)
    // From this number on, by order.
    try bot.resumeMarketData(of: GatewayWorld.area, from: book.last + 1)
    guard case .acknowledged = try bot.expect().event else {
      Issue.record("no answer")
      return
    }
    try bot.expectDefinitions()
    events.emit(10)
    var isFirst = true
    while let message = try bot.poll(timeoutMilliseconds: 150) {
      if case .level = message.event { Issue.record("levels to a subscriber of orders") }
      if message.sequence != 0, !message.isReport, isFirst {
        #expect(message.sequence == book.last + 1)
        isFirst = false
      }
    }
    #expect(!isFirst)
    try bot.unsubscribe(from: GatewayWorld.area)
    guard case .acknowledged = try bot.expect().event else {
      Issue.record("no answer")
      return
    }
    events.emit(5)
    #expect(try bot.isQuiet())
  }

  @Test("A gap is detected, and a repeated message is ignored.")
  func gapIsNoticed() {
    func level(_ sequence: UInt64, _ price: Int64, _ orders: UInt32) -> ClientMessage {
      ClientMessage(
        sequence: sequence, time: .never, receivedAt: 0, isReport: false,
        event: .level(
          LevelReport(
            instrument: InstrumentId(1), area: AreaId(1), side: .buy, price: Price(ticks: price),
            total: Energy(wattHours: 5), live: Energy(wattHours: 5), orders: orders)))
    }
    var book = LevelBook(area: AreaId(1))
    #expect(book.take(level(3, 10, 1)) == .nothing, "before the snapshot")
    let end = ClientMessage(
      sequence: 3, time: .never, receivedAt: 0, isReport: false,
      event: .snapshotEnd(area: AreaId(1), reference: 1))
    #expect(book.take(end) == .complete)
    #expect(book.take(level(3, 10, 1)) == .nothing)
    #expect(book.take(level(4, 11, 1)) == .taken)
    #expect(book.take(level(6, 12, 1)) == .gap(from: 5))
    #expect(book.take(level(5, 11, 0)) == .taken)
    #expect(book.take(level(6, 12, 1)) == .taken)
    #expect(book.depth(of: InstrumentId(1)).map(\.price.ticks) == [12])
  }
}

extension RandomMarketEvents {
  /// The depth, computed from all orders.
  fileprivate var levels: [LevelReport] {
    var levels: [LevelReport] = []
    for side in [Side.buy, .sell] {
      let orders = market.open.filter { $0.side == side && $0.leaves > .zero }
      let prices = Set(orders.map(\.price)).sorted { side == .buy ? $0 > $1 : $0 < $1 }
      levels += prices.map { price in
        let there = orders.filter { $0.price == price }
        return LevelReport(
          instrument: GatewayWorld.instrument, area: GatewayWorld.area, side: side, price: price,
          total: Energy(wattHours: there.reduce(0) { $0 + $1.leaves.wattHours }),
          live: Energy(wattHours: there.reduce(0) { $0 + $1.covered.wattHours }),
          orders: UInt32(there.count))
      }
    }
    return levels
  }
}

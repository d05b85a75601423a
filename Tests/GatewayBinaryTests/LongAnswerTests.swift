import MarketModel
import Testing
import Wire

@testable import GatewayBinary
@testable import GatewayKit
@testable import JoulebookClient

/// A subscriber of area 1 that reads now and then, with the published books by message number.
private struct Follower {
  let view: ChannelView
  var orders: [OrderId: BookOrder] = [:]
  var levels = LevelBook(area: AreaId(1))
  /// Number of the last message; `nil` while a snapshot or an answer is outstanding.
  var last: UInt64?
  /// Messages of the snapshot that change what it has sent before.
  var corrections = 0

  mutating func take(_ message: ClientMessage, _ books: [UInt64: [String]], _ seed: Int) {
    if view == .levels, case .gap(let from) = levels.take(message) {
      Issue.record("seed \(seed): a gap from \(from)")
    }
    switch message.event {
    case .bookAdd(let order):
      #expect(orders.updateValue(order, forKey: order.order) == nil, "seed \(seed)")
    case .bookModify(let order):
      if message.sequence == 0 { corrections += 1 }
      #expect(orders.updateValue(order, forKey: order.order) != nil, "seed \(seed)")
    case .bookDelete(let order):
      if message.sequence == 0 { corrections += 1 }
      #expect(orders.removeValue(forKey: order.order) != nil, "seed \(seed)")
    case .level: if message.sequence == 0 { corrections += 1 }
    case .marketTrade, .stateChanged: #expect(message.sequence != 0, "seed \(seed)")
    case .snapshotEnd:
      last = message.sequence
      #expect(lines == books[message.sequence], "seed \(seed), at \(message.sequence)")
      return
    default: return
    }
    guard message.sequence != 0, let number = last else { return }
    #expect(message.sequence == number + 1, "seed \(seed)")
    last = number + 1
    if let book = books[number + 1] { #expect(lines == book, "seed \(seed), at \(number + 1)") }
  }

  var lines: [String] {
    switch view {
    case .orders: orders.values.map(Self.line).sorted()
    case .levels:
      (UInt32(1)...2).flatMap { levels.depth(of: InstrumentId($0)) }.map {
        "\($0.instrument) \($0.side) \($0.price): \($0.live) of \($0.total) in \($0.orders)"
      }.sorted()
    }
  }

  static func line(_ order: BookOrder) -> String {
    "\(order.order) \(order.instrument) \(order.side) \(order.price): \(order.live) \(order.total)"
  }

  /// The published book in the same words.
  static func lines(_ orders: [OrderId: FeedOrder], _ view: ChannelView) -> [String] {
    guard view == .levels else {
      return orders.values.map {
        "\($0.order) \($0.instrument) \($0.side) \($0.price): \($0.live) \($0.total)"
      }.sorted()
    }
    let levels = Dictionary(grouping: orders.values) {
      LevelKey(instrument: $0.instrument, side: $0.side, price: $0.price)
    }
    return levels.map { key, orders in
      let live = Energy(wattHours: orders.reduce(0) { $0 + $1.live.wattHours })
      let total = Energy(wattHours: orders.reduce(0) { $0 + $1.total.wattHours })
      return "\(key.instrument) \(key.side) \(key.price): \(live) of \(total) in \(orders.count)"
    }.sorted()
  }
}

@Suite("Answers that are made in pieces")
struct LongAnswerTests {
  private static let area = AreaId(1)

  /// A world with a market, and the book after each command by message number.
  private final class Market {
    let world = HandWorld(sendBound: 700)
    var random: SeededRandom
    var market = RandomMarket()
    var books: [UInt64: [String]] = [:]
    let view: ChannelView

    init(_ view: ChannelView, seed: Int) {
      (self.view, random) = (view, SeededRandom(seed: UInt64(seed)))
      for _ in 0..<60 { trade() }
    }

    func trade() {
      world.deliver(market.command(&random))
      let number = world.view.feed.lastSequence(of: area)
      books[number] = Follower.lines(world.view.feed.orders(of: area), view)
    }

    /// One of what may happen next: a command, a turn, or bytes that are read.
    func step(_ follower: inout Follower, _ seed: Int) throws {
      switch Int.random(in: 0..<8, using: &random) {
      case 0: trade()
      case 1, 2: world.gateway?.turnEnds()
      default:
        let messages = try world.messages(reading: Int.random(in: 0...400, using: &random))
        for message in messages { follower.take(message, books, seed) }
      }
    }
  }

  @Test(
    "A snapshot made in pieces while the book changes is the published book, and so is what follows.",
    arguments: ChannelView.allCases, 1...8)
  func snapshots(view: ChannelView, seed: Int) throws {
    let market = Market(view, seed: seed)
    var follower = Follower(view: view)
    var corrections = 0
    for _ in 0..<6 {
      // What the subscription before has sent.
      for message in try market.world.messages() { follower.take(message, market.books, seed) }
      follower.orders = [:]
      follower.last = nil
      market.world.subscribe(view == .levels ? .levels : .orders, to: Self.area)
      var steps = 0
      while follower.last == nil, steps < 5_000 {
        try market.step(&follower, seed)
        steps += 1
      }
      try #require(follower.last != nil, "seed \(seed): the snapshot does not end")
      for _ in 0..<100 { try market.step(&follower, seed) }
      for message in try market.world.drain() { follower.take(message, market.books, seed) }
      corrections += follower.corrections
      #expect(follower.last == market.world.view.feed.lastSequence(of: Self.area))
      #expect(follower.lines == market.books[follower.last ?? 0], "seed \(seed)")
    }
    #expect(corrections > 0, "seed \(seed): the book did not change while a snapshot was made")
  }

  @Test(
    "Missed messages made in pieces while new ones are published leave no gap.",
    arguments: ChannelView.allCases, 1...8)
  func missedMessages(view: ChannelView, seed: Int) throws {
    let market = Market(view, seed: seed)
    let world = market.world
    var follower = Follower(view: view)
    world.subscribe(view == .levels ? .levels : .orders, to: Self.area)
    for message in try world.drain() { follower.take(message, market.books, seed) }
    for _ in 0..<5 {
      for _ in 0..<30 { market.trade() }
      _ = try world.drain()
      let last = try #require(follower.last)
      let reference = world.request(MarketDataResumeEncoder.frameLength) {
        MarketDataResumeEncoder(
          into: $0, seqNo: $1, sendingTime: .never, fromSeqNo: last + 1, area: Self.area,
          view: view)
      }
      let answer = try world.messages(reading: AckEncoder.frameLength).first
      guard case .acknowledged(reference)? = answer?.event else {
        Issue.record("seed \(seed): no answer")
        return
      }
      for _ in 0..<200 { try market.step(&follower, seed) }
      for message in try world.drain() { follower.take(message, market.books, seed) }
      #expect(follower.last == world.view.feed.lastSequence(of: Self.area), "seed \(seed)")
    }
  }

  @Test("Requests wait in order behind the one in progress, 16 at most.")
  func waiting() throws {
    let market = Market(.orders, seed: 3)
    let first = market.world.subscribe(.orders, to: Self.area)
    let others = (0..<18).map { _ in
      market.world.request(ReferenceDataRequestEncoder.frameLength) {
        ReferenceDataRequestEncoder(into: $0, seqNo: $1, sendingTime: .never, area: .null)
      }
    }
    var (ends, rejected) = ([UInt64](), [Rejection]())
    for message in try market.world.drain() {
      switch message.event {
      case .snapshotEnd(_, let reference): ends.append(reference)
      case .referenceDataEnd(2, 3, let reference): ends.append(reference)
      case .rejected(let rejection): rejected.append(rejection)
      default: break
      }
    }
    #expect(ends == [first] + others[..<16])
    #expect(rejected.map(\.reference) == Array(others[16...]))
    #expect(rejected.allSatisfy { $0.code == .workLimit && $0.limit == 16 })
  }

  @Test("A new request about an area replaces the snapshot in progress; unsubscribing ends it.")
  func replaced() throws {
    let market = Market(.orders, seed: 4)
    func ends() throws -> [UInt64] {
      try market.world.drain().compactMap {
        if case .snapshotEnd(_, let reference) = $0.event { reference } else { nil }
      }
    }
    market.world.subscribe(.orders, to: Self.area)
    let second = market.world.subscribe(.levels, to: Self.area)
    #expect(try ends() == [second])
    market.world.subscribe(.orders, to: Self.area)
    market.world.request(MarketDataUnsubscribeEncoder.frameLength) {
      MarketDataUnsubscribeEncoder(into: $0, seqNo: $1, sendingTime: .never, area: Self.area)
    }
    #expect(try ends() == [])
    market.trade()
    #expect(try market.world.drain().allSatisfy(\.isReport))
  }

  @Test("FinishedSending is answered when every long answer has left.")
  func finishing() throws {
    let market = Market(.orders, seed: 5)
    let world = market.world
    world.subscribe(.orders, to: Self.area)
    world.send(FinishedSendingEncoder.frameLength) {
      FinishedSendingEncoder(into: $0, sessionVersion: 1, lastSeqNo: 1)
    }
    world.deliverOwn()
    let messages = try world.drain()
    guard case .snapshotEnd? = messages.last?.event else {
      Issue.record("the snapshot is not complete")
      return
    }
    market.trade()
    #expect(try world.drain().isEmpty, "market data after FinishedSending")
  }
}

@Suite("Kept levels")
struct KeptLevelsTests {
  @Test(
    "Levels built in pieces while the book changes are the published ones.", arguments: 1...30)
  func building(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    var feed = MarketFeedTests.feed()
    var market = RandomMarket()
    let join = (0..<2).map { _ in Int.random(in: 20..<60, using: &random) }
    var checked = 0
    for step in 0..<200 {
      for event in market.command(&random) { feed.note(event) }
      feed.endCommand(at: .never)
      for (index, area) in MarketFeedTests.areas.enumerated() where step == join[index] {
        feed.keepLevels(of: area, for: .first)
      }
      feed.buildLevels(steps: Int.random(in: 0...4, using: &random))
      for area in MarketFeedTests.areas where feed.hasLevels(of: area) {
        checked += 1
        var alone = SortedDepth()
        for order in feed.orders(of: area).values { alone.add(order) }
        #expect(feed.depth(of: area) == alone.depth, "seed \(seed), step \(step)")
      }
    }
    #expect(checked > 100, "seed \(seed): \(checked)")
  }

  /// Levels added up from orders, without any structure.
  private struct SortedDepth {
    private var levels: [LevelKey: FeedLevel] = [:]

    mutating func add(_ order: FeedOrder) {
      let key = LevelKey(instrument: order.instrument, side: order.side, price: order.price)
      let level = levels[key] ?? FeedLevel(emptyAt: key.price, key.side)
      levels[key] = level.after(LevelChange(adding: order))
    }

    var depth: [InstrumentId: [FeedLevel]] {
      let sorted = levels.sorted { $0.key < $1.key }
      return Dictionary(grouping: sorted) { $0.key.instrument }.mapValues { $0.map(\.value) }
    }
  }

  @Test("Levels are dropped 60 s after the last gateway released them, not before.")
  func released() {
    var feed = MarketFeedTests.feed()
    let (area, other) = (AreaId(1), GatewayNumber(1))
    func at(_ seconds: UInt64) -> SteadyTime { SteadyTime(nanoseconds: seconds * 1_000_000_000) }
    feed.keepLevels(of: area, for: .first)
    feed.keepLevels(of: area, for: other)
    feed.releaseLevels(of: area, for: .first, at: at(1))
    feed.dropUnwantedLevels(at: at(1000))
    #expect(feed.hasLevels(of: area) == true)
    feed.releaseLevels(of: area, for: other, at: at(1000))
    feed.dropUnwantedLevels(at: at(1059))
    #expect(feed.hasLevels(of: area) == true)
    feed.keepLevels(of: area, for: .first)
    feed.dropUnwantedLevels(at: at(2000))
    #expect(feed.hasLevels(of: area) == true)
    feed.releaseLevels(of: area, for: .first, at: at(2000))
    feed.dropUnwantedLevels(at: at(2060))
    #expect(feed.hasLevels(of: area) == false)
    #expect(feed.areasKept(for: .first) == [])
  }

  @Test("Each gateway learns the tops that changed since it asked last.")
  func changedTops() {
    var feed = MarketFeedTests.feed()
    let (area, other) = (AreaId(1), GatewayNumber(1))
    feed.keepLevels(of: area, for: .first)
    feed.keepLevels(of: area, for: other)
    func enter(_ slot: UInt32, instrument: UInt32) {
      feed.note(
        .accepted(
          MarketFeedTests.state(
            MarketFeedTests.id(slot), .sell, price: 10, leaves: 5, covered: 5,
            instrument: instrument)))
      feed.endCommand(at: .never)
    }
    func changed(_ gateway: GatewayNumber) -> [UInt32] {
      feed.takeChangedTops(of: area, for: gateway).map(\.instrument.rawValue)
    }
    enter(1, instrument: 2)
    #expect(changed(.first) == [2])
    #expect(changed(.first).isEmpty)
    enter(2, instrument: 1)
    enter(3, instrument: 2)
    #expect(changed(other) == [2, 1])
    #expect(changed(.first) == [1, 2])
    #expect(changed(other).isEmpty)
  }

  @Test("Sorted levels are a sorted list, with any number of prices.", arguments: 1...6)
  func sortedLevels(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    let side: Side = seed % 2 == 0 ? .buy : .sell
    var (levels, model, open) = (SortedLevels(side), [Int64: FeedLevel](), [FeedOrder]())
    for step in 0..<6_000 {
      // First they mostly grow, then they mostly shrink.
      let isAdding = Int.random(in: 0..<10, using: &random) < (step < 3_000 ? 8 : 2)
      guard let order = isAdding ? enter(&open, side, &random) : leave(&open, &random) else {
        continue
      }
      let change = isAdding ? LevelChange(adding: order) : LevelChange(adding: order).reversed
      let ticks = order.price.ticks
      let after = (model[ticks] ?? FeedLevel(emptyAt: order.price, side)).after(change)
      #expect(levels.apply(change) == after)
      model[ticks] = after.orders == 0 ? nil : after
      guard step % 500 == 0 else { continue }
      let sorted = model.values.sorted { side == .buy ? $0.price > $1.price : $0.price < $1.price }
      var all: [FeedLevel] = []
      while all.count < sorted.count {
        let before = all.count
        levels.appendNext(behind: all.last?.price, to: &all, most: before + 100)
        if all.count == before { break }
      }
      #expect(all == sorted && levels.count == sorted.count, "seed \(seed), step \(step)")
      #expect(levels.best == sorted.first && levels.bestLive == sorted.first { $0.isLive })
      #expect(levels.level(at: order.price) == model[ticks])
    }
  }

  private func enter(
    _ open: inout [FeedOrder], _ side: Side, _ random: inout SeededRandom
  ) -> FeedOrder? {
    let order = MarketFeedTests.shown(
      MarketFeedTests.state(
        MarketFeedTests.id(1), side, price: Int64.random(in: -800...800, using: &random),
        leaves: 3, covered: Int64.random(in: 0...1, using: &random)))
    open.append(order)
    return order
  }

  private func leave(_ open: inout [FeedOrder], _ random: inout SeededRandom) -> FeedOrder? {
    guard let index = open.indices.randomElement(using: &random) else { return nil }
    open.swapAt(index, open.count - 1)
    return open.removeLast()
  }
}

import MarketModel
import Testing

@testable import GatewayKit

/// Records what the feed publishes.
struct FeedLog {
  var updates: [(AreaId, UInt64, FeedUpdate)] = []
  /// The published level changes, with number and instrument.
  var levels: [(sequence: UInt64, instrument: InstrumentId, level: FeedLevel)] = []

  mutating func take(_ message: FeedMessage) {
    updates.append((message.area, message.sequence, message.update))
    guard let change = message.level else { return }
    #expect(message.update.isOfOneOrder)
    levels.append((message.sequence, change.instrument, change.level))
  }
}

extension MarketFeed {
  mutating func endCommand(at time: Timestamp, into log: inout FeedLog) {
    for message in endCommand(at: time) { log.take(message) }
  }

  /// Keeps the levels of an area from now on, complete.
  mutating func keepAllLevels(of area: AreaId) {
    keepLevels(of: area, for: .first)
    while isBuildingLevels { buildLevels(steps: 7) }
  }

  /// The depth of an area whose levels are kept, by instrument.
  func depth(of area: AreaId) -> [InstrumentId: [FeedLevel]] {
    #expect(hasLevels(of: area) == true)
    var depth: [InstrumentId: [FeedLevel]] = [:]
    var last = InstrumentId.null
    while let instrument = nextInstrument(of: area, after: last) {
      let levels = levels(of: instrument, behind: nil, most: .max)
      if !levels.isEmpty { depth[instrument] = levels }
      last = instrument
    }
    return depth
  }

  /// The resting orders of an area.
  func orders(of area: AreaId) -> [OrderId: FeedOrder] {
    var (orders, slot, steps) = ([OrderId: FeedOrder](), 0, Int.max)
    while let order = nextOrder(in: area, from: &slot, steps: &steps) {
      orders[order.order] = order
    }
    #expect(orders.count == orderCount(of: area))
    return orders
  }
}

/// A subscriber of one area: a snapshot, then every change in sequence.
struct FeedSubscriber {
  let area: AreaId
  var last: UInt64
  var orders: [OrderId: FeedOrder] = [:]

  init(joining feed: borrowing MarketFeed, _ area: AreaId) {
    self.area = area
    last = feed.lastSequence(of: area)
    orders = feed.orders(of: area)
  }

  mutating func apply(_ log: FeedLog) {
    for (area, sequence, update) in log.updates where area == self.area {
      #expect(sequence == last + 1)
      last = sequence
      switch update {
      case .add(let order):
        #expect(orders[order.order] == nil)
        orders[order.order] = order
      case .modify(let order):
        #expect(orders[order.order] != nil && orders[order.order] != order)
        orders[order.order] = order
      case .delete(let order):
        #expect(orders.removeValue(forKey: order.order) != nil)
      case .trade, .state: break
      }
    }
  }
}

@Suite("The market feed")
struct MarketFeedTests {
  static let areas: [AreaId] = [AreaId(1), AreaId(2)]

  /// The area of one of `feed`'s instruments.
  static func area(of instrument: InstrumentId) -> AreaId {
    areas[instrument.rawValue == 3 ? 1 : 0]
  }

  /// A feed with two areas; instruments 1 and 2 are the first's, 3 the second's.
  static func feed() -> MarketFeed {
    var feed = MarketFeed()
    for (instrument, area) in [(UInt32(1), UInt16(1)), (2, 1), (3, 2)] {
      feed.note(
        .reference(
          .instrumentCreated(
            CreateInstrument(
              instrument: InstrumentId(instrument), area: AreaId(area), symbol: .empty,
              tick: Price(ticks: 1), lot: Energy(wattHours: 1), lowestPrice: .zero,
              highestPrice: Price(ticks: 100)))))
    }
    var log = FeedLog()
    feed.endCommand(at: .never, into: &log)
    #expect(log.updates.isEmpty)
    return feed
  }

  static func state(
    _ order: OrderId, _ side: Side, price: Int64, leaves: Int64, covered: Int64,
    instrument: UInt32 = 1
  ) -> OrderState {
    OrderState(
      order: order, account: AccountId(1), instrument: InstrumentId(instrument),
      session: SessionId(1), clientOrderId: ClientOrderId(1), side: side, type: .limit,
      timeInForce: .goodTillCancel, waitReason: .none, price: Price(ticks: price),
      quantity: Energy(wattHours: 100), leaves: Energy(wattHours: leaves),
      covered: Energy(wattHours: covered))
  }

  static func trade(
    buyer: (OrderId, Int64), seller: (OrderId, Int64), quantity: Int64, instrument: UInt32 = 1
  ) -> Trade {
    func party(_ side: (OrderId, Int64)) -> TradeParty {
      TradeParty(
        order: side.0, account: AccountId(1), session: SessionId(1),
        clientOrderId: ClientOrderId(1), fee: .zero, leaves: Energy(wattHours: side.1),
        covered: Energy(wattHours: side.1))
    }
    return Trade(
      trade: TradeId(1), instrument: InstrumentId(instrument), aggressor: .buy,
      price: Price(ticks: 10), quantity: Energy(wattHours: quantity), notional: .zero,
      buyer: party(buyer), seller: party(seller))
  }

  static func id(_ slot: UInt32, _ generation: UInt32 = 1) -> OrderId {
    OrderId(slot: slot, generation: generation)
  }

  static func shown(_ state: OrderState) -> FeedOrder {
    FeedOrder(
      order: state.order, instrument: state.instrument, side: state.side, price: state.price,
      total: state.leaves, live: state.covered)
  }

  @Test("An order that is accepted and wholly traded in one command shows as its trade only.")
  func wholeTradeShowsAsTrade() {
    var feed = Self.feed()
    var log = FeedLog()
    let resting = Self.state(Self.id(1), .sell, price: 10, leaves: 5, covered: 5)
    feed.note(.accepted(resting))
    feed.endCommand(at: .never, into: &log)
    feed.note(.accepted(Self.state(Self.id(2), .buy, price: 10, leaves: 3, covered: 3)))
    feed.note(.trade(Self.trade(buyer: (Self.id(2), 0), seller: (Self.id(1), 2), quantity: 3)))
    feed.endCommand(at: .never, into: &log)
    var left = Self.shown(resting)
    (left.total, left.live) = (Energy(wattHours: 2), Energy(wattHours: 2))
    #expect(log.updates.map(\.1) == [1, 2, 3])
    #expect(log.updates[0].2 == .add(Self.shown(resting)))
    guard case .trade(let trade) = log.updates[1].2 else {
      Issue.record("no trade")
      return
    }
    #expect(trade.resting == Self.id(1) && trade.quantity == Energy(wattHours: 3))
    #expect(log.updates[2].2 == .modify(left))
  }

  @Test("Only an iceberg's displayed quantity is published; a refill is a delete and an add.")
  func icebergs() {
    var feed = Self.feed()
    feed.keepAllLevels(of: AreaId(1))
    func after(_ events: Event...) -> [FeedUpdate] {
      for event in events { feed.note(event) }
      var log = FeedLog()
      feed.endCommand(at: .never, into: &log)
      return log.updates.map(\.2).filter { if case .trade = $0 { false } else { true } }
    }
    func displayed(_ total: Int64, _ live: Int64, isRefilled: Bool = false) -> Event {
      .order(
        .displayed(
          OrderDisplayed(
            order: Self.id(1), total: Energy(wattHours: total), live: Energy(wattHours: live),
            isRefilled: isRefilled)))
    }
    func seen(_ total: Int64, _ live: Int64) -> FeedOrder {
      Self.shown(Self.state(Self.id(1), .sell, price: 10, leaves: total, covered: live))
    }
    func trade(_ quantity: Int64, leaving leaves: Int64) -> Event {
      .trade(Self.trade(buyer: (Self.id(2), 0), seller: (Self.id(1), leaves), quantity: quantity))
    }
    func bid(_ quantity: Int64) -> Event {
      .accepted(Self.state(Self.id(2), .buy, price: 10, leaves: quantity, covered: quantity))
    }
    let whole = Self.state(Self.id(1), .sell, price: 10, leaves: 20, covered: 12)
    #expect(after(.accepted(whole), displayed(5, 5)) == [.add(seen(5, 5))])
    #expect(after(bid(2), trade(2, leaving: 18), displayed(3, 3)) == [.modify(seen(3, 3))])
    #expect(
      after(bid(3), trade(3, leaving: 15), displayed(5, 5, isRefilled: true))
        == [.delete(seen(3, 3)), .add(seen(5, 5))])
    // The displayed order looks unchanged, but it is at the back of its level.
    #expect(
      after(bid(5), trade(5, leaving: 10), displayed(5, 5, isRefilled: true))
        == [.delete(seen(5, 5)), .add(seen(5, 5))])
    #expect(after(.restated(whole), displayed(5, 2)) == [.modify(seen(5, 2))])
    #expect(feed.depth(of: AreaId(1))[InstrumentId(1)]?.map(\.total.wattHours) == [5])
    #expect(feed.top(of: InstrumentId(1))?.ask?.total.wattHours == 5)
    #expect(after(bid(1), trade(1, leaving: 0)) == [.delete(seen(5, 2))])
  }

  @Test("A change of an instrument's state is published before its effects on orders.")
  func stateChange() {
    var feed = Self.feed()
    var log = FeedLog()
    let resting = Self.state(Self.id(1), .sell, price: 10, leaves: 5, covered: 5)
    feed.note(.accepted(resting))
    feed.endCommand(at: .never, into: &log)
    var halted = resting
    halted.covered = .zero
    feed.note(
      .reference(
        .instrumentStateChanged(
          SetInstrumentState(instrument: InstrumentId(1), state: .halted))))
    feed.note(.restated(halted))
    log.updates = []
    feed.endCommand(at: .never, into: &log)
    #expect(
      log.updates.map(\.2) == [.state(InstrumentId(1), .halted), .modify(Self.shown(halted))])
  }

  @Test("A slot that is reused within the command deletes the old order before it adds the new.")
  func slotReuse() {
    var feed = Self.feed()
    var log = FeedLog()
    let old = Self.state(Self.id(1), .sell, price: 10, leaves: 5, covered: 5)
    feed.note(.accepted(old))
    feed.endCommand(at: .never, into: &log)
    var gone = old
    (gone.leaves, gone.covered) = (.zero, .zero)
    feed.note(
      .canceled(OrderCanceled(state: gone, quantity: Energy(wattHours: 5), reason: .user)))
    let new = Self.state(Self.id(1, 2), .buy, price: 9, leaves: 4, covered: 0)
    feed.note(.accepted(new))
    log.updates = []
    feed.endCommand(at: .never, into: &log)
    #expect(log.updates.map(\.2) == [.delete(Self.shown(old)), .add(Self.shown(new))])
  }

  @Test("A restatement that changes nothing that is published is not published.")
  func nothingChanged() {
    var feed = Self.feed()
    var log = FeedLog()
    let state = Self.state(Self.id(1), .sell, price: 10, leaves: 5, covered: 5)
    feed.note(.accepted(state))
    feed.endCommand(at: .never, into: &log)
    feed.note(.restated(state))
    feed.endCommand(at: .never, into: &log)
    #expect(log.updates.count == 1)
  }

  @Test("Levels add up total, live and the number of orders, best first.")
  func levels() {
    var feed = Self.feed()
    var log = FeedLog()
    let states = [
      Self.state(Self.id(1), .sell, price: 12, leaves: 5, covered: 1),
      Self.state(Self.id(2), .sell, price: 12, leaves: 2, covered: 2),
      Self.state(Self.id(3), .sell, price: 11, leaves: 1, covered: 0),
      Self.state(Self.id(4), .buy, price: 8, leaves: 9, covered: 9),
      Self.state(Self.id(5), .buy, price: 13, leaves: 9, covered: 0),
      Self.state(Self.id(6), .buy, price: 1, leaves: 9, covered: 9, instrument: 2),
    ]
    for state in states { feed.note(.accepted(state)) }
    feed.endCommand(at: .never, into: &log)
    feed.keepAllLevels(of: AreaId(1))
    func level(_ side: Side, _ price: Int64, _ total: Int64, _ live: Int64, _ orders: UInt32)
      -> FeedLevel
    {
      FeedLevel(
        side: side, price: Price(ticks: price), total: Energy(wattHours: total),
        live: Energy(wattHours: live), orders: orders)
    }
    #expect(
      feed.depth(of: AreaId(1))[InstrumentId(1)] == [
        level(.buy, 13, 9, 0, 1), level(.buy, 8, 9, 9, 1), level(.sell, 11, 1, 0, 1),
        level(.sell, 12, 7, 3, 2),
      ])
  }

  @Test(
    "Whenever a subscriber joins, its snapshot and the changes after it are the feed's book.",
    arguments: 1...12)
  func subscribersAgree(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    var feed = Self.feed()
    var market = RandomMarket()
    var subscribers: [FeedSubscriber] = []
    for step in 0..<2000 {
      for event in market.command(&random) { feed.note(event) }
      var log = FeedLog()
      feed.endCommand(at: .never, into: &log)
      for index in subscribers.indices { subscribers[index].apply(log) }
      if step % 97 == 0 {
        subscribers.append(FeedSubscriber(joining: feed, Self.areas[step % 2]))
      }
    }
    for subscriber in subscribers {
      #expect(
        subscriber.orders == market.book(of: subscriber.area), "seed \(seed)")
      #expect(subscriber.last == feed.lastSequence(of: subscriber.area), "seed \(seed)")
    }
    #expect(market.open.count > 10, "seed \(seed): the run was too small to say anything")
  }
}

/// Generates the events of random commands, with reused slots. It does not model the rules, only
/// which events may follow one another.
struct RandomMarket {
  var open: [OrderState] = []
  let instruments: ClosedRange<UInt32>
  private var generations = [UInt32](repeating: 0, count: 64)
  private var free: [UInt32] = Array(0..<64)

  init(instruments: ClosedRange<UInt32> = 1...3) { self.instruments = instruments }

  func book(of area: AreaId) -> [OrderId: FeedOrder] {
    let mine = open.filter { ($0.instrument.rawValue == 3) == (area.rawValue == 2) }
    return Dictionary(uniqueKeysWithValues: mine.map { ($0.order, MarketFeedTests.shown($0)) })
  }

  mutating func command(_ random: inout SeededRandom) -> [Event] {
    var events: [Event] = []
    for _ in 0..<Int.random(in: 1...6, using: &random) { step(&random, &events) }
    return events
  }

  private mutating func step(_ random: inout SeededRandom, _ events: inout [Event]) {
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<4: enter(&random, &events)
    case 4..<6:
      guard let index = open.indices.randomElement(using: &random) else { return }
      open[index].covered = Energy(
        wattHours: Int64.random(in: 0...open[index].leaves.wattHours, using: &random))
      if Bool.random(using: &random) {
        open[index].price = Price(ticks: Int64.random(in: 1...9, using: &random))
        events.append(.replaced(open[index]))
      } else {
        events.append(.restated(open[index]))
      }
    case 6..<8:
      guard let index = open.indices.randomElement(using: &random) else { return }
      var state = open[index]
      let quantity = state.leaves
      (state.leaves, state.covered) = (.zero, .zero)
      events.append(.canceled(OrderCanceled(state: state, quantity: quantity, reason: .user)))
      remove(state.order)
    default: trade(&random, &events)
    }
  }

  private mutating func enter(_ random: inout SeededRandom, _ events: inout [Event]) {
    guard let slot = free.popLast() else { return }
    generations[Int(slot)] += 1
    let leaves = Int64.random(in: 1...20, using: &random)
    let state = MarketFeedTests.state(
      OrderId(slot: slot, generation: generations[Int(slot)]),
      Bool.random(using: &random) ? .buy : .sell,
      price: Int64.random(in: 1...9, using: &random), leaves: leaves,
      covered: Int64.random(in: 0...leaves, using: &random),
      instrument: UInt32.random(in: instruments, using: &random))
    open.append(state)
    events.append(.accepted(state))
  }

  private mutating func trade(_ random: inout SeededRandom, _ events: inout [Event]) {
    let instrument = UInt32.random(in: instruments, using: &random)
    func pick(_ side: Side) -> Int? {
      open.indices.filter {
        open[$0].side == side && open[$0].instrument.rawValue == instrument
      }.randomElement(using: &random)
    }
    guard let buyer = pick(.buy), let seller = pick(.sell) else { return }
    let most = min(open[buyer].leaves, open[seller].leaves).wattHours
    let quantity = Int64.random(in: 1...most, using: &random)
    for index in [buyer, seller] {
      open[index].leaves.wattHours -= quantity
      open[index].covered = open[index].leaves
    }
    events.append(
      .trade(
        MarketFeedTests.trade(
          buyer: (open[buyer].order, open[buyer].leaves.wattHours),
          seller: (open[seller].order, open[seller].leaves.wattHours), quantity: quantity,
          instrument: instrument)))
    for order in [open[buyer], open[seller]] where order.leaves == .zero { remove(order.order) }
  }

  private mutating func remove(_ order: OrderId) {
    open.removeAll { $0.order == order }
    free.append(order.slot)
  }
}

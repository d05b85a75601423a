import ExchangeCore
import GatewayKit
import MarketModel
import Testing

// Compares the published orders and levels with the books of the engine, over random commands with
// icebergs, self-trades, waiting orders, meter readings, agents, halts and expiry.

/// The sums of one level.
private struct Level: Equatable, CustomStringConvertible {
  var total: Int64 = 0
  var live: Int64 = 0
  var orders = 0
  var description: String { "\(live)/\(total) in \(orders)" }
}

private struct Place: Hashable {
  var instrument: InstrumentId
  var side: Side
  var price: Price
}

/// Follows both views of every area, number by number.
private struct Follower {
  var orders: [OrderId: FeedOrder] = [:]
  var levels: [Place: Level] = [:]
  var last: [AreaId: UInt64] = [:]
  /// The levels according to the published changes.
  var told: [AreaId: [(UInt64, FeedLevel)]] = [:]
  var faults: [String] = []

  mutating func take(_ message: FeedMessage) {
    take(message.update, message.area, message.sequence)
    guard let change = message.level else { return }
    take(change.level, of: change.instrument, message.area, message.sequence)
  }

  private mutating func take(_ update: FeedUpdate, _ area: AreaId, _ sequence: UInt64) {
    if sequence != last[area, default: 0] + 1 { faults.append("a gap before \(sequence)") }
    last[area] = sequence
    switch update {
    case .add(let order):
      if orders.updateValue(order, forKey: order.order) != nil { faults.append("added twice") }
    case .modify(let order):
      let before = orders.updateValue(order, forKey: order.order)
      if before?.price != order.price { faults.append("a modify of \(String(describing: before))") }
    case .delete(let order):
      if orders.removeValue(forKey: order.order) == nil { faults.append("deleted nothing") }
    case .trade, .state: break
    }
  }

  private mutating func take(
    _ level: FeedLevel, of instrument: InstrumentId, _ area: AreaId, _ sequence: UInt64
  ) {
    if sequence != last[area] { faults.append("a level has the number of another message") }
    told[area, default: []].append((sequence, level))
    let place = Place(instrument: instrument, side: level.side, price: level.price)
    levels[place] =
      level.orders == 0
      ? nil
      : Level(
        total: level.total.wattHours, live: level.live.wattHours, orders: Int(level.orders))
    // At every number, not only at the end of a command.
    let there = orders.values.filter {
      $0.instrument == instrument && $0.side == level.side && $0.price == level.price
    }
    let sum = there.reduce(into: Level()) {
      $0.total += $1.total.wattHours
      $0.live += $1.live.wattHours
      $0.orders += 1
    }
    if sum != levels[place] ?? Level() { faults.append("\(sequence): \(sum), told \(level)") }
  }
}

@Suite("Engine and market data")
struct FeedComparisonTests {
  /// The levels of the displayed quantities of the engine's orders.
  private func levels(_ exchange: borrowing Exchange) -> [Place: Level] {
    var levels: [Place: Level] = [:]
    for order in exchange.openOrders() {
      guard let seen = exchange.displayed(of: order.order) else { continue }
      let place = Place(instrument: order.instrument, side: order.side, price: order.price)
      levels[place, default: Level()].total += seen.total.wattHours
      levels[place, default: Level()].live += seen.live.wattHours
      levels[place, default: Level()].orders += 1
    }
    return levels
  }

  @Test(
    "Snapshot and level changes are always the engine's levels, total and live.",
    arguments: UInt64(1)...24)
  func levelsAreTheEngines(seed: UInt64) {
    var random = RandomMarket(seed: seed)
    var market = Market(capacity: random.capacity)
    var feed = MarketFeed()
    var follower = Follower()
    var coverage = Coverage()
    var steps = random.world()
    for count in 0..<3_000 {
      if count >= steps.count { steps.append(random.step(open: market.openLabels)) }
      let outcome = market.apply(steps[count], deep: false)
      coverage.note(outcome.events)
      if count == steps.count / 2 {
        for area in UInt16(1)...2 { feed.keepLevels(of: AreaId(area), for: .first) }
        while feed.isBuildingLevels { feed.buildLevels(steps: 5) }
      }
      for event in outcome.events { feed.note(event) }
      for message in feed.endCommand(at: .never) { follower.take(message) }
      if count == steps.count / 2 { follower.levels = levels(market.exchange) }
      guard count >= steps.count / 2 else { continue }
      let expected = levels(market.exchange)
      guard follower.levels == expected, follower.faults.isEmpty else {
        Issue.record("seed \(seed), step \(count): \(follower.faults.prefix(3))")
        return
      }
      if count % 100 == 0 { expectDepth(feed, expected) }
    }
    let met = [
      "displayed", "refilled", "cancel selfTrade", "cancel expired", "metered", "restated",
    ]
    if seed == 1 {
      for kind in met { #expect(coverage.counts[kind, default: 0] > 0, "never met: \(kind)") }
    }
    #expect(follower.told.values.contains { $0.count > 20 }, "seed \(seed)")
  }

  /// Checks that a snapshot has the same levels.
  private func expectDepth(_ feed: borrowing MarketFeed, _ expected: [Place: Level]) {
    var depth: [Place: Level] = [:]
    for area in UInt16(1)...2 {
      var last = InstrumentId.null
      while let instrument = feed.nextInstrument(of: AreaId(area), after: last) {
        for level in feed.levels(of: instrument, behind: nil, most: .max) {
          depth[Place(instrument: instrument, side: level.side, price: level.price)] = Level(
            total: level.total.wattHours, live: level.live.wattHours, orders: Int(level.orders))
        }
        last = instrument
      }
    }
    #expect(depth == expected)
  }
}

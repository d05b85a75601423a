// The published depth, kept while somebody follows it level by level, or made to answer a question:
//
//     change of one order ──> its level before ──> its level after
//
// A change says what it added to its level, so it can be taken back: from the depth as it is now and the
// changes since, the depth of a moment ago follows, and with it what a subscriber missed.

import MarketModel

/// One level of an instrument's published depth.
public struct FeedLevel: Equatable, Sendable, BitwiseCopyable {
  /// Bids or asks.
  public var side: Side
  /// The level.
  public var price: Price
  /// Open quantity there, waiting included.
  public var total: Energy
  /// What can be had now.
  public var live: Energy
  /// How many orders; 0: the level is gone.
  public var orders: UInt32
}

/// What a change of an order adds to its level.
struct LevelChange: BitwiseCopyable {
  let instrument: InstrumentId
  let side: Side
  let price: Price
  let total: Int64
  let live: Int64
  let orders: Int64

  /// That of an order which stands as `now` and stood there with `total` and `live`; `orders` is 1 when it
  /// did not stand there.
  init(_ now: FeedOrder, _ total: Energy, _ live: Energy, orders: Int64) {
    (instrument, side, price) = (now.instrument, now.side, now.price)
    self.total = now.total.wattHours - total.wattHours
    self.live = now.live.wattHours - live.wattHours
    self.orders = orders
  }

  private init(reverse other: LevelChange) {
    (instrument, side, price) = (other.instrument, other.side, other.price)
    (total, live, orders) = (-other.total, -other.live, -other.orders)
  }

  /// The change that takes it back.
  var reversed: LevelChange { LevelChange(reverse: self) }
}

/// Levels by instrument, side and price. Owned by one thread. Allocates only while it grows.
struct MarketLevels {
  private var levels: [LevelKey: FeedLevel] = [:]

  /// An order changed.
  /// - Returns: Its level after it.
  @discardableResult mutating func apply(_ change: LevelChange) -> FeedLevel {
    let key = LevelKey(instrument: change.instrument, side: change.side, price: change.price)
    var level =
      levels[key]
      ?? FeedLevel(side: key.side, price: key.price, total: .zero, live: .zero, orders: 0)
    level.total.wattHours += change.total
    level.live.wattHours += change.live
    level.orders = UInt32(Int64(level.orders) + change.orders)
    assert(level.live.wattHours >= 0 && level.live <= level.total)
    assert((level.orders == 0) == (level.total == .zero))
    levels[key] = level.orders == 0 ? nil : level
    return level
  }

  /// The depth of every instrument that `isWanted`: bids first, best first on each side.
  func depth(_ isWanted: (InstrumentId) -> Bool) -> [InstrumentId: [FeedLevel]] {
    var depth: [InstrumentId: [FeedLevel]] = [:]
    let wanted = levels.filter { isWanted($0.key.instrument) }
    for (key, level) in wanted.sorted(by: { $0.key < $1.key }) {
      depth[key.instrument, default: []].append(level)
    }
    return depth
  }
}

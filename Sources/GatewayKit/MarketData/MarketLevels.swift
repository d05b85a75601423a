// The published depth by price level, maintained while a client subscribes to it, or computed for a
// request:
//
//     change of one order ──> its level before ──> its level after
//
// A change records what it added to its level, so it can be reversed: from the present depth and
// the changes since, an earlier depth follows, and with it the levels that a subscriber missed.

import MarketModel

/// One price level of an instrument's published depth.
public struct FeedLevel: Equatable, Sendable, BitwiseCopyable {
  /// Bids or asks.
  public var side: Side
  /// Price of the level.
  public var price: Price
  /// Open quantity at the price, including the waiting part.
  public var total: Energy
  /// Quantity at the price that can be traded now.
  public var live: Energy
  /// Number of orders; 0 if the level is gone.
  public var orders: UInt32
}

/// What a change of one order adds to its level.
struct LevelChange: BitwiseCopyable {
  let instrument: InstrumentId
  let side: Side
  let price: Price
  let total: Int64
  let live: Int64
  let orders: Int64

  /// The change to the order state `now` from the quantities `total` and `live`; `orders` is 1 if
  /// the order was not in the book before.
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

  /// The change that undoes this one.
  var reversed: LevelChange { LevelChange(reverse: self) }
}

/// Price levels by instrument, side and price. Owned by one thread. Allocates only when it grows.
struct MarketLevels {
  private var levels: [LevelKey: FeedLevel] = [:]

  /// Applies a change of an order.
  /// - Returns: the level after it.
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

  /// The depth of every instrument for which `isWanted` returns true: bids first, best price first
  /// on each side.
  func depth(_ isWanted: (InstrumentId) -> Bool) -> [InstrumentId: [FeedLevel]] {
    var depth: [InstrumentId: [FeedLevel]] = [:]
    let wanted = levels.filter { isWanted($0.key.instrument) }
    for (key, level) in wanted.sorted(by: { $0.key < $1.key }) {
      depth[key.instrument, default: []].append(level)
    }
    return depth
  }
}

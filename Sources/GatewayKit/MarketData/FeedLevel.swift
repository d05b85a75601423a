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

  /// A level without orders.
  init(emptyAt price: Price, _ side: Side) {
    (self.side, self.price) = (side, price)
    (total, live, orders) = (.zero, .zero, 0)
  }

  /// A level with these quantities.
  init(side: Side, price: Price, total: Energy, live: Energy, orders: UInt32) {
    (self.side, self.price) = (side, price)
    (self.total, self.live, self.orders) = (total, live, orders)
  }

  /// The level after a change of it.
  func after(_ change: LevelChange) -> FeedLevel {
    var level = self
    level.total.wattHours += change.total
    level.live.wattHours += change.live
    level.orders = UInt32(Int64(level.orders) + change.orders)
    assert(level.live.wattHours >= 0 && level.live <= level.total)
    assert((level.orders == 0) == (level.total == .zero))
    return level
  }

  /// Whether a part of it can be traded now.
  var isLive: Bool { live.wattHours > 0 }
}

/// The top of one instrument's published book.
public struct FeedTop: Equatable, Sendable {
  /// The instrument.
  public var instrument: InstrumentId
  /// The highest displayed bid, waiting orders included; its price is the selling price (market
  /// rules 4). `nil` if there is none.
  public var bid: FeedLevel?
  /// The lowest displayed ask, waiting orders included; its price is the buying price. `nil` if there
  /// is none.
  public var ask: FeedLevel?
  /// The live bid: the highest price of a bid that can trade now; `nil` if there is none.
  public var liveBid: Price?
  /// The live ask: the lowest price of an ask that can trade now; `nil` if there is none.
  public var liveAsk: Price?
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

  /// The change by which an order enters the book.
  init(adding order: FeedOrder) { self.init(order, .zero, .zero, orders: 1) }

  private init(reverse other: LevelChange) {
    (instrument, side, price) = (other.instrument, other.side, other.price)
    (total, live, orders) = (-other.total, -other.live, -other.orders)
  }

  /// The change that undoes this one.
  var reversed: LevelChange { LevelChange(reverse: self) }

  /// The key of the changed level.
  var key: LevelKey { LevelKey(instrument: instrument, side: side, price: price) }
}

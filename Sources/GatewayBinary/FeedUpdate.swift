import MarketModel

/// A resting order as the market sees it.
public struct FeedOrder: Equatable, Sendable, BitwiseCopyable {
  /// The order.
  public var order: OrderId
  /// What it trades.
  public var instrument: InstrumentId
  /// Buy or sell.
  public var side: Side
  /// Its limit.
  public var price: Price
  /// Open quantity, waiting included.
  public var total: Energy
  /// What can be had now.
  public var live: Energy

  /// All fields.
  public init(
    order: OrderId, instrument: InstrumentId, side: Side, price: Price, total: Energy, live: Energy
  ) {
    (self.order, self.instrument, self.side) = (order, instrument, side)
    (self.price, self.total, self.live) = (price, total, live)
  }
}

/// A trade as the market sees it.
public struct FeedTrade: Equatable, Sendable, BitwiseCopyable {
  /// Its number.
  public var trade: TradeId
  /// The maker's order.
  public var resting: OrderId
  /// What was traded.
  public var instrument: InstrumentId
  /// Side of the taker.
  public var aggressor: Side
  /// The resting order's price.
  public var price: Price
  /// How much.
  public var quantity: Energy
}

/// One message of an area's channel.
public enum FeedUpdate: Equatable, Sendable, BitwiseCopyable {
  case trade(FeedTrade)
  case state(InstrumentId, InstrumentState)
  case add(FeedOrder)
  case modify(FeedOrder)
  case delete(FeedOrder)

  /// Whether it is the change of an order, and so of a level.
  var isOfOneOrder: Bool {
    switch self {
    case .add, .modify, .delete: true
    case .trade, .state: false
    }
  }
}

/// Takes what the feed publishes. Owned by the I/O thread.
public protocol FeedSink: ~Copyable {
  /// Message `sequence` of `area`'s channel.
  mutating func publish(_ update: FeedUpdate, area: AreaId, sequence: UInt64)

  /// What the change of an order that was message `sequence` did to its level; only while the feed
  /// `keepsLevels`.
  mutating func publish(
    _ level: FeedLevel, of instrument: InstrumentId, area: AreaId, sequence: UInt64)
}

import MarketModel

/// A resting order as published.
public struct FeedOrder: Equatable, Sendable, BitwiseCopyable {
  /// Id of the order.
  public var order: OrderId
  /// Its instrument.
  public var instrument: InstrumentId
  /// Bid or ask.
  public var side: Side
  /// Its limit price.
  public var price: Price
  /// Open quantity, including the waiting part.
  public var total: Energy
  /// Quantity that can be traded now.
  public var live: Energy

  /// The published state of an order.
  public init(
    order: OrderId, instrument: InstrumentId, side: Side, price: Price, total: Energy, live: Energy
  ) {
    (self.order, self.instrument, self.side) = (order, instrument, side)
    (self.price, self.total, self.live) = (price, total, live)
  }
}

/// A trade as published.
public struct FeedTrade: Equatable, Sendable, BitwiseCopyable {
  /// Number of the trade.
  public var trade: TradeId
  /// Id of the resting (maker) order.
  public var resting: OrderId
  /// The instrument traded.
  public var instrument: InstrumentId
  /// Side of the aggressor (taker).
  public var aggressor: Side
  /// Trade price, which is the resting order's.
  public var price: Price
  /// Quantity traded.
  public var quantity: Energy
  /// Whether the taker is a meter's account that had no order.
  public var isLocal = false
}

/// A message of an area's market-data channel.
public enum FeedUpdate: Equatable, Sendable, BitwiseCopyable {
  /// Two orders traded.
  case trade(FeedTrade)
  /// An instrument changed its state.
  case state(InstrumentId, InstrumentState)
  /// An order was added to the book.
  case add(FeedOrder)
  /// A resting order's total or live quantity changed.
  case modify(FeedOrder)
  /// An order left the book.
  case delete(FeedOrder)

  /// The instrument that it is about.
  public var instrument: InstrumentId {
    switch self {
    case .trade(let trade): trade.instrument
    case .state(let instrument, _): instrument
    case .add(let order), .modify(let order), .delete(let order): order.instrument
    }
  }

  /// The slot of the order that it changes; `nil` if it changes none.
  public var slot: Int? {
    switch self {
    case .add(let order), .modify(let order), .delete(let order): Int(order.order.slot)
    case .trade, .state: nil
    }
  }

  /// What it adds to the number of resting orders.
  public var orderBalance: Int {
    switch self {
    case .add: 1
    case .delete: -1
    case .modify, .trade, .state: 0
    }
  }

  /// Whether it changes one order, and therefore one price level.
  public var isOfOneOrder: Bool {
    switch self {
    case .add, .modify, .delete: true
    case .trade, .state: false
    }
  }
}

/// A numbered message of an area's channel.
public struct FeedMessage: BitwiseCopyable, Sendable {
  /// The content.
  public var update: FeedUpdate
  /// The area whose channel it belongs to.
  public var area: AreaId
  /// Its sequence number in the channel, from 1.
  public var sequence: UInt64
  /// The resulting price level; `nil` if the message changes none, or the area's levels are not kept
  /// or not complete.
  public var level: FeedLevelChange?
}

/// A price level after a message.
public struct FeedLevelChange: BitwiseCopyable, Sendable {
  /// The instrument.
  public var instrument: InstrumentId
  /// The level after the message.
  public var level: FeedLevel

  /// The key of the level.
  public var key: LevelKey {
    LevelKey(instrument: instrument, side: level.side, price: level.price)
  }
}

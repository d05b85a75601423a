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
  /// Two orders traded.
  case trade(FeedTrade)
  /// An instrument is in another state.
  case state(InstrumentId, InstrumentState)
  /// An order rests.
  case add(FeedOrder)
  /// A resting order has another quantity, in all or live.
  case modify(FeedOrder)
  /// An order rests no more.
  case delete(FeedOrder)

  /// What is traded.
  public var instrument: InstrumentId {
    switch self {
    case .trade(let trade): trade.instrument
    case .state(let instrument, _): instrument
    case .add(let order), .modify(let order), .delete(let order): order.instrument
    }
  }

  /// Whether it is the change of an order, and so of a level.
  public var isOfOneOrder: Bool {
    switch self {
    case .add, .modify, .delete: true
    case .trade, .state: false
    }
  }
}

/// One numbered message of an area's channel.
public struct FeedMessage: BitwiseCopyable, Sendable {
  /// What happened.
  public var update: FeedUpdate
  /// Whose channel.
  public var area: AreaId
  /// Its number there, from 1.
  public var sequence: UInt64
  /// What the change of an order did to its level; `nil`: it is no change of an order, or nobody follows levels.
  public var level: FeedLevelChange?
}

/// A level as a message left it.
public struct FeedLevelChange: BitwiseCopyable, Sendable {
  /// What is traded.
  public var instrument: InstrumentId
  /// The level.
  public var level: FeedLevel
}

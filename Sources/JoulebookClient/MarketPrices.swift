// The four prices of an instrument that people are shown, from its top or from its levels.

import MarketModel

/// The market prices of one instrument (market rules 4, "Market prices"), 1e-5 of the currency per
/// kWh. `nil`: there is no such order.
public struct MarketPrices: Equatable, Sendable {
  /// The lowest displayed ask, whether or not there is energy behind it.
  public var buying: Price?
  /// The highest displayed bid, whether or not there is headroom behind it.
  public var selling: Price?
  /// The lowest ask that can trade now; never below `buying`, and above `liveBid`.
  public var liveAsk: Price?
  /// The highest bid that can trade now; never above `selling`.
  public var liveBid: Price?

  /// Prices; those that are left out are missing.
  public init(
    buying: Price? = nil, selling: Price? = nil, liveAsk: Price? = nil, liveBid: Price? = nil
  ) {
    (self.buying, self.selling) = (buying, selling)
    (self.liveAsk, self.liveBid) = (liveAsk, liveBid)
  }
}

extension TopReport {
  /// The market prices.
  public var prices: MarketPrices {
    MarketPrices(buying: ask?.price, selling: bid?.price, liveAsk: liveAsk, liveBid: liveBid)
  }
}

extension LevelBook {
  /// The market prices of an instrument. As costly as `depth`.
  public func prices(of instrument: InstrumentId) -> MarketPrices {
    let depth = depth(of: instrument)
    let (bids, asks) = (depth.filter { $0.side == .buy }, depth.filter { $0.side == .sell })
    return MarketPrices(
      buying: asks.first?.price, selling: bids.first?.price,
      liveAsk: asks.first { $0.live > .zero }?.price,
      liveBid: bids.first { $0.live > .zero }?.price)
  }
}

import MarketModel

/// A zero-intelligence trader with a budget constraint (ZI-C).
///
/// It has no strategy for prices: its bids are random between the feed-in price and its private
/// value, its asks random between its private value and the retail price. So it never trades at a
/// loss against that value. Source: D. K. Gode and S. Sunder, "Allocative Efficiency of Markets with
/// Zero-Intelligence Traders", Journal of Political Economy 101 (1), 1993. It offers only what its
/// home will not need before the sun is back.
public struct ZeroIntelligenceTrader: Trader {
  /// Name such as "zi-7".
  public let name: String
  /// Private value of a kWh: the highest price of its bids and the lowest of its asks.
  public let value: Price
  /// Balances, orders and readings of its account.
  public private(set) var orders: AccountOrders
  private let sells: Bool
  private var random: SeededRandom

  /// A trader with the private value `value`. One that `sells` bids for all of its storage and offers
  /// what is above its need; another one buys at most what its home used in the last day.
  public init(
    name: String, orders: AccountOrders, sells: Bool, value: Price, random: SeededRandom
  ) {
    (self.name, self.orders, self.value, self.random) = (name, orders, value, random)
    self.sells = sells
  }

  /// Its account.
  public var accounts: [AccountId] { [orders.account] }

  /// In half of the intervals, chosen at random: cancels its orders and enters new ones at random
  /// prices.
  public mutating func act(in view: MarketView) -> [Command.Body] {
    guard Bool.random(using: &random) else { return [] }
    let (feedIn, retail) = (orders.terms.feedIn, orders.terms.retail)
    var commands = orders.cancelAll()
    if sells {
      commands += orders.enter(.sell, orders.spare, at: price(value...max(retail, value)))
      // A bid below its own ask is never met by it.
      let below = Price(ticks: value.ticks - orders.terms.tick.ticks)
      commands += orders.enter(.buy, orders.headroom, at: price(min(feedIn, below)...below))
    } else {
      let wanted = orders.readings.dailyConsumption.wattHours - orders.energy.wattHours
      commands += orders.enter(
        .buy, Energy(wattHours: min(wanted, orders.headroom.wattHours)),
        at: price(min(feedIn, value)...value))
    }
    return commands
  }

  /// Updates balances, orders and readings.
  public mutating func receive(_ report: TraderReport) { orders.receive(report) }

  private mutating func price(_ range: ClosedRange<Price>) -> Price {
    let ticks = range.lowerBound.ticks...range.upperBound.ticks
    return Price(ticks: random.price(in: ticks, tick: orders.terms.tick.ticks))
  }
}

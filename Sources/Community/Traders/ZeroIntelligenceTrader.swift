import MarketModel

/// A zero-intelligence trader with a budget constraint (ZI-C).
///
/// It has no strategy: its bids are random between the feed-in price and its private value, its
/// asks random between its private value and the retail price. So it never trades at a loss against
/// that value. Source: D. K. Gode and S. Sunder, "Allocative Efficiency of Markets with
/// Zero-Intelligence Traders", Journal of Political Economy 101 (1), 1993.
public struct ZeroIntelligenceTrader: Trader {
  /// Name such as "zi-7".
  public let name: String
  /// Private value of a kWh: the highest price of its bids and the lowest of its asks.
  public let value: Price
  /// Balances and orders of its account.
  public private(set) var orders: AccountOrders
  private let production: EnergySeries
  private let sells: Bool
  private var random: SeededRandom

  /// A trader for `customer` with the private value `value`.
  public init(
    name: String, orders: AccountOrders, customer: Customer, value: Price, random: SeededRandom
  ) {
    (self.name, self.orders, self.value, self.random) = (name, orders, value, random)
    (production, sells) = (customer.production, customer.hasRoof)
  }

  /// Its account.
  public var accounts: [AccountId] { [orders.account] }

  /// In half of the intervals, chosen at random: cancels its orders and enters one at a random
  /// price.
  public mutating func act(in view: MarketView) -> [Command.Body] {
    guard Bool.random(using: &random) else { return [] }
    var commands = orders.cancelAll()
    let half = Energy(wattHours: orders.cap.wattHours / 2)
    if sells && orders.energy >= half {
      // It offers the energy above half of the cap and the expected production of this interval,
      // which equals the last one's.
      let recent = view.interval > 0 ? production[view.interval - 1].wattHours : 0
      let offer = Energy(wattHours: orders.energy.wattHours - half.wattHours + recent)
      let ceiling = max(orders.terms.retail, value)
      commands += orders.enter(.sell, offer, at: price(value...ceiling))
    } else {
      let floor = min(orders.terms.feedIn, value)
      commands += orders.enter(.buy, orders.headroom, at: price(floor...value))
    }
    return commands
  }

  /// Updates balances and orders.
  public mutating func receive(_ report: TraderReport) { orders.receive(report) }

  private mutating func price(_ range: ClosedRange<Price>) -> Price {
    let ticks = range.lowerBound.ticks...range.upperBound.ticks
    return Price(ticks: random.price(in: ticks, tick: orders.terms.tick.ticks))
  }
}

import MarketModel

/// A zero-intelligence trader with a budget constraint (ZI-C).
///
/// It remembers nothing and optimises nothing: its bids are random between the feed-in price and its
/// private value, its asks random between its private value and the retail price. It cannot trade at
/// a loss against that value. Source: D. K. Gode and S. Sunder, "Allocative Efficiency of Markets with
/// Zero-Intelligence Traders", Journal of Political Economy 101 (1), 1993.
public struct ZeroIntelligenceTrader: Trader {
  /// "zi-7".
  public let name: String
  /// What a kWh is worth to it: it never pays more and never takes less.
  public let value: Price
  /// Its account.
  public private(set) var desk: OrderDesk
  private let production: EnergySeries
  private let sells: Bool
  private var random: SeededRandom

  /// A trader for `customer` who values a kWh at `value`.
  public init(
    name: String, desk: OrderDesk, customer: Customer, value: Price, random: SeededRandom
  ) {
    (self.name, self.desk, self.value, self.random) = (name, desk, value, random)
    (production, sells) = (customer.production, customer.hasRoof)
  }

  /// Its one account.
  public var accounts: [AccountId] { [desk.account] }

  /// Every other interval or so: withdraws what is open and offers anew at a random price.
  public mutating func act(in view: MarketView) -> [Command.Body] {
    guard Bool.random(using: &random) else { return [] }
    var asked = desk.cancelAll()
    let half = Energy(wattHours: desk.cap.wattHours / 2)
    if sells && desk.energy >= half {
      // What it holds and, before it exists, what the last interval's sun would make again.
      let recent = view.interval > 0 ? production[view.interval - 1].wattHours : 0
      let offer = Energy(wattHours: desk.energy.wattHours - half.wattHours + recent)
      let ceiling = max(desk.terms.retail, value)
      asked += desk.enter(.sell, offer, at: price(value...ceiling))
    } else {
      let floor = min(desk.terms.feedIn, value)
      asked += desk.enter(.buy, desk.headroom, at: price(floor...value))
    }
    return asked
  }

  /// Keeps its desk up to date.
  public mutating func hear(_ report: TraderReport) { desk.hear(report) }

  private mutating func price(_ range: ClosedRange<Price>) -> Price {
    let ticks = range.lowerBound.ticks...range.upperBound.ticks
    return Price(ticks: random.price(in: ticks, tick: desk.terms.tick.ticks))
  }
}

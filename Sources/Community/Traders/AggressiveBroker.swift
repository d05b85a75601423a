import MarketModel

/// A broker that trades at once. In each interval it takes the best live price when that is no
/// worse than its estimate of the fair price, and otherwise quotes one tick ahead of the best price
/// of its side.
public struct AggressiveBroker: Trader {
  /// The name "eager-broker".
  public let name = "eager-broker"
  private var customers: [AccountOrders]
  private var fairPrice: Price

  /// A broker for these customers. The fair price starts at the mean of feed-in and retail price.
  /// - Precondition: `customers` is not empty.
  public init(customers: [AccountOrders]) {
    precondition(!customers.isEmpty, "a broker has customers")
    self.customers = customers
    fairPrice = customers[0].terms.middle
  }

  /// Accounts of the customers.
  public var accounts: [AccountId] { customers.map(\.account) }

  /// Cancels the open orders of each customer, then takes or quotes for it.
  public mutating func act(in view: MarketView) -> [Command.Body] {
    if let last = view.last { fairPrice.ticks += (last.ticks - fairPrice.ticks) / 2 }
    var commands: [Command.Body] = []
    for index in customers.indices {
      commands += customers[index].open.isEmpty ? [] : [customers[index].cancelTogether()]
      let level = customers[index].brokersLevel
      let excess = customers[index].energy.wattHours - level.wattHours
      commands +=
        excess > 0
        ? offer(.sell, excess, at: index, view) : offer(.buy, -excess, at: index, view)
    }
    return commands
  }

  /// Passes a report to the customer that it is about.
  public mutating func receive(_ report: TraderReport) {
    for index in customers.indices where customers[index].account == report.account {
      customers[index].receive(report)
    }
  }

  /// Takes the best price of the other side if it is no worse than the fair price; otherwise quotes
  /// ahead of its own side.
  private mutating func offer(
    _ side: Side, _ wattHours: Int64, at index: Int, _ view: MarketView
  ) -> [Command.Body] {
    let quantity = Energy(wattHours: wattHours)
    let orders = customers[index]
    let (mine, theirs) =
      side == .buy ? (view.liveBid, view.liveAsk) : (view.liveAsk, view.liveBid)
    let sign: Int64 = side == .buy ? 1 : -1
    if let theirs, sign * theirs.ticks <= sign * fairPrice.ticks {
      return customers[index].enter(
        side, quantity, at: theirs, timeInForce: .immediateOrCancel)
    }
    let ahead = (mine?.ticks ?? fairPrice.ticks) + sign * orders.terms.tick.ticks
    let limit = side == .buy ? min(ahead, fairPrice.ticks) : max(ahead, fairPrice.ticks)
    let inTariff = min(max(limit, orders.terms.feedIn.ticks), orders.terms.retail.ticks)
    return customers[index].enter(side, quantity, at: orders.onTick(Price(ticks: inTariff), side))
  }
}

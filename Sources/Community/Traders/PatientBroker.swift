import MarketModel

/// A broker that waits. For each customer it quotes a bid below or an ask above its estimate of the
/// fair price, moves the quotes with the estimate, and never crosses the live book.
public struct PatientBroker: Trader {
  /// The name "patient-broker".
  public let name = "patient-broker"
  private var customers: [AccountOrders]
  private var fairPrice: Price
  private let halfSpread: Int64 = 1_500

  /// A broker for these customers. The fair price starts at the mean of feed-in and retail price.
  /// - Precondition: `customers` is not empty.
  public init(customers: [AccountOrders]) {
    precondition(!customers.isEmpty, "a broker has customers")
    self.customers = customers
    fairPrice = customers[0].terms.middle
  }

  /// Accounts of the customers.
  public var accounts: [AccountId] { customers.map(\.account) }

  /// Moves the fair price by a quarter of its distance to the last price and updates the quotes.
  public mutating func act(in view: MarketView) -> [Command.Body] {
    if let last = view.last { fairPrice.ticks += (last.ticks - fairPrice.ticks) / 4 }
    var commands: [Command.Body] = []
    for index in customers.indices {
      commands += quote(.sell, at: index, view)
      commands += quote(.buy, at: index, view)
    }
    return commands
  }

  /// Passes a report to the customer that it is about.
  public mutating func receive(_ report: TraderReport) {
    for index in customers.indices where customers[index].account == report.account {
      customers[index].receive(report)
    }
  }

  private mutating func quote(_ side: Side, at index: Int, _ view: MarketView) -> [Command.Body] {
    let orders = customers[index]
    // The broker sells what is above its level, or buys what is missing.
    let excess = orders.energy.wattHours - orders.brokersLevel.wattHours
    let quantity = orders.lots(
      Energy(wattHours: side == .sell ? max(0, excess) : max(0, -excess)))
    let price = self.price(side, orders, view)
    if let order = orders.open.first(where: { $0.side == side }) {
      let moved = abs(order.price.ticks - price.ticks) >= 300
      let grown = abs(order.leaves.wattHours - quantity.wattHours) * 4 > orders.cap.wattHours
      guard moved || grown || quantity == .zero else { return [] }
      return customers[index].replace(order, price: price, leaves: quantity)
    }
    return customers[index].enter(side, quantity, at: price)
  }

  private func price(_ side: Side, _ orders: AccountOrders, _ view: MarketView) -> Price {
    let tick = orders.terms.tick.ticks
    switch side {
    case .buy:
      let below = min(fairPrice.ticks - halfSpread, (view.liveAsk?.ticks ?? .max) - tick)
      return orders.onTick(Price(ticks: max(below, orders.terms.feedIn.ticks)), .buy)
    case .sell:
      let above = max(fairPrice.ticks + halfSpread, (view.liveBid?.ticks ?? .min / 2) + tick)
      return orders.onTick(Price(ticks: min(above, orders.terms.retail.ticks)), .sell)
    }
  }
}

import MarketModel

/// A broker who waits: for each of its customers it quotes a bid below and an ask above its idea of
/// the price, moves the quotes when the idea has moved, and never crosses the live book.
public struct PatientBroker: Trader {
  /// "patient-broker".
  public let name = "patient-broker"
  private var desks: [OrderDesk]
  private var idea: Price
  private let halfSpread: Int64 = 1_500

  /// A broker for the accounts of `desks`, whose first idea of the price is the tariff's middle.
  /// - Precondition: there is at least one desk.
  public init(desks: [OrderDesk]) {
    precondition(!desks.isEmpty, "a broker has customers")
    self.desks = desks
    idea = desks[0].terms.middle
  }

  /// Its customers' accounts.
  public var accounts: [AccountId] { desks.map(\.account) }

  /// Moves a quarter of the way to the last price and requotes.
  public mutating func act(in view: MarketView) -> [Command.Body] {
    if let last = view.last { idea.ticks += (last.ticks - idea.ticks) / 4 }
    var asked: [Command.Body] = []
    for index in desks.indices {
      asked += quote(.sell, at: index, view)
      asked += quote(.buy, at: index, view)
    }
    return asked
  }

  /// Passes the report to the customer's desk.
  public mutating func hear(_ report: TraderReport) {
    for index in desks.indices where desks[index].account == report.account {
      desks[index].hear(report)
    }
  }

  private mutating func quote(_ side: Side, at index: Int, _ view: MarketView) -> [Command.Body] {
    let desk = desks[index]
    // Half the cap is kept: what is above is offered, what is below is sought.
    let half = desk.cap.wattHours / 2
    let excess = desk.energy.wattHours - half
    let quantity = desk.lots(
      Energy(wattHours: side == .sell ? max(0, excess) : max(0, -excess)))
    let price = self.price(side, desk, view)
    if let order = desk.open.first(where: { $0.side == side }) {
      let moved = abs(order.price.ticks - price.ticks) >= 300
      let grown = abs(order.leaves.wattHours - quantity.wattHours) * 4 > desk.cap.wattHours
      guard moved || grown || quantity == .zero else { return [] }
      return desks[index].replace(order, price: price, leaves: quantity)
    }
    return desks[index].enter(side, quantity, at: price)
  }

  private func price(_ side: Side, _ desk: OrderDesk, _ view: MarketView) -> Price {
    let tick = desk.terms.tick.ticks
    switch side {
    case .buy:
      let below = min(idea.ticks - halfSpread, (view.liveAsk?.ticks ?? .max) - tick)
      return desk.onTick(Price(ticks: max(below, desk.terms.feedIn.ticks)), .buy)
    case .sell:
      let above = max(idea.ticks + halfSpread, (view.liveBid?.ticks ?? .min / 2) + tick)
      return desk.onTick(Price(ticks: min(above, desk.terms.retail.ticks)), .sell)
    }
  }
}

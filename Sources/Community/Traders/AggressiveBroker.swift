import MarketModel

/// A broker who hurries: it takes what the live book offers on the right side of its idea of the
/// price, and quotes the rest one tick ahead of the best, anew in every interval.
public struct AggressiveBroker: Trader {
  /// "eager-broker".
  public let name = "eager-broker"
  private var desks: [OrderDesk]
  private var idea: Price

  /// A broker for the accounts of `desks`, whose first idea of the price is the tariff's middle.
  /// - Precondition: there is at least one desk.
  public init(desks: [OrderDesk]) {
    precondition(!desks.isEmpty, "a broker has customers")
    self.desks = desks
    idea = desks[0].terms.middle
  }

  /// Its customers' accounts.
  public var accounts: [AccountId] { desks.map(\.account) }

  /// Withdraws all quotes, then takes or quotes for each customer.
  public mutating func act(in view: MarketView) -> [Command.Body] {
    if let last = view.last { idea.ticks += (last.ticks - idea.ticks) / 2 }
    var asked: [Command.Body] = []
    for index in desks.indices {
      asked += desks[index].open.isEmpty ? [] : [withdraw(desks[index])]
      let excess = desks[index].energy.wattHours - desks[index].cap.wattHours / 2
      asked +=
        excess > 0
        ? offer(.sell, excess, at: index, view) : offer(.buy, -excess, at: index, view)
    }
    return asked
  }

  /// Passes the report to the customer's desk.
  public mutating func hear(_ report: TraderReport) {
    for index in desks.indices where desks[index].account == report.account {
      desks[index].hear(report)
    }
  }

  private func withdraw(_ desk: OrderDesk) -> Command.Body {
    .order(.massCancel(MassCancel(account: desk.account, instrument: desk.instrument)))
  }

  /// Takes the other side's best if it is no worse than the idea; else quotes ahead of its own side.
  private mutating func offer(
    _ side: Side, _ wattHours: Int64, at index: Int, _ view: MarketView
  ) -> [Command.Body] {
    let quantity = Energy(wattHours: wattHours)
    let desk = desks[index]
    let (mine, theirs) =
      side == .buy ? (view.liveBid, view.liveAsk) : (view.liveAsk, view.liveBid)
    let sign: Int64 = side == .buy ? 1 : -1
    if let theirs, sign * theirs.ticks <= sign * idea.ticks {
      return desks[index].enter(
        side, quantity, at: theirs, timeInForce: .immediateOrCancel)
    }
    let ahead = (mine?.ticks ?? idea.ticks) + sign * desk.terms.tick.ticks
    let limit = side == .buy ? min(ahead, idea.ticks) : max(ahead, idea.ticks)
    let inTariff = min(max(limit, desk.terms.feedIn.ticks), desk.terms.retail.ticks)
    return desks[index].enter(side, quantity, at: desk.onTick(Price(ticks: inTariff), side))
  }
}

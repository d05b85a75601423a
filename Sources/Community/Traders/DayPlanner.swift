import MarketModel

// A day of a planned roof, and of a planned consumer:
//
//   04:00  ask for the day's surplus, before the sun   -> waits for energy, covered as the meter reads
//   05:00  bid for the day's consumption, above the cap -> waits for headroom, covered as it is used
//   20:00  the roof's ask is withdrawn; what the night will not need is offered instead
//
// Forecast: the day will be like the one before.

/// A cooperative that plans its members' days: sells their sun before it shines and buys their
/// consumption before it happens.
public struct DayPlanner: Trader {
  /// A member and what a kWh is worth to it.
  public struct Member: Sendable {
    /// Its account.
    public var desk: OrderDesk
    /// Its forecasts come from its own past readings.
    public var customer: Customer
    /// Its asks' or bids' price.
    public var value: Price

    /// A member.
    public init(desk: OrderDesk, customer: Customer, value: Price) {
      (self.desk, self.customer, self.value) = (desk, customer, value)
    }
  }

  /// "cooperative".
  public let name = "cooperative"
  private var members: [Member]

  /// A cooperative of `members`.
  public init(members: [Member]) { self.members = members }

  /// The members' accounts.
  public var accounts: [AccountId] { members.map(\.desk.account) }

  /// Plans roofs at 04:00 and 20:00, consumers at 05:00.
  public mutating func act(in view: MarketView) -> [Command.Body] {
    var asked: [Command.Body] = []
    for index in members.indices {
      if members[index].customer.hasRoof {
        if view.isStart(ofHour: 4) { asked += members[index].sellDay(view) }
        if view.isStart(ofHour: 20) { asked += members[index].sellEvening(view) }
      } else if view.isStart(ofHour: 5) {
        asked += members[index].buyDay(view)
      }
    }
    return asked
  }

  /// Passes the report to the member's desk.
  public mutating func hear(_ report: TraderReport) {
    for index in members.indices where members[index].desk.account == report.account {
      members[index].desk.hear(report)
    }
  }
}

extension DayPlanner.Member {
  /// Offers the coming day's surplus and what is held, at the member's value.
  fileprivate mutating func sellDay(_ view: MarketView) -> [Command.Body] {
    var surplus = desk.energy.wattHours
    for step in 0..<(view.intervalsPerDay * 2 / 3) {
      surplus += forecast(customer.production, customer.dayBefore.production, view, step)
      surplus -= forecast(customer.consumption, customer.dayBefore.consumption, view, step)
    }
    let ask = desk.enter(
      .sell, Energy(wattHours: surplus), at: desk.onTick(value, .sell))
    return desk.cancelAll() + ask
  }

  /// Offers what is held beyond the night's forecast consumption.
  fileprivate mutating func sellEvening(_ view: MarketView) -> [Command.Body] {
    var spare = desk.energy.wattHours
    for step in 0..<(view.intervalsPerDay * 10 / 24) {
      spare -= forecast(customer.consumption, customer.dayBefore.consumption, view, step)
    }
    let ask = desk.enter(.sell, Energy(wattHours: spare), at: desk.onTick(value, .sell))
    return desk.cancelAll() + ask
  }

  /// Bids for a day's consumption less what is held: usually more than the cap allows at once.
  fileprivate mutating func buyDay(_ view: MarketView) -> [Command.Body] {
    var need = -desk.energy.wattHours
    for step in 0..<view.intervalsPerDay {
      need += forecast(customer.consumption, customer.dayBefore.consumption, view, step)
    }
    let bid = desk.enter(.buy, Energy(wattHours: need), at: desk.onTick(value, .buy))
    return desk.cancelAll() + bid
  }

  /// Interval `step` from now as it was a day earlier; known readings only.
  private func forecast(
    _ series: EnergySeries, _ dayBefore: EnergySeries, _ view: MarketView, _ step: Int
  ) -> Int64 {
    // Steps of the next day fall back on the same hour of the last known day.
    var index = view.interval + step - view.intervalsPerDay
    if index >= view.interval { index -= view.intervalsPerDay }
    guard index < 0 else { return series[index].wattHours }
    return dayBefore[index + view.intervalsPerDay].wattHours
  }
}

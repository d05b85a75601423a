import MarketModel

// The orders of a day, for members with a roof (04:00, 20:00) and without one (05:00):
//
//   04:00  ask for the day's surplus, before sunrise     -> waits for energy
//   05:00  bid for the day's consumption, above the cap  -> waits for headroom
//   20:00  replaces the ask by one for the energy that the night does not need
//
// The forecast of a day is the day before.

/// A cooperative that trades for its members a day ahead: it sells their solar production and buys
/// their consumption in advance.
public struct DayPlanner: Trader {
  /// A member and the value of a kWh to it.
  public struct Member: Sendable {
    /// Balances and orders of its account.
    public var orders: AccountOrders
    /// The customer, whose past readings are the forecast.
    public var customer: Customer
    /// Price of its asks or bids.
    public var value: Price

    /// A member with the given account, customer and value.
    public init(orders: AccountOrders, customer: Customer, value: Price) {
      (self.orders, self.customer, self.value) = (orders, customer, value)
    }
  }

  /// The name "cooperative".
  public let name = "cooperative"
  private var members: [Member]

  /// A cooperative of `members`.
  public init(members: [Member]) { self.members = members }

  /// Accounts of the members.
  public var accounts: [AccountId] { members.map(\.orders.account) }

  /// Enters the orders of members with a roof at 04:00 and 20:00, of the others at 05:00.
  public mutating func act(in view: MarketView) -> [Command.Body] {
    var commands: [Command.Body] = []
    for index in members.indices {
      if members[index].customer.hasRoof {
        if view.isStart(ofHour: 4) { commands += members[index].sellDay(view) }
        if view.isStart(ofHour: 20) { commands += members[index].sellEvening(view) }
      } else if view.isStart(ofHour: 5) {
        commands += members[index].buyDay(view)
      }
    }
    return commands
  }

  /// Passes a report to the member that it is about.
  public mutating func receive(_ report: TraderReport) {
    for index in members.indices where members[index].orders.account == report.account {
      members[index].orders.receive(report)
    }
  }
}

extension DayPlanner.Member {
  /// Replaces all orders by an ask for the stored energy and the surplus of the coming day.
  fileprivate mutating func sellDay(_ view: MarketView) -> [Command.Body] {
    var surplus = orders.energy.wattHours
    for step in 0..<(view.intervalsPerDay * 2 / 3) {
      surplus += forecast(customer.production, customer.dayBefore.production, view, step)
      surplus -= forecast(customer.consumption, customer.dayBefore.consumption, view, step)
    }
    let ask = orders.enter(
      .sell, Energy(wattHours: surplus), at: orders.onTick(value, .sell))
    return orders.cancelAll() + ask
  }

  /// Replaces all orders by an ask for the stored energy minus the night's forecast consumption.
  fileprivate mutating func sellEvening(_ view: MarketView) -> [Command.Body] {
    var spare = orders.energy.wattHours
    for step in 0..<(view.intervalsPerDay * 10 / 24) {
      spare -= forecast(customer.consumption, customer.dayBefore.consumption, view, step)
    }
    let ask = orders.enter(.sell, Energy(wattHours: spare), at: orders.onTick(value, .sell))
    return orders.cancelAll() + ask
  }

  /// Replaces all orders by a bid for a day's consumption minus the stored energy. It usually
  /// exceeds the headroom, so a part of it waits.
  fileprivate mutating func buyDay(_ view: MarketView) -> [Command.Body] {
    var need = -orders.energy.wattHours
    for step in 0..<view.intervalsPerDay {
      need += forecast(customer.consumption, customer.dayBefore.consumption, view, step)
    }
    let bid = orders.enter(.buy, Energy(wattHours: need), at: orders.onTick(value, .buy))
    return orders.cancelAll() + bid
  }

  /// The reading one day before the interval that is `step` intervals from now.
  private func forecast(
    _ series: EnergySeries, _ dayBefore: EnergySeries, _ view: MarketView, _ step: Int
  ) -> Int64 {
    // For steps that are not known yet, the day before is used.
    var index = view.interval + step - view.intervalsPerDay
    if index >= view.interval { index -= view.intervalsPerDay }
    guard index < 0 else { return series[index].wattHours }
    return dayBefore[index + view.intervalsPerDay].wattHours
  }
}

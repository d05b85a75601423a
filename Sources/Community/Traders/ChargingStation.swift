import MarketModel

/// The charging station buys at once: when vehicles plug in, a market order for what they will take
/// in the interval, immediate or cancel. What the market lacks it imports.
public struct ChargingStation: Trader {
  /// "station".
  public let name = "station"
  private var desk: OrderDesk
  private let demand: EnergySeries

  /// The station that is `customer`.
  public init(desk: OrderDesk, customer: Customer) {
    self.desk = desk
    demand = customer.consumption
  }

  /// Its one account.
  public var accounts: [AccountId] { [desk.account] }

  /// Buys what its vehicles need and it does not hold.
  public mutating func act(in view: MarketView) -> [Command.Body] {
    guard view.interval < demand.count else { return [] }
    let lot = desk.terms.lot.wattHours
    let lack = demand[view.interval].wattHours - desk.energy.wattHours
    guard lack > 0 else { return [] }
    let quantity = Energy(wattHours: (lack + lot - 1) / lot * lot)
    return desk.enter(
      .buy, quantity, at: .zero, type: .market, timeInForce: .immediateOrCancel)
  }

  /// Keeps its desk up to date.
  public mutating func hear(_ report: TraderReport) { desk.hear(report) }
}

import MarketModel

/// The charging station buys the energy of each interval at its start with a market order,
/// immediate or cancel. It imports what it could not buy.
public struct ChargingStation: Trader {
  /// The name "station".
  public let name = "station"
  private var orders: AccountOrders
  private let demand: EnergySeries

  /// A station with the consumption of `customer`.
  public init(orders: AccountOrders, customer: Customer) {
    self.orders = orders
    demand = customer.consumption
  }

  /// The account of the station.
  public var accounts: [AccountId] { [orders.account] }

  /// Buys the consumption of the interval minus the stored energy, rounded up to whole lots.
  public mutating func act(in view: MarketView) -> [Command.Body] {
    guard view.interval < demand.count else { return [] }
    let lot = orders.terms.lot.wattHours
    let lack = demand[view.interval].wattHours - orders.energy.wattHours
    guard lack > 0 else { return [] }
    let quantity = Energy(wattHours: (lack + lot - 1) / lot * lot)
    return orders.enter(
      .buy, quantity, at: .zero, type: .market, timeInForce: .immediateOrCancel)
  }

  /// Updates balances and orders.
  public mutating func receive(_ report: TraderReport) { orders.receive(report) }
}

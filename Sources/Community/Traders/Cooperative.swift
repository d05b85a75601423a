import MarketModel

/// A cooperative that trades for homes with a roof. Each member has two orders in the book:
///
///     bid   for all that its storage can hold; the part above the headroom waits
///     ask   for what is stored and not needed before the sun is back
///
/// A member's bid is a little below the price of its ask, so that it gains on what it buys and sells
/// again. What it needs is forecast from its own readings: the coming day is the last one again.
public struct Cooperative: Trader {
  /// A member and its prices.
  public struct Member: Sendable {
    /// Balances, orders and readings of its account.
    public var orders: AccountOrders
    /// Price of its asks.
    public var ask: Price
    /// Price of its bids.
    public var bid: Price

    /// A member that asks for `value` for a kWh and bids a fiftieth of the distance between feed-in
    /// and retail price less.
    public init(orders: AccountOrders, value: Price) {
      self.orders = orders
      ask = orders.onTick(value, .sell)
      let distance = max(orders.terms.spread / 50, orders.terms.tick.ticks)
      bid = orders.onTick(Price(ticks: ask.ticks - distance), .buy)
    }
  }

  /// The name "cooperative".
  public let name = "cooperative"
  private var members: [Member]

  /// A cooperative of `members`.
  public init(members: [Member]) { self.members = members }

  /// Accounts of the members.
  public var accounts: [AccountId] { members.map(\.orders.account) }

  /// Brings the two orders of each member to their quantities.
  public mutating func act(in view: MarketView) -> [Command.Body] {
    members.indices.flatMap { members[$0].quote() }
  }

  /// Passes a report to the member that it is about.
  public mutating func receive(_ report: TraderReport) {
    for index in members.indices where members[index].orders.account == report.account {
      members[index].orders.receive(report)
    }
  }
}

extension Cooperative.Member {
  fileprivate mutating func quote() -> [Command.Body] {
    // The bid is renewed when half of it has executed.
    let half = Energy(wattHours: orders.cap.wattHours / 2)
    return orders.quote(.sell, orders.spare, at: ask)
      + orders.quote(.buy, orders.cap, at: bid, tolerance: half)
  }
}

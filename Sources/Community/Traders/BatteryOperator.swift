import MarketModel

// The storage in eight slices. A slice that is empty is bid for, a slice that is full is offered:
//
//   empty  |  slice   1     2     3     4     5     6     7     8   |  full
//          |  bid   27.5  25.2  22.9  20.7  18.4  16.1  13.8  11.5  |   ct/kWh, feed-in 8
//          |  ask   28.0  25.7  23.4  21.1  18.9  16.6  14.3  12.0  |   ct/kWh, retail 32
//
// The less is stored, the more a kWh is worth. A kWh is sold from a slice for more than was paid for
// it in the same slice, so that the operator gains whatever the day brings.

/// The operator of the community's battery: it owns what is stored there, buys what the community
/// has too much, and sells it when something is lacking. Its plan for the day is a price to buy at
/// and a price to sell at for each slice of the storage; it needs no forecast.
public struct BatteryOperator: Trader {
  /// Number of slices.
  public static let slices = 8

  /// The two prices of a slice.
  public struct Prices: Sendable, Equatable {
    /// Price of its bid.
    public var bid: Price
    /// Price of its ask.
    public var ask: Price
  }

  /// The name "battery".
  public let name = "battery"
  /// The prices of the slices, from the one that is filled first.
  public let plan: [Prices]
  private var orders: AccountOrders

  /// An operator of the position of `orders`. Its prices lie in the middle two thirds between feed-in
  /// and retail price; a slice's bid is a fiftieth of that distance below its ask.
  public init(orders: AccountOrders) {
    self.orders = orders
    let (feedIn, spread) = (orders.terms.feedIn.ticks, orders.terms.spread)
    let gain = max(spread / 50, orders.terms.tick.ticks)
    plan = (0..<Self.slices).map { slice in
      let below = spread * 2 / 3 * Int64(slice) / Int64(Self.slices - 1)
      let ask = orders.onTick(Price(ticks: feedIn + spread * 5 / 6 - below), .sell)
      return Prices(bid: orders.onTick(Price(ticks: ask.ticks - gain), .buy), ask: ask)
    }
  }

  /// The account of the battery.
  public var accounts: [AccountId] { [orders.account] }

  /// Brings the orders of each slice to what it holds and to what it has place for.
  ///
  /// The highest ask and the lowest bid are for the whole battery: what is bought or sold between
  /// two acts covers more of them.
  public mutating func act(in view: MarketView) -> [Command.Body] {
    let (cap, held) = (orders.cap.wattHours, orders.energy.wattHours)
    let size = cap / Int64(Self.slices)
    guard size > 0 else { return [] }
    var (smaller, larger): ([Command.Body], [Command.Body]) = ([], [])
    for (slice, prices) in plan.enumerated() {
      let isLast = slice == plan.count - 1
      let room = isLast ? cap - size * Int64(slice) : size
      let filled = min(max(held - size * Int64(slice), 0), room)
      for (side, price, quantity, isWhole) in [
        (Side.sell, prices.ask, filled, slice == 0), (.buy, prices.bid, room - filled, isLast),
      ] {
        let commands = orders.quote(
          side, Energy(wattHours: isWhole ? cap : quantity), at: price,
          tolerance: Energy(wattHours: isWhole ? cap / 2 : size / 20))
        // An order that is no longer wanted leaves before its price is met by a new one of the
        // other side.
        if quantity == 0 && !isWhole { smaller += commands } else { larger += commands }
      }
    }
    return smaller + larger
  }

  /// Updates balances and orders.
  public mutating func receive(_ report: TraderReport) { orders.receive(report) }
}

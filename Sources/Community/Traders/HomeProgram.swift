import MarketModel

/// The program that runs homes with a roof by standing instructions (market rules 8). An instruction
/// holds the storage at what the home needs before the sun is back: it sells what is above, and buys
/// what is missing where that is cheap. The engine enters the orders, also between two acts.
///
/// What a home needs is forecast from its own readings: the coming day is the last one again. An
/// instruction is renewed when its level moves by more than a twentieth of the cap, and its orders
/// are cancelled when they are for that much more than the level leaves.
public struct HomeProgram: Trader {
  /// A home, its prices and its instruction.
  public struct Home: Sendable {
    /// Balances, orders and readings of its account.
    public var orders: AccountOrders
    /// Price at which it sells.
    public var ask: Price
    /// Price at which it buys, well below the retail price.
    public var bid: Price
    /// The level that its instruction holds; `nil` before the first.
    public private(set) var level: Energy?

    /// A home that sells at `value` for a kWh, and buys at three fifths of the way from feed-in to
    /// retail price.
    public init(orders: AccountOrders, value: Price) {
      self.orders = orders
      ask = orders.onTick(value, .sell)
      let terms = orders.terms
      bid = orders.onTick(Price(ticks: terms.feedIn.ticks + terms.spread * 3 / 5), .buy)
    }
  }

  /// The name "home-program".
  public let name = "home-program"
  private var homes: [Home]

  /// A program for `homes`.
  public init(homes: [Home]) { self.homes = homes }

  /// Accounts of the homes.
  public var accounts: [AccountId] { homes.map(\.orders.account) }

  /// Renews the instructions whose level has moved.
  public mutating func act(in view: MarketView) -> [Command.Body] {
    homes.indices.flatMap { homes[$0].instruct() }
  }

  /// Passes a report to the home that it is about.
  public mutating func receive(_ report: TraderReport) {
    for index in homes.indices where homes[index].orders.account == report.account {
      homes[index].orders.receive(report)
    }
  }
}

extension HomeProgram.Home {
  /// A new instruction where the level has moved, and a cancel of orders that no longer fit.
  ///
  /// The instruction comes first: the cancel makes the engine consult it again, which enters what is
  /// wished now.
  fileprivate mutating func instruct() -> [Command.Body] {
    let (wanted, tolerated) = (orders.reserve, orders.cap.wattHours / 20)
    if let level, abs(level.wattHours - wanted.wattHours) <= tolerated {
      return exceeds(tolerated) ? [orders.cancelTogether()] : []
    }
    level = wanted
    let lot = orders.terms.lot.wattHours
    let instruction = SetAgent(
      account: orders.account, instrument: orders.instrument, sells: true, buys: wanted > .zero,
      sellPrice: ask, sellAbove: Energy(wattHours: wanted.wattHours + lot), buyPrice: bid,
      buyBelow: Energy(wattHours: max(0, wanted.wattHours - lot)), target: wanted)
    return [.order(.setAgent(instruction))] + (orders.open.isEmpty ? [] : [orders.cancelTogether()])
  }

  /// Whether more is open on a side than the level leaves by `tolerated` Wh: the engine lets an
  /// instruction's orders grow, but not shrink, and what is used at home stays offered.
  private func exceeds(_ tolerated: Int64) -> Bool {
    let above = orders.energy.wattHours - (level?.wattHours ?? 0)
    return [Side.sell, .buy].contains { side in
      let leaves = orders.open.reduce(0) { $0 + ($1.side == side ? $1.leaves.wattHours : 0) }
      return leaves > max(0, side == .sell ? above : -above) + tolerated
    }
  }
}

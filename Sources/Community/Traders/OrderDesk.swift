import MarketModel

/// One account as its trader sees it: balances, open orders and the next client order id.
public struct OrderDesk: Sendable {
  /// An order that is open, as last reported.
  public struct OpenOrder: Sendable, Equatable {
    /// The engine's id.
    public var order: OrderId
    /// Buy or sell.
    public var side: Side
    /// Limit.
    public var price: Price
    /// Open quantity.
    public var leaves: Energy
    /// Total quantity, what has executed included.
    public var quantity: Energy
  }

  /// Whose account, and what it trades.
  public let account: AccountId
  /// The spot instrument.
  public let instrument: InstrumentId
  /// Price and quantity steps.
  public let terms: MarketTerms
  /// Stored energy, as last reported.
  public private(set) var energy = Energy.zero
  /// Bmax.
  public private(set) var cap: Energy
  /// Orders that are open, in the order in which they were accepted.
  public private(set) var open: [OpenOrder] = []
  private var nextClientOrderId: UInt64 = 1

  /// The desk of `account`, before anything was reported.
  public init(account: AccountId, instrument: InstrumentId, cap: Energy, terms: MarketTerms) {
    (self.account, self.instrument, self.cap, self.terms) = (account, instrument, cap, terms)
  }

  /// How much more energy the account may hold.
  public var headroom: Energy { Energy(wattHours: max(0, cap.wattHours - energy.wattHours)) }

  /// `energy` in whole lots, rounded down; nothing when negative.
  public func lots(_ energy: Energy) -> Energy {
    Energy(wattHours: max(0, energy.wattHours) / terms.lot.wattHours * terms.lot.wattHours)
  }

  /// `price` on the tick inside the band; a bid rounds down and an ask up, against its owner.
  public func onTick(_ price: Price, _ side: Side) -> Price {
    let tick = terms.tick.ticks
    let inside = min(max(price.ticks, 0), terms.highestPrice.ticks)
    let steps = side == .buy ? inside / tick : (inside + tick - 1) / tick
    return Price(ticks: min(steps * tick, terms.highestPrice.ticks / tick * tick))
  }

  /// A new order; nothing when `quantity` is below a lot.
  public mutating func enter(
    _ side: Side, _ quantity: Energy, at price: Price, type: OrderType = .limit,
    timeInForce: TimeInForce = .goodTillCancel
  ) -> [Command.Body] {
    let quantity = lots(quantity)
    guard quantity > .zero else { return [] }
    let id = takeClientOrderId()
    return [
      .enter(
        NewOrder(
          account: account, instrument: instrument, side: side, type: type,
          timeInForce: timeInForce, clientOrderId: id, price: price, quantity: quantity))
    ]
  }

  /// Changes `order` to `price` and to `leaves` still open; nothing when that is how it stands.
  public mutating func replace(
    _ order: OpenOrder, price: Price, leaves: Energy
  ) -> [Command.Body] {
    let leaves = lots(leaves)
    guard price != order.price || leaves != order.leaves else { return [] }
    guard leaves > .zero else { return [cancel(order)] }
    let executed = order.quantity.wattHours - order.leaves.wattHours
    return [
      .replace(
        ReplaceOrder(
          account: account, order: order.order, clientOrderId: takeClientOrderId(), price: price,
          quantity: Energy(wattHours: executed + leaves.wattHours)))
    ]
  }

  /// Cancels `order`.
  public func cancel(_ order: OpenOrder) -> Command.Body {
    .cancel(CancelOrder(account: account, order: order.order))
  }

  /// Cancels every open order, one by one.
  public func cancelAll() -> [Command.Body] { open.map { cancel($0) } }

  /// Takes a report about this account.
  public mutating func hear(_ report: TraderReport) {
    switch report {
    case .accepted(_, _, let order, let side, let price, let quantity):
      open.append(
        OpenOrder(order: order, side: side, price: price, leaves: quantity, quantity: quantity))
    case .changed(_, let order, let price, let leaves): change(order, price: price, leaves: leaves)
    case .traded(_, let order, _, _, _, let leaves): change(order, price: nil, leaves: leaves)
    case .gone(_, let order): open.removeAll { $0.order == order }
    case .balance(_, let energy, let cap, _): (self.energy, self.cap) = (energy, cap)
    case .rejected: break
    }
  }

  private mutating func change(_ order: OrderId, price: Price?, leaves: Energy) {
    guard let index = open.firstIndex(where: { $0.order == order }) else { return }
    guard leaves > .zero else {
      open.remove(at: index)
      return
    }
    let executed = open[index].quantity.wattHours - open[index].leaves.wattHours
    if let price {
      // A replace changes the total; what had executed stays executed.
      open[index].price = price
      open[index].quantity = Energy(wattHours: executed + leaves.wattHours)
    }
    open[index].leaves = leaves
  }

  private mutating func takeClientOrderId() -> ClientOrderId {
    defer { nextClientOrderId += 1 }
    return ClientOrderId(nextClientOrderId)
  }
}

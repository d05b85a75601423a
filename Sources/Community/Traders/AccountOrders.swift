import MarketModel

/// The reported state of one account: its energy, its open orders and the next client order id.
/// Builds the commands of its trader.
public struct AccountOrders: Sendable {
  /// An open order, as last reported.
  public struct OpenOrder: Sendable, Equatable {
    /// Exchange order id.
    public var order: OrderId
    /// Buy or sell.
    public var side: Side
    /// Limit price, as last reported.
    public var price: Price
    /// Quantity that has not executed yet.
    public var leaves: Energy
    /// Total quantity, including what has executed.
    public var quantity: Energy
  }

  /// The account whose state this is.
  public let account: AccountId
  /// The spot instrument that it trades.
  public let instrument: InstrumentId
  /// Tariff and increments of the instrument.
  public let terms: MarketTerms
  /// Stored energy, as last reported.
  public private(set) var energy = Energy.zero
  /// Storage cap, as last reported.
  public private(set) var cap: Energy
  /// Open orders, in the order in which they were accepted.
  public private(set) var open: [OpenOrder] = []
  /// Readings of the account's own meter.
  public private(set) var readings: OwnReadings
  private var nextClientOrderId: UInt64 = 1

  /// An account without energy and orders.
  public init(
    account: AccountId, instrument: InstrumentId, cap: Energy, terms: MarketTerms,
    readings: OwnReadings = OwnReadings()
  ) {
    (self.account, self.instrument, self.cap, self.terms) = (account, instrument, cap, terms)
    self.readings = readings
  }

  /// Energy that the account can still store.
  public var headroom: Energy { Energy(wattHours: max(0, cap.wattHours - energy.wattHours)) }

  /// What the customer keeps until the sun is back, at most the cap, in whole lots.
  public var reserve: Energy { lots(min(readings.need, cap)) }

  /// Stored energy above the reserve; zero when there is less.
  public var spare: Energy { Energy(wattHours: max(0, energy.wattHours - reserve.wattHours)) }

  /// The level that a broker trades towards: what the customer used in the last day, at most half of
  /// the cap.
  public var brokersLevel: Energy {
    min(readings.dailyConsumption, Energy(wattHours: cap.wattHours / 2))
  }

  /// `energy` rounded down to whole lots; zero when negative.
  public func lots(_ energy: Energy) -> Energy {
    Energy(wattHours: max(0, energy.wattHours) / terms.lot.wattHours * terms.lot.wattHours)
  }

  /// `price` rounded to a tick inside the price band: a bid down and an ask up, so that the owner's
  /// limit is kept.
  public func onTick(_ price: Price, _ side: Side) -> Price {
    let tick = terms.tick.ticks
    let inside = min(max(price.ticks, 0), terms.highestPrice.ticks)
    let steps = side == .buy ? inside / tick : (inside + tick - 1) / tick
    return Price(ticks: min(steps * tick, terms.highestPrice.ticks / tick * tick))
  }

  /// The command for a new order; empty when `quantity` is below one lot.
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

  /// The command that changes `order` to `price` and to the open quantity `leaves`; empty when the
  /// order has both already.
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

  /// The command that cancels `order`.
  public func cancel(_ order: OpenOrder) -> Command.Body {
    .cancel(CancelOrder(account: account, order: order.order))
  }

  /// Brings the order on `side` at `price` to the open quantity `quantity`, or enters one.
  /// - Parameter tolerance: A smaller difference is left, so that an order is not changed for every
  ///   Wh; `nil`: a twentieth of the cap.
  public mutating func quote(
    _ side: Side, _ quantity: Energy, at price: Price, tolerance: Energy? = nil
  ) -> [Command.Body] {
    let quantity = lots(quantity)
    guard let order = open.first(where: { $0.side == side && $0.price == price }) else {
      return enter(side, quantity, at: price)
    }
    let distance = abs(order.leaves.wattHours - quantity.wattHours)
    let tolerated = tolerance?.wattHours ?? cap.wattHours / 20
    guard distance > tolerated || quantity == .zero else { return [] }
    return replace(order, price: price, leaves: quantity)
  }

  /// One cancel for each open order.
  public func cancelAll() -> [Command.Body] { open.map { cancel($0) } }

  /// The command that cancels all orders in one step.
  public func cancelTogether() -> Command.Body {
    .order(.massCancel(MassCancel(account: account, instrument: instrument)))
  }

  /// Updates the state from a report about this account.
  public mutating func receive(_ report: TraderReport) {
    switch report {
    case .accepted(_, _, let order, let side, let price, let quantity):
      open.append(
        OpenOrder(order: order, side: side, price: price, leaves: quantity, quantity: quantity))
    case .changed(_, let order, let price, let leaves): change(order, price: price, leaves: leaves)
    case .traded(_, let order, _, _, _, let leaves): change(order, price: nil, leaves: leaves)
    case .gone(_, let order): open.removeAll { $0.order == order }
    case .balance(_, let energy, let cap, _): (self.energy, self.cap) = (energy, cap)
    case .reading(_, let produced, let consumed):
      readings.append(produced: produced, consumed: consumed)
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
      // A replace changes the total quantity; the executed quantity is unchanged.
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

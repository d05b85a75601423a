/// Why an open order does not trade (market rules 12): the exchange's answer, which the gateway sends.
public struct OrderExplanation: Equatable, Sendable {
  /// An open order of the same account that uses what the explained order waits for, or stands in its way.
  public struct Blocker: Equatable, Sendable {
    /// The order.
    public var order: OrderId
    /// The client's number for it.
    public var clientOrderId: ClientOrderId
    /// Its limit.
    public var price: Price
    /// How much energy or headroom it uses: its covered quantity.
    public var used: Energy

    /// All fields, in order.
    public init(order: OrderId, clientOrderId: ClientOrderId, price: Price, used: Energy) {
      (self.order, self.clientOrderId) = (order, clientOrderId)
      (self.price, self.used) = (price, used)
    }

    /// An open order as a blocker.
    public init(_ state: OrderState) {
      self.init(
        order: state.order, clientOrderId: state.clientOrderId, price: state.price,
        used: state.covered)
    }
  }

  /// One reason. An order can have several.
  public enum Reason: Equatable, Sendable {
    /// What it waits for (`OrderState.waiting`) is energy. The asks of the account that stand before it and
    /// use energy, by number.
    case awaitingEnergy([Blocker])
    /// What it waits for is headroom. The bids of the account that stand before it and use headroom, by number.
    case awaitingHeadroom([Blocker])
    /// Its instrument is halted.
    case instrumentHalted
    /// Live quantity of the same side stands before it.
    case behind(Energy)
    /// No live order on the other side is within its limit; `best` is the best price there, if there is one.
    case noCrossingPrice(best: Price?)
    /// The best live order on the other side is the same account's.
    case ownOrder(Blocker)
  }

  /// The order.
  public var state: OrderState
  /// The reasons, the strongest first.
  public var reasons: [Reason]

  /// Both fields.
  public init(state: OrderState, reasons: [Reason]) {
    (self.state, self.reasons) = (state, reasons)
  }

  /// The best live price on the other side, where a reason names one.
  public var bestOpposite: Price? {
    for reason in reasons {
      switch reason {
      case .noCrossingPrice(let best): return best
      case .ownOrder(let order): return order.price
      case .awaitingEnergy, .awaitingHeadroom, .instrumentHalted, .behind: break
      }
    }
    return nil
  }

  /// The blockers of the strongest reason that can have any: empty when that has none, or no reason can.
  public var blockers: [Blocker] {
    for reason in reasons {
      switch reason {
      case .awaitingEnergy(let blockers), .awaitingHeadroom(let blockers): return blockers
      case .ownOrder(let order): return [order]
      case .instrumentHalted, .behind, .noCrossingPrice: break
      }
    }
    return []
  }
}

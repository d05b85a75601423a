/// The explanation of why an open order does not trade (market rules 12). The exchange makes it and
/// the gateway sends it.
public struct OrderExplanation: Equatable, Sendable {
  /// Another open order of the account that uses the energy or headroom for which the explained
  /// order waits, or that it would trade with.
  public struct Blocker: Equatable, Sendable {
    /// The order.
    public var order: OrderId
    /// Its client order id.
    public var clientOrderId: ClientOrderId
    /// Its limit price.
    public var price: Price
    /// The energy or headroom that it uses: its covered quantity.
    public var used: Energy

    /// A blocker from its parts.
    public init(order: OrderId, clientOrderId: ClientOrderId, price: Price, used: Energy) {
      (self.order, self.clientOrderId) = (order, clientOrderId)
      (self.price, self.used) = (price, used)
    }

    /// The blocker that `state` is.
    public init(_ state: OrderState) {
      self.init(
        order: state.order, clientOrderId: state.clientOrderId, price: state.price,
        used: state.covered)
    }
  }

  /// A reason. An order can have several.
  public enum Reason: Equatable, Sendable {
    /// The waiting quantity (`OrderState.waiting`) lacks energy. Lists the better asks of the
    /// account that use energy, by order id.
    case awaitingEnergy([Blocker])
    /// The waiting quantity lacks headroom. Lists the better bids of the account that use headroom,
    /// by order id.
    case awaitingHeadroom([Blocker])
    /// Its instrument is halted.
    case instrumentHalted
    /// This much live quantity on its side has priority; at least this much when `isAheadPartial`.
    case behind(Energy)
    /// No live order on the opposite side is within the limit; `best` is the best price there, if
    /// there is one.
    case noCrossingPrice(best: Price?)
    /// The best live order on the opposite side belongs to the account.
    case ownOrder(Blocker)
  }

  /// The explained order.
  public var state: OrderState
  /// The reasons, the strongest first.
  public var reasons: [Reason]

  /// Whether the lists of blockers may lack orders, because the search ended at its bound.
  public var hasMoreBlockers: Bool
  /// Whether at least the quantity of `behind` has priority, because the count ended at its bound.
  public var isAheadPartial: Bool

  /// An explanation; `reasons` are sorted by strength.
  public init(
    state: OrderState, reasons: [Reason], hasMoreBlockers: Bool = false,
    isAheadPartial: Bool = false
  ) {
    (self.state, self.reasons) = (state, reasons)
    (self.hasMoreBlockers, self.isAheadPartial) = (hasMoreBlockers, isAheadPartial)
  }

  /// The best live price on the opposite side, if a reason has one.
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

  /// The live quantity on its side that has priority; zero when none has.
  public var ahead: Energy {
    for case .behind(let quantity) in reasons { return quantity }
    return .zero
  }

  /// The account's own order that it would meet; `nil` when a reason names none.
  public var ownOrder: Blocker? {
    for case .ownOrder(let order) in reasons { return order }
    return nil
  }

  /// The blockers of the first reason that has a list of blockers; empty when there is none.
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

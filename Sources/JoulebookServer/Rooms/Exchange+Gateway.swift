import ExchangeCore
import GatewayBinary
import MarketModel

extension Exchange {
  /// Blockers that an explanation names; the wire takes no more.
  private static var mostBlockers: Int { 64 }

  /// Why an open order does not trade, in the gateway's words: the strongest reason, the orders that
  /// use what it waits for, the best live price opposite.
  /// - Returns: `nil` when no such order is open.
  package func orderExplanation(_ order: OrderId) -> OrderExplanation? {
    guard let explanation = explain(order) else { return nil }
    var answer = OrderExplanation(
      state: explanation.state, reason: .noCrossingPrice, bestOpposite: nil, blockers: [],
      hasMoreBlockers: false)
    // Reasons come strongest first, so the first is written last.
    for reason in explanation.reasons.reversed() {
      switch reason {
      case .waitsForEnergy(_, let users):
        answer.reason = .awaitingEnergy
        name(users, in: &answer)
      case .waitsForHeadroom(_, let users):
        answer.reason = .awaitingHeadroom
        name(users, in: &answer)
      case .instrumentHalted: answer.reason = .instrumentHalted
      case .notBestPrice: answer.reason = .noCrossingPrice
      case .nothingWithinLimit(let best):
        answer.reason = .noCrossingPrice
        answer.bestOpposite = best
      case .ownOrderOpposite(let own):
        answer.reason = .ownOrder
        answer.bestOpposite = orderState(own)?.price
        name([own], in: &answer)
      }
    }
    return answer
  }

  private func name(_ users: [OrderId], in answer: inout OrderExplanation) {
    answer.hasMoreBlockers = users.count > Self.mostBlockers
    answer.blockers = users.prefix(Self.mostBlockers).compactMap { user in
      orderState(user).map {
        OrderExplanation.Blocker(
          order: $0.order, clientOrderId: $0.clientOrderId, price: $0.price, used: $0.covered)
      }
    }
  }
}

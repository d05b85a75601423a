import GatewayKit
import MarketModel
import Wire

// What a session's requests cost, and who pays: the session that asks (WorkBudget).

extension BinaryGateway {
  /// Takes the cost of a query from the session's budget.
  /// - Returns: how to continue if the query is not to be answered now; `nil` if it is.
  func pay(for frame: Frame, _ template: Template, _ slot: Int) -> Next? {
    switch peers[slot]?.session.work.spend(Self.cost(of: frame, template), at: now, turn: turn) {
    case .pass, nil: return nil
    case .refuse(let left):
      refuseWork(frame, slot, left: left)
      return .go
    case .wait:
      peers[slot]?.session.putBack(sequence: frame.sequenceNumber)
      pause(slot)
      // The connection is read again in the next turn, which must not wait for others.
      transport.turnAgain()
      return .wait
    }
  }

  /// Rejects a message because its session has used up its work (9007).
  func refuseWork(_ frame: Frame, _ slot: Int, left: Int64) {
    guard let peer = peers[slot] else { return }
    counts.overworked += 1
    let refusal = Refusal(.workLimit, limit: left)
    if !peer.isThrottled {
      peers[slot]?.isThrottled = true
      exchange.note(.throttled(peer.session.identity, refusal))
    }
    reject(
      Rejected(
        code: refusal.code, limit: refusal.limit, session: peer.session.identity,
        clientSequence: frame.sequenceNumber), slot)
  }

  /// Takes the cost of a command whose result is known: a reject is journaled although it changes
  /// nothing, and a mass cancel costs by the number of orders.
  func charge(for event: borrowing Event) {
    switch copy event {
    case .rejected(let rejected): debit(rejected.session, WorkBudget.Cost.reject)
    case .order(.massCanceled(let done)):
      debit(done.session, Int64(done.count) / 2 * WorkBudget.Cost.cancels)
    default: break
    }
  }

  private func debit(_ session: SessionId, _ cost: Int64) {
    guard let slot = peers.slot(of: session) else { return }
    peers.pointer(slot).pointee?.session.work.debit(cost)
  }

  private static func cost(of frame: Frame, _ template: Template) -> Int64 {
    switch template {
    case .explainRequest: WorkBudget.Cost.explanation
    case .statusRequest:
      StatusRequestDecoder(frame)?.withStateHash == true
        ? WorkBudget.Cost.stateHash : WorkBudget.Cost.question
    case .referenceDataRequest, .marketDataSubscribe, .marketDataUnsubscribe, .marketDataResume:
      WorkBudget.Cost.subscription
    default: WorkBudget.Cost.question
    }
  }
}

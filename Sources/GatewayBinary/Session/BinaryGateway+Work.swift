import GatewayKit
import MarketModel
import Wire

// What requests cost, and who pays: the participant that asks (WorkBudget).

extension BinaryGateway {
  /// Takes the cost of a query from its participant's budget.
  /// - Returns: how to continue if the query is not to be answered now; `nil` if it is.
  func pay(for frame: Frame, _ template: Template, _ slot: Int) -> Next? {
    switch peers[slot]?.work?.pointee.spend(Self.cost(of: frame, template), at: now, turn: turn) {
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

  /// Rejects a message because its participant has used up its work (9007).
  func refuseWork(_ frame: Frame, _ slot: Int, left: Int64) {
    counts.overworked += 1
    throttle(frame, Refusal(.workLimit, limit: left), slot)
  }

  /// Takes the cost of a command that took long from the participant of its session. Services that
  /// send readings for others do not pay for what those readings cause, nor do administrators, whose
  /// commands must be applied when they are needed.
  public func charge(_ session: SessionId, _ units: Int64) {
    let roles = view.reference.roles(of: session)
    let pays = !roles.isDisjoint(with: [.trading, .participantAdministration])
    if pays, !roles.contains(.administration) { debit(session, units) }
  }

  /// Takes the cost of a command that was journaled although it changed nothing: one that was
  /// rejected, or a mass cancel of no order; and of an instruction, which may be the present one.
  func charge(for event: borrowing Event) {
    switch copy event {
    case .rejected(let rejected):
      switch rejected.code {
      case .duplicateClientOrderId, .readingReplayed, .referenceReplayed:
        debit(rejected.session, WorkBudget.Cost.duplicate)
      default: debit(rejected.session, WorkBudget.Cost.reject)
      }
    case .order(.massCanceled(let done)):
      if done.count == 0 { debit(done.session, WorkBudget.Cost.reject) }
    case .order(.agentSet(let done)):
      // Without a number it was removed by somebody else.
      if done.clientSequence != 0 { debit(done.session, WorkBudget.Cost.duplicate) }
    default: break
    }
  }

  private func debit(_ session: SessionId, _ cost: Int64) {
    guard let participant = view.reference.session(session)?.participant else { return }
    budgets.budget(of: participant).pointee.debit(cost, at: now)
  }

  private static func cost(of frame: Frame, _ template: Template) -> Int64 {
    switch template {
    case .explainRequest: WorkBudget.Cost.explanation
    case .listRequest:
      ListRequestDecoder(frame)?.kind == .trades ? WorkBudget.Cost.trades : WorkBudget.Cost.list
    case .statusRequest:
      StatusRequestDecoder(frame)?.withStateHash == true
        ? WorkBudget.Cost.stateHash : WorkBudget.Cost.question
    case .referenceDataRequest, .marketDataSubscribe, .marketDataUnsubscribe, .marketDataResume:
      WorkBudget.Cost.subscription
    default: WorkBudget.Cost.question
    }
  }
}

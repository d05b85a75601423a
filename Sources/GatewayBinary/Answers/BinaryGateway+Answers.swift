import GatewayKit
import MarketModel
import Wire

// Queries. Those about the exchange's state are answered by the exchange in order with the
// commands, and the answers wait until all commands applied before are durable
// (HeldAnswers). Reference data and market data come from delivered events, which are
// durable, and are answered immediately, long ones in pieces (LongAnswer).

extension BinaryGateway {
  /// Maximum number of waiting answers per session; beyond it the connection is not read.
  static let mostWaitingAnswers = 256

  /// Answers a query, or queues its answer.
  func answer(_ frame: Frame, _ template: Template, _ slot: Int) -> Next {
    switch template {
    case .orderStatusRequest, .explainRequest, .balanceRequest, .statusRequest:
      return ask(frame, slot)
    case .listRequest: return list(frame, slot)
    case .referenceDataRequest: answerReferenceData(frame, slot)
    case .marketDataSubscribe: subscribe(frame, slot)
    case .marketDataUnsubscribe: unsubscribe(frame, slot)
    case .marketDataResume: resumeMarketData(frame, slot)
    default: assertionFailure("a command, or a message of the session's own")
    }
    return .go
  }

  // MARK: Questions to the exchange

  private func ask(_ frame: Frame, _ slot: Int) -> Next {
    guard let peer = peers[slot] else { return .stop }
    if let message = StatusRequestDecoder(frame), message.withStateHashRaw > 1 {
      refuse(
        frame, slot,
        Refusal(.badEnumValue, Int64(message.withStateHashRaw), .withStateHash))
      return .go
    }
    guard let (question, account) = question(frame, asker(peer)) else { return .go }
    return ask(question, account, frame, peer)
  }

  /// Asks the exchange, and sends the answer or lets it wait.
  func ask(_ question: Question, _ account: AccountId, _ frame: Frame, _ peer: Peer) -> Next {
    let slot = peer.connection.slot
    guard peer.waitingAnswers < Self.mostWaitingAnswers,
      let (outcome, through) = ask(question, peer)
    else {
      peers[slot]?.session.putBack(sequence: frame.sequenceNumber)
      pause(slot)
      return .wait
    }
    taken += 1
    let answer = WaitingAnswer(
      connection: peer.connection, reference: frame.sequenceNumber, question: question,
      account: account, outcome: outcome, through: through)
    if through <= deliveredThrough {
      send(answer)
    } else {
      peers[slot]?.waitingAnswers += answer.weight
      waiting.append(answer, through: through)
    }
    return .go
  }

  /// Decodes a query to the exchange, and the account named with an order.
  private func question(_ frame: Frame, _ asker: Asker) -> (Question, AccountId)? {
    if let message = OrderStatusRequestDecoder(frame) {
      return (.orderState(message.orderId, asker), message.account)
    }
    if let message = ExplainRequestDecoder(frame) {
      return (.explanation(message.orderId, asker), message.account)
    }
    if let message = BalanceRequestDecoder(frame) {
      return (.balance(message.account, message.area), message.account)
    }
    return StatusRequestDecoder(frame).map { (.status(withStateHash: $0.withStateHash), .null) }
  }

  /// - Returns: the exchange's answer and the last command it had applied; `nil` if the question
  ///   must be asked again.
  private func ask(
    _ question: Question, _ peer: Peer
  ) -> (WaitingAnswer.Outcome, SequenceNumber)? {
    // Hashing the whole state blocks matching, so only administrators may request it.
    if question == .status(withStateHash: true), !roles(of: peer).contains(.administration) {
      let refusal = Refusal(.notPermitted, limit: Int64(Roles.administration.rawValue))
      return (.refused(refusal), waiting.last ?? deliveredThrough)
    }
    return exchange.answer(question).map { (.found($0.finding), $0.through) }
  }

  /// Sends the answers that wait for no command after `sequence`.
  func releaseAnswers(through sequence: SequenceNumber) {
    while let answer = waiting.take(through: sequence) {
      peers[answer.connection.slot]?.waitingAnswers -= answer.weight
      send(answer)
    }
  }

  /// Discards the answers of the session in `slot`, which has ended.
  func dropAnswers(_ slot: Int) {
    guard let peer = peers[slot], peer.waitingAnswers > 0 else { return }
    waiting.drop { $0.connection == peer.connection }
    peers[slot]?.waitingAnswers = 0
  }

  /// Sends an answer if the client may see it according to the reference data as of the answer's
  /// command.
  private func send(_ answer: WaitingAnswer) {
    let (slot, reference) = (answer.connection.slot, answer.reference)
    guard let peer = peers[slot] else { return }
    invariant(peer.connection == answer.connection, "answers of a lost connection are dropped")
    switch answer.outcome {
    case .refused(let refusal): refuse(reference, slot, refusal)
    case .found(.orderState(let state)):
      guard let state, mayAsk(peer, answer, about: state) else {
        return refuseOrder(answer, slot)
      }
      writer(slot)?.orderStatus(answerTime, reference: reference, state)
    case .found(.explanation(let explanation)):
      guard let explanation, mayAsk(peer, answer, about: explanation.state) else {
        return refuseOrder(answer, slot)
      }
      writer(slot)?.explanation(answerTime, reference: reference, explanation)
    case .found(.balance(let balance)): send(balance, answer, peer)
    case .found(.status(var status)):
      status.fill(view.reference.counts, connections: peers.establishedCount)
      writer(slot)?.status(status.time, reference: reference, status)
    case .found(.list(let page)): send(page, answer, peer)
    }
  }

  private func send(_ balance: Balance?, _ answer: WaitingAnswer, _ peer: Peer) {
    guard case .balance(let account, let number) = answer.question else { return }
    let (slot, reference) = (answer.connection.slot, answer.reference)
    guard account.isHouse || view.reference.participant(of: account) != nil else {
      return refuse(reference, slot, Refusal(.unknownAccount), account: account)
    }
    guard mayAsk(peer, about: account) else {
      return refuse(reference, slot, Refusal(.foreignAccount), account: account)
    }
    guard view.reference.area(number) != nil, let balance else {
      return refuse(
        reference, slot, Refusal(.unknownArea, limit: Int64(view.reference.highestArea)),
        account: account)
    }
    writer(slot)?.balance(0, answerTime, reference: reference, balance)
  }

  // MARK: Reference data

  private func answerReferenceData(_ frame: Frame, _ slot: Int) {
    guard let message = ReferenceDataRequestDecoder(frame), mayWait(frame, slot) else { return }
    enqueue(
      LongAnswer(
        reference: frame.sequenceNumber, area: message.area,
        work: .referenceData(ReferenceCursor()),
        version: frame.version), slot)
  }

  /// Who asks on a connection. `send` checks permission again, as of the answer's command.
  private func asker(_ peer: Peer) -> Asker {
    roles(of: peer).contains(.administration) ? .anyOwner : .participant(peer.participant)
  }

  func roles(of peer: Peer) -> Roles { view.reference.roles(of: peer.session.identity) }

  /// Administrators may ask about every account, others about their participant's accounts.
  private func mayAsk(_ peer: Peer, about account: AccountId) -> Bool {
    roles(of: peer).contains(.administration)
      || view.reference.participant(of: account) == peer.participant
  }

  /// The account of an order may be omitted, but must not be wrong.
  private func mayAsk(_ peer: Peer, _ answer: WaitingAnswer, about state: OrderState) -> Bool {
    mayAsk(peer, about: state.account)
      && (answer.account == state.account || answer.account == .null)
  }

  /// To a client without permission, an order of another participant looks like an unknown one.
  private func refuseOrder(_ answer: WaitingAnswer, _ slot: Int) {
    let order: OrderId
    switch answer.question {
    case .orderState(let asked, _), .explanation(let asked, _): order = asked
    case .balance, .status, .list: order = .null
    }
    refuse(
      answer.reference, slot, Refusal(.unknownOrder), account: answer.account, order: order)
  }

  /// Rejects a query. Like its answer, the reject has no report number.
  func refuse(_ frame: Frame, _ slot: Int, _ refusal: Refusal) {
    refuse(frame.sequenceNumber, slot, refusal)
  }

  /// Rejects the query with this sequence number.
  func refuse(
    _ reference: UInt64, _ slot: Int, _ refusal: Refusal, account: AccountId = .null,
    order: OrderId = .null
  ) {
    guard let identity = peers[slot]?.session.identity else { return }
    counts.rejects += 1
    writer(slot)?.rejected(
      0, answerTime,
      Rejected(
        code: refusal.code, limit: refusal.limit, session: identity, clientSequence: reference,
        account: account, order: order, field: refusal.field))
  }
}

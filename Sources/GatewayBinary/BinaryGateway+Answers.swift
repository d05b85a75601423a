import MarketModel
import Wire

// Questions: answered at once, outside the sequence, from the exchange as it is now. An answer may so
// come before the reports of commands sent earlier, which wait until they are durable.

extension BinaryGateway {
  /// Answers a question.
  func answer(_ frame: Frame, _ template: Template, _ slot: Int) {
    switch template {
    case .orderStatusRequest: answerOrderStatus(frame, slot)
    case .explainRequest: answerExplain(frame, slot)
    case .balanceRequest: answerBalance(frame, slot)
    case .statusRequest: answerStatus(frame, slot)
    case .referenceDataRequest: answerReferenceData(frame, slot)
    case .marketDataSubscribe: subscribe(frame, slot)
    case .marketDataUnsubscribe: unsubscribe(frame, slot)
    case .marketDataResume: resumeMarketData(frame, slot)
    default: assertionFailure("a command, or a message of the session's own")
    }
  }

  private func answerOrderStatus(_ frame: Frame, _ slot: Int) {
    guard let message = OrderStatusRequestDecoder(frame), let peer = peers[slot] else { return }
    guard let state = server.orderState(message.orderId), mayAsk(peer, about: state.account),
      message.account == state.account || message.account == .null
    else {
      return refuse(
        frame, slot, Refusal(.unknownOrder), account: message.account, order: message.orderId)
    }
    writer(slot)?.orderStatus(answerTime, reference: frame.sequenceNumber, state)
  }

  private func answerExplain(_ frame: Frame, _ slot: Int) {
    guard let message = ExplainRequestDecoder(frame), let peer = peers[slot] else { return }
    guard let explanation = server.explain(message.orderId),
      mayAsk(peer, about: explanation.state.account),
      message.account == explanation.state.account || message.account == .null
    else {
      return refuse(
        frame, slot, Refusal(.unknownOrder), account: message.account, order: message.orderId)
    }
    writer(slot)?.explanation(answerTime, reference: frame.sequenceNumber, explanation)
  }

  private func answerBalance(_ frame: Frame, _ slot: Int) {
    guard let message = BalanceRequestDecoder(frame), let peer = peers[slot] else { return }
    let account = message.account
    guard account.isHouse || directory.participant(of: account) != nil else {
      return refuse(frame, slot, Refusal(.unknownAccount), account: account)
    }
    guard mayAsk(peer, about: account) else {
      return refuse(frame, slot, Refusal(.foreignAccount), account: account)
    }
    guard let area = directory.area(message.area) else {
      return refuse(
        frame, slot, Refusal(.unknownArea, limit: Int64(directory.highestArea)), account: account)
    }
    // An account that never had anything there has nothing there, under the area's own cap.
    let nothing = Balance(
      account: account, area: message.area, currency: area.definition.currency, free: .zero,
      reserved: .zero, energy: .zero, cap: area.defaultCap, coveredAsks: .zero,
      coveredBids: .zero, openAsks: .zero, openBids: .zero)
    writer(slot)?.balance(
      0, answerTime, reference: frame.sequenceNumber,
      server.balance(of: account, in: message.area) ?? nothing)
  }

  private func answerStatus(_ frame: Frame, _ slot: Int) {
    guard let message = StatusRequestDecoder(frame), let peer = peers[slot] else { return }
    // Hashing walks the whole state on the thread that trades: an operator's to ask for.
    guard !message.withStateHash || peer.roles.contains(.administration) else {
      return refuse(
        frame, slot, Refusal(.notPermitted, limit: Int64(Roles.administration.rawValue)))
    }
    var status = server.status(withStateHash: message.withStateHash)
    status.connectionCount = UInt32(peers.establishedCount)
    writer(slot)?.status(status.time, reference: frame.sequenceNumber, status)
  }

  private func answerReferenceData(_ frame: Frame, _ slot: Int) {
    guard let message = ReferenceDataRequestDecoder(frame), let writer = writer(slot) else {
      return
    }
    let filter = message.area
    let areas = directory.areas.filter { filter == .null || $0.definition.area == filter }
    let instruments = directory.instruments.filter {
      filter == .null || $0.definition.area == filter
    }
    let reference = frame.sequenceNumber
    for area in areas { writer.area(answerTime, reference: reference, area) }
    for instrument in instruments {
      writer.instrument(answerTime, reference: reference, instrument)
    }
    writer.referenceDataEnd(
      answerTime, reference: reference, areas: areas.count, instruments: instruments.count)
  }

  /// An operator may ask about every account, a participant about its own.
  private func mayAsk(_ peer: Peer, about account: AccountId) -> Bool {
    peer.roles.contains(.administration)
      || directory.participant(of: account) == peer.participant
  }

  /// Rejects a question: outside the sequence, like its answer would have been.
  func refuse(
    _ frame: Frame, _ slot: Int, _ refusal: Refusal, account: AccountId = .null,
    order: OrderId = .null
  ) {
    guard let identity = peers[slot]?.session.identity else { return }
    counts.rejects += 1
    writer(slot)?.rejected(
      0, answerTime,
      Rejected(
        code: refusal.code, limit: refusal.limit, session: identity,
        clientSequence: frame.sequenceNumber, account: account, order: order))
  }
}

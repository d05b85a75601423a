// Cancelling orders and standing instructions by an operator (section 5, "Cancel by the operator").

import MarketModel

extension Exchange {
  /// Cancels the orders that pass the filter, by position in order of creation, or the one that is
  /// named. Linear in the number of all positions and of the participant's orders.
  mutating func cancelOrders(_ filter: CancelOrders, _ request: Request) {
    if let refusal = validate(filter, request) {
      return reject(refusal, request, account: filter.account, order: filter.order)
    }
    if let order = find(filter.order) {
      cancelInFull(order, .mass)
    } else {
      cancelSelected(filter)
    }
    drain()
    acknowledge(request)
  }

  private mutating func cancelSelected(_ filter: CancelOrders) {
    let participant = participant(filter.participant, orOf: filter.session)
    noteScanned(balances.positionCount)
    for position in stride(from: 1, through: balances.positionCount, by: 1)
    where isSelected(balances.positions[position].account, participant, filter.account) {
      for side in [Side.sell, .buy] where filter.sides.contains(side) {
        cancelAll(position, side, .mass) { $0.passes(filter) }
      }
    }
  }

  /// Ends the standing instructions that pass the filter, by position in order of creation. Linear
  /// in the number of all positions.
  mutating func cancelInstructions(_ filter: CancelInstructions, _ request: Request) {
    let refusal =
      permission(request, Roles.administrations)
      ?? validate(filter.participant, filter.account, filter.session, filter.instrument, request)
    if let refusal { return reject(refusal, request, account: filter.account) }
    let participant = participant(filter.participant, orOf: filter.session)
    noteScanned(balances.positionCount)
    for position in stride(from: 1, through: balances.positionCount, by: 1)
    where isSelected(balances.positions[position].account, participant, filter.account) {
      let agent = balances.agents[position]
      if filter.instrument != .null, agent.instrument != filter.instrument.rawValue { continue }
      if filter.session != .exchange, agent.session != filter.session.rawValue { continue }
      endAgent(position)
    }
    acknowledge(request)
  }

  // MARK: Validation

  private func validate(_ filter: CancelOrders, _ request: Request) -> Refusal? {
    if let refusal = permission(request, Roles.administrations) { return refusal }
    if filter.order == .null {
      return validate(
        filter.participant, filter.account, filter.session, filter.instrument, request)
    }
    guard let order = find(filter.order), order.passes(filter),
      validateOwn(order.owner.participant, request, Refusal(.unknownOrder)) == nil,
      filter.participant == .exchange || filter.participant.rawValue == order.owner.participant,
      filter.account == .null || filter.account.rawValue == order.account,
      filter.sides.contains(order.side)
    else { return Refusal(.unknownOrder) }
    return nil
  }

  /// Refuses a filter that names what does not exist or does not belong together.
  private func validate(
    _ participant: ParticipantId, _ account: AccountId, _ session: SessionId,
    _ instrument: InstrumentId, _ request: Request
  ) -> Refusal? {
    if participant != .exchange || session == .exchange, !exists(participant) {
      return Refusal(.unknownParticipant, capacity.participants)
    }
    if session != .exchange, let refusal = validateSession(session) { return refusal }
    let owner = self.participant(participant, orOf: session)
    if let refusal = validateOwn(owner.rawValue, request, Refusal(.foreignParticipant)) {
      return refusal
    }
    if account != .null {
      guard exists(account) else { return Refusal(.unknownAccount, capacity.accounts) }
      if accounts[account.rawValue].participant != owner.rawValue {
        return Refusal(.foreignAccount)
      }
    }
    if session != .exchange, self.participant(.exchange, orOf: session) != owner {
      return Refusal(.foreignSession)
    }
    return instrument == .null || exists(instrument)
      ? nil : Refusal(.unknownInstrument, capacity.instruments)
  }

  /// The named participant, or that of the session where none is named.
  private func participant(_ named: ParticipantId, orOf session: SessionId) -> ParticipantId {
    named != .exchange
      ? named : ParticipantId(reference.sessions[session.rawValue].participant)
  }
}

extension OpenOrder {
  /// Whether the order is of the instrument and of the session that a filter names.
  fileprivate func passes(_ filter: CancelOrders) -> Bool {
    trades(filter.instrument)
      && (filter.session == .exchange || row.session == filter.session.rawValue)
  }
}

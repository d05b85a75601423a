// Cancels by an operator (section 5) and blocks (section 13).

import ExchangeCore
import MarketModel

/// What a block or a limit names.
enum ModelSubject: Hashable {
  case participant(ParticipantId)
  case account(AccountId)
  case session(SessionId)
}

extension ReferenceModel {
  // MARK: Cancels

  mutating func cancelOrders(_ filter: CancelOrders, _ command: Command) throws(Refusal) {
    if filter.order != .null {
      guard let order = orders[filter.order], passes(order, filter) else {
        throw Refusal(.unknownOrder)
      }
      try requireOwn(accounts[order.account]?.participant, command, .unknownOrder)
      cancelWhole(order.id, .mass)
    } else {
      let owner = try requireFilter(
        filter.participant, filter.account, filter.session, filter.instrument, command)
      let before = self
      for key in positions.map(\.key) where accounts[key.account]?.participant == owner {
        cancelAll(key, .mass) { before.passes($0, filter) }
      }
    }
    drain()
    acknowledge(command)
  }

  private func passes(_ order: ModelOrder, _ filter: CancelOrders) -> Bool {
    let owner = accounts[order.account]?.participant
    return (filter.participant == .exchange || filter.participant == owner)
      && (filter.account == .null || filter.account == order.account)
      && (filter.instrument == .null || filter.instrument == order.instrument)
      && (filter.session == .exchange || filter.session == order.session)
      && filter.sides.contains(order.side)
  }

  mutating func cancelInstructions(_ filter: CancelInstructions, _ command: Command)
    throws(Refusal)
  {
    let owner = try requireFilter(
      filter.participant, filter.account, filter.session, filter.instrument, command)
    for position in positions where accounts[position.key.account]?.participant == owner {
      if filter.account != .null, filter.account != position.key.account { continue }
      endAgent(position.key) { agent in
        (filter.instrument == .null || agent.instruction.instrument == filter.instrument)
          && (filter.session == .exchange || agent.session == filter.session)
      }
    }
    acknowledge(command)
  }

  /// What a filter names exists and belongs to one participant.
  private func requireFilter(
    _ participant: ParticipantId, _ account: AccountId, _ session: SessionId,
    _ instrument: InstrumentId, _ command: Command
  ) throws(Refusal) -> ParticipantId {
    if participant != .exchange || session == .exchange { try requireParticipant(participant) }
    let ofSession = sessions[session]?.participant
    try require(session == .exchange || ofSession != nil, .unknownSession)
    let owner = participant == .exchange ? ofSession ?? .exchange : participant
    try requireOwn(owner, command, .foreignParticipant)
    if account != .null {
      try requireAccount(account)
      try require(accounts[account]?.participant == owner, .foreignAccount)
    }
    try require(session == .exchange || ofSession == owner, .foreignSession)
    if instrument != .null { _ = try requireInstrument(instrument) }
    return owner
  }

  /// Cancels the chosen orders of a position: asks, then bids, in price-time order.
  mutating func cancelAll(
    _ key: PositionKey, _ reason: CancelReason, where isChosen: (ModelOrder) -> Bool
  ) {
    for side in [Side.sell, .buy] {
      let chosen = orders.values.filter {
        $0.position == key && $0.side == side && isChosen($0)
      }.sorted { a, b in
        a.price == b.price ? a.arrival < b.arrival : side.isBetter(a.price, than: b.price)
      }
      for order in chosen { cancelWhole(order.id, reason) }
    }
  }

  /// Ends the standing instruction of a position if it is chosen; its session is told.
  private mutating func endAgent(_ key: PositionKey, where isChosen: (ModelAgent) -> Bool) {
    guard let agent = position(key)?.agent, isChosen(agent) else { return }
    change(key) { $0.agent = nil }
    emit(
      .order(
        .agentSet(
          SetAgentDone(
            agent: SetAgent(account: key.account, instrument: agent.instruction.instrument),
            session: agent.session, clientSequence: 0))))
  }

  // MARK: Blocks

  mutating func setBlock(_ block: SetBlock, _ command: Command) throws(Refusal) {
    let named = try requireOne(block.participant, block.account, block.session, command)
    if !block.releases {
      if isOperator(command) {
        blockedByOperators.insert(named)
      } else {
        blockedByAdministrators.insert(named)
      }
    } else if isOperator(command) {
      blockedByOperators.remove(named)
      blockedByAdministrators.remove(named)
    } else {
      try require(!blockedByOperators.contains(named), .setByOperator)
      blockedByAdministrators.remove(named)
    }
    emit(.reference(.blockSet(block)))
    if !block.releases, !block.keepsOrders {
      for key in positions.map(\.key) {
        let owner = accounts[key.account]?.participant ?? .exchange
        switch named {
        case .participant(owner), .account(key.account):
          cancelAll(key, .blocked) { _ in true }
          endAgent(key) { _ in true }
        case .session(let session) where owner == sessions[session]?.participant:
          cancelAll(key, .blocked) { $0.session == session }
          endAgent(key) { $0.session == session }
        default: break
        }
      }
    }
    drain()
    acknowledge(command)
  }

  /// Exactly one of the three is named; it exists, and the sender may name it.
  func requireOne(
    _ participant: ParticipantId, _ account: AccountId, _ session: SessionId, _ command: Command
  ) throws(Refusal) -> ModelSubject {
    var named: [ModelSubject] = []
    if participant != .exchange { named.append(.participant(participant)) }
    if account != .null { named.append(.account(account)) }
    if session != .exchange { named.append(.session(session)) }
    try require(
      named.count == 1, .badDefinition, Int64(named.count),
      participant != .exchange ? .participant : .account)
    switch named[0] {
    case .participant(let participant):
      try requireParticipant(participant)
      try requireOwn(participant, command, .foreignParticipant)
    case .account(let account):
      try requireAccount(account)
      try requireOwn(accounts[account]?.participant, command, .foreignAccount)
    case .session(let session):
      try require(sessions[session] != nil, .unknownSession)
      try requireOwn(sessions[session]?.participant, command, .foreignSession)
    }
    return named[0]
  }

  /// The account is open, and neither its participant nor the account nor the session is blocked.
  func requireUnblocked(_ session: SessionId, _ account: AccountId) throws(Refusal) {
    try requireOpen(account)
    let owner = accounts[account]?.participant ?? .exchange
    let blocked = blockedByOperators.union(blockedByAdministrators)
    try require(!blocked.contains(.participant(owner)), .blocked, 1)
    try require(!blocked.contains(.account(account)), .blocked, 2)
    try require(!blocked.contains(.session(session)), .blocked, 3)
  }
}

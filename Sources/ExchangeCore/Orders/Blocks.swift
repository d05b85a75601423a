// Blocking participants, accounts and sessions (section 13).

import MarketModel

extension Exchange {
  /// Blocks or releases what the command names. A block cancels the orders and the standing
  /// instructions unless they are to be kept. Linear in the numbers of accounts and of positions.
  mutating func setBlock(_ block: SetBlock, _ request: Request) {
    if let refusal = validate(block, request) {
      return reject(refusal, request, account: block.account)
    }
    mark(block, byOperator: isOperator(request))
    emit(.reference(.blockSet(block)))
    if !block.releases, !block.keepsOrders { cancelBlocked(block) }
    drain()
    acknowledge(request)
  }

  private func validate(_ block: SetBlock, _ request: Request) -> Refusal? {
    if let refusal = permission(request, Roles.administrations) { return refusal }
    let (participant, account, session) = (
      block.participant != .exchange, block.account != .null, block.session != .exchange
    )
    let named = UInt32(participant.word &+ account.word &+ session.word)
    if named != 1 {
      return Refusal(.badDefinition, named, participant ? .participant : .account)
    }
    let subject = Subject(block.participant, block.account, block.session)
    if let refusal = validate(subject, request) { return refusal }
    if !block.releases || isOperator(request) { return nil }
    return blocks(of: subject).isByOperator ? Refusal(.setByOperator) : nil
  }

  private func blocks(of subject: Subject) -> Blocks {
    switch subject {
    case .participant(let participant): restrictions.participants[participant.rawValue].blocks
    case .account(let account): restrictions.accounts[account.rawValue].blocks
    case .session(let session): restrictions.sessions[session.rawValue].blocks
    }
  }

  private mutating func mark(_ block: SetBlock, byOperator: Bool) {
    let subject = Subject(block.participant, block.account, block.session)
    var blocks = blocks(of: subject)
    if block.releases {
      blocks.release(byOperator: byOperator)
    } else {
      blocks.block(byOperator: byOperator)
    }
    switch subject {
    case .account(let account):
      restrictions.accounts[account.rawValue].blocks = blocks
      markRestricted(account.rawValue)
    case .session(let session):
      restrictions.sessions[session.rawValue].blocks = blocks
      reference.sessions[session.rawValue].isRestricted = blocks.isAny
    case .participant(let participant):
      restrictions.participants[participant.rawValue].blocks = blocks
      noteScanned(capacity.accounts)
      for number in stride(from: 1, through: capacity.accounts, by: 1)
      where accounts[number].exists && accounts[number].participant == participant.rawValue {
        markRestricted(number)
      }
    }
  }

  private mutating func cancelBlocked(_ block: SetBlock) {
    let isSession = block.session != .exchange
    let participant =
      isSession
      ? ParticipantId(reference.sessions[block.session.rawValue].participant) : block.participant
    noteScanned(balances.positionCount)
    for position in stride(from: 1, through: balances.positionCount, by: 1)
    where isSelected(balances.positions[position].account, participant, block.account) {
      for side in [Side.sell, .buy] {
        cancelAll(position, side, .blocked) {
          !isSession || $0.session == block.session.rawValue
        }
      }
      if !isSession || balances.agents[position].session == block.session.rawValue {
        endAgent(position)
      }
    }
  }

  /// Whether an account exists and is the named one, or of the participant where none is named.
  func isSelected(_ account: UInt32, _ participant: ParticipantId, _ named: AccountId) -> Bool {
    if named != .null { return named.rawValue == account }
    return accounts[account].exists && accounts[account].participant == participant.rawValue
  }

  /// Ends the standing instruction of a position, if it has one, and reports it to its session.
  mutating func endAgent(_ position: UInt32) {
    if !balances.positions[position].hasAgent { return }
    let agent = balances.agents[position]
    balances.positions[position].hasAgent = false
    balances.agents[position] = Agent(
      instrument: 0, session: agent.session, sells: false, buys: false, sellPrice: 0, sellAbove: 0,
      buyPrice: 0, buyBelow: 0, target: -1)
    invariant(agent.instrument != 0, "an instruction names an instrument")
    emit(
      .order(
        .agentSet(
          SetAgentDone(
            agent: SetAgent(
              account: AccountId(balances.positions[position].account),
              instrument: InstrumentId(agent.instrument)),
            session: SessionId(agent.session), clientSequence: 0))))
  }
}

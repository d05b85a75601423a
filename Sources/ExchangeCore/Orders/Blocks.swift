// Blocking participants, accounts and sessions (section 13).

import MarketModel

extension Exchange {
  /// Blocks or releases what the command names. A block cancels the orders and the standing
  /// instructions unless they are to be kept. Linear in the numbers of accounts and of positions.
  mutating func setBlock(_ block: SetBlock, _ request: Request) {
    if let refusal = validate(block, request) {
      return reject(refusal, request, account: block.account)
    }
    mark(block)
    emit(.reference(.blockSet(block)))
    if !block.releases, !block.keepsOrders { cancelBlocked(block) }
    drain()
    acknowledge(request)
  }

  private func validate(_ block: SetBlock, _ request: Request) -> Refusal? {
    if let refusal = permission(request, .administration) { return refusal }
    let named = [
      block.participant != .exchange, block.account != .null, block.session != .exchange,
    ].count { $0 }
    if named != 1 { return Refusal(.badDefinition, UInt32(named)) }
    if block.account != .null {
      return exists(block.account) ? nil : Refusal(.unknownAccount, capacity.accounts)
    }
    if block.session != .exchange { return validateSession(block.session) }
    return exists(block.participant)
      ? nil : Refusal(.unknownParticipant, capacity.participants)
  }

  private mutating func mark(_ block: SetBlock) {
    if block.account != .null {
      restrictions.accounts[block.account.rawValue].isBlocked = !block.releases
      markRestricted(block.account.rawValue)
    } else if block.session != .exchange {
      restrictions.sessions[block.session.rawValue].isBlocked = !block.releases
      reference.sessions[block.session.rawValue].isRestricted = !block.releases
    } else {
      restrictions.participants[block.participant.rawValue].isBlocked = !block.releases
      for number in stride(from: 1, through: capacity.accounts, by: 1)
      where accounts[number].exists && accounts[number].participant == block.participant.rawValue {
        markRestricted(number)
      }
    }
  }

  private mutating func cancelBlocked(_ block: SetBlock) {
    let isSession = block.session != .exchange
    let participant =
      isSession
      ? ParticipantId(reference.sessions[block.session.rawValue].participant) : block.participant
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

// Section 2, "Keys" and "Numbers".

import ExchangeCore
import MarketModel

extension ReferenceModel {
  mutating func registerSession(_ command: RegisterSession, _ sent: Command) throws(Refusal) {
    var definition = command
    let former = sessions[definition.session]
    if rules >= 4, let former, definition.roles == [], definition.participant.rawValue == 0 {
      (definition.participant, definition.publicKey) = (former.participant, former.publicKey)
    }
    try requireNumber(definition.session.rawValue, capacity.sessions, .sessionId)
    try requireParticipant(definition.participant)
    let known: UInt8 = rules < 4 ? 0b1111 : 0b1101111
    try require(
      definition.roles.rawValue & ~known == 0, .badDefinition, Int64(definition.roles.rawValue),
      .roles)
    try requireGrant(definition, sent)
    if rules >= 4, let former {
      try require(
        definition.participant == former.participant, .sessionOfAnother,
        Int64(former.participant.rawValue))
      let administrators = sessions.values.filter { $0.roles.contains(.administration) }
      let isLast = administrators.map(\.session) == [definition.session]
      try require(!isLast || definition.roles.contains(.administration), .lastAdministrator)
    }
    sessions[definition.session] = definition
    notes[definition.session] = nil
    emit(.reference(.sessionRegistered(definition)))
    if let former {
      let isKeyGone = definition.roles == [] || former.publicKey != definition.publicKey
      if rules >= 4, isKeyGone { stopInstructions(of: definition.session) }
      let isRevoked = definition.roles == [] && definition.orders == .standard
      if definition.orders == .cancel || (rules >= 5 && isRevoked) {
        cancelOrders(of: definition.session, former.participant)
        drain()
      }
    }
    acknowledge(sent)
  }

  private mutating func stopInstructions(of session: SessionId) {
    for position in positions {
      guard let agent = position.agent, agent.session == session else { continue }
      change(position.key) { $0.agent = nil }
      let removed = SetAgent(
        account: agent.instruction.account, instrument: agent.instruction.instrument)
      emit(
        .order(.agentSet(SetAgentDone(agent: removed, session: session, clientSequence: 0))))
    }
  }

  private mutating func cancelOrders(of session: SessionId, _ participant: ParticipantId) {
    for key in positions.map(\.key) where accounts[key.account]?.participant == participant {
      for side in [Side.sell, .buy] {
        let chosen = orders.values.filter {
          $0.position == key && $0.side == side && $0.session == session
        }.sorted { a, b in
          a.price == b.price ? a.arrival < b.arrival : side.isBetter(a.price, than: b.price)
        }
        for order in chosen { cancelWhole(order.id, .revoked) }
      }
    }
  }

  mutating func resetNumbers(_ which: ResetNumbers, _ command: Command) throws(Refusal) {
    let names = (session: which.session != .exchange, account: which.account != .null)
    try require(
      names.session != names.account, .badDefinition, Int64(which.session.rawValue),
      .sessionId)
    if names.session {
      try require(sessions[which.session] != nil, .unknownSession)
    } else {
      try requireAccount(which.account)
      let open = orders.values.count { $0.account == which.account }
      try require(open == 0, .accountHasOrders, Int64(open))
      accounts[which.account]?.lastClientOrderId = .engine
    }
    emit(.reference(.numbersReset(which)))
    acknowledge(command)
  }
}

// Registering session identities (section 2, "Keys"): a key that is replaced or revoked takes the
// standing instructions of the session with it, and its open orders if the operator says so.

import MarketModel

extension Exchange {
  /// Registers a session, or replaces its key and roles. Constant time for a new session; else
  /// linear in the number of all sessions, and of all positions and the participant's orders.
  mutating func registerSession(_ command: RegisterSession, _ request: Request) {
    let new = completed(command)
    if let refusal = validate(new, request) { return reject(refusal, request) }
    let former = reference.sessions[new.session.rawValue]
    if former.exists { restrictions.uncountSession(of: former.participant) }
    restrictions.countSession(of: new.participant.rawValue)
    reference.sessions[new.session.rawValue] = Session(new, isRestricted: former.isRestricted)
    invariant(validateSession(new.session) == nil, "the registered session exists")
    invariant(
      reference.participants[reference.sessions[new.session.rawValue].participant].exists,
      "a session's participant exists")
    emit(.reference(.sessionRegistered(new)))
    if former.exists { noteScanned(balances.positionCount) }
    if rules >= 4, former.exists, new.roles == [] || former.publicKey != new.publicKey {
      stopInstructions(of: new.session)
    }
    if former.exists, cancelsOrders(new) {
      cancelOrders(of: new.session, participant: former.participant)
      drain()
    }
    acknowledge(request)
  }

  /// Whether the open orders of a session that is registered again are cancelled.
  private func cancelsOrders(_ new: RegisterSession) -> Bool {
    switch new.orders {
    case .standard: rules >= 5 && new.roles == []
    case .cancel: true
    case .keep: false
    }
  }

  /// The command with what a revocation may leave out, from version 4 on: participant and key of
  /// the session as it is.
  private func completed(_ command: RegisterSession) -> RegisterSession {
    if rules < 4 || command.roles != [] || command.participant.rawValue != 0
      || validateSession(command.session) != nil
    {
      return command
    }
    var new = command
    let known = reference.sessions[new.session.rawValue]
    (new.participant, new.publicKey) = (ParticipantId(known.participant), known.publicKey)
    return new
  }

  private func validate(_ new: RegisterSession, _ request: Request) -> Refusal? {
    let number = new.session.rawValue
    if let refusal = validateDefinition(
      request, number, of: capacity.sessions, .sessionId, Roles.administrations)
    {
      return refusal
    }
    guard exists(new.participant) else {
      return Refusal(.unknownParticipant, capacity.participants)
    }
    guard knownRoles.isSuperset(of: new.roles) else {
      return Refusal(.badDefinition, UInt32(new.roles.rawValue), .roles)
    }
    if let refusal = validateGrant(new, request) { return refusal }
    invariant(number <= capacity.sessions, "the session is within the table")
    let former = reference.sessions[number]
    if rules < 4 || !former.exists { return nil }
    if former.participant != new.participant.rawValue {
      return Refusal(.sessionOfAnother, former.participant)
    }
    if new.roles.contains(.administration) || administers(number) == false { return nil }
    let isLast = !(1...capacity.sessions).contains { $0 != number && administers($0) }
    return isLast ? Refusal(.lastAdministrator) : nil
  }

  private func administers(_ session: UInt32) -> Bool {
    reference.sessions[session].roles & Roles.administration.rawValue != 0
  }

  /// Removes the standing instructions that the session left, by position.
  private mutating func stopInstructions(of session: SessionId) {
    for position in stride(from: 1, through: balances.positionCount, by: 1)
    where balances.agents[position].session == session.rawValue {
      endAgent(position)
    }
  }

  /// Cancels all orders of the session at accounts of `participant`, by position in order of
  /// creation.
  private mutating func cancelOrders(of session: SessionId, participant: UInt32) {
    for position in stride(from: 1, through: balances.positionCount, by: 1)
    where accounts[balances.positions[position].account].participant == participant {
      for side in [Side.sell, .buy] {
        cancelAll(position, side, .revoked) { $0.session == session.rawValue }
      }
    }
  }
}

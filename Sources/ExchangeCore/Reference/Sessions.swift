// Session identities, each with a key, a set of roles and a participant; and the permissions of a
// session (section 11, "All").

import MarketModel

/// A session identity.
struct Session: BitwiseCopyable {
  var exists: Bool
  var roles: UInt8
  /// Whether it is blocked, so that orders must look at the restrictions
  /// (Restrictions.swift).
  var isRestricted = false
  var participant: UInt32
  var publicKey: PublicKey
}

extension Exchange {
  func validateSession(_ session: SessionId) -> Refusal? {
    session.rawValue >= 1 && session.rawValue <= capacity.sessions
      && reference.sessions[session.rawValue].exists ? nil : Refusal(.unknownSession)
  }

  /// Refuses unless the session has one of `roles`.
  @inline(__always) func permission(_ request: Request, _ roles: Roles) -> Refusal? {
    if request.isExchange { return nil }
    let number = request.session.rawValue
    guard number <= capacity.sessions, reference.sessions[number].exists,
      reference.sessions[number].roles != 0
    else {
      return Refusal(.unknownSession)
    }
    if reference.sessions[number].roles & roles.rawValue != 0 { return nil }
    return Refusal(.notPermitted, UInt32(roles.intersection(knownRoles).rawValue))
  }

  /// The roles that the rules in force know.
  private var knownRoles: Roles { rules < 4 ? .first : .all }

  mutating func registerSession(_ new: RegisterSession, _ request: Request) {
    var refusal = validateDefinition(
      request, new.session.rawValue, of: capacity.sessions, Roles.administrations)
    if refusal == nil, !exists(new.participant) {
      refusal = Refusal(.unknownParticipant, capacity.participants)
    }
    if refusal == nil, !knownRoles.isSuperset(of: new.roles) {
      refusal = Refusal(.badDefinition, UInt32(new.roles.rawValue))
    }
    if let refusal = refusal ?? validateGrant(new, request) { return reject(refusal, request) }
    invariant(new.session.rawValue <= capacity.sessions, "the session is within the table")
    let former = reference.sessions[new.session.rawValue]
    if former.exists { restrictions.uncountSession(of: former.participant) }
    restrictions.countSession(of: new.participant.rawValue)
    reference.sessions[new.session.rawValue] = Session(
      exists: true, roles: new.roles.rawValue,
      isRestricted: former.isRestricted, participant: new.participant.rawValue,
      publicKey: new.publicKey)
    invariant(validateSession(new.session) == nil, "the registered session exists")
    invariant(
      reference.participants[reference.sessions[new.session.rawValue].participant].exists,
      "a session's participant exists")
    emit(.reference(.sessionRegistered(new)))
    acknowledge(request)
  }

  /// Ends a session's connections: the gateways do it when they learn of the event.
  mutating func cutSession(_ cut: CutSession, _ request: Request) {
    let refusal =
      permission(request, Roles.administrations) ?? validateSession(cut.session)
      ?? validateOwn(
        reference.sessions[cut.session.rawValue].participant, request, Refusal(.foreignSession))
    if let refusal { return reject(refusal, request) }
    invariant(validateSession(cut.session) == nil, "the session is registered")
    emit(.session(.sessionCut(cut)))
    acknowledge(request)
  }

  /// Records that a FIXP session version began or was resumed. The gateway uses the event to number
  /// the session's reports after a restart.
  mutating func beginSession(_ session: BeginSession, _ request: Request) {
    if let refusal = permission(request, []) ?? validateSession(session.session) {
      return reject(refusal, request)
    }
    invariant(request.isExchange, "only the gateway begins a session")
    invariant(
      reference.participants[reference.sessions[session.session.rawValue].participant].exists,
      "a session's participant exists")
    emit(.session(.sessionBegan(session)))
  }
}

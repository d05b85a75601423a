// What a participant's administrator may define (section 15): accounts and sessions of its own
// participant, with roles that it can grant, and only a part of the free numbers.

import MarketModel

extension Exchange {
  /// The roles that a participant's administrator can give to a session.
  static var grantable: Roles { [.trading, .dropCopy] }

  /// Whether the sender may act for every participant.
  func isOperator(_ request: Request) -> Bool {
    request.isExchange
      || reference.sessions[request.session.rawValue].roles & Roles.administration.rawValue != 0
  }

  /// Refuses a participant's administrator that acts for another participant.
  func validateOwn(_ participant: UInt32, _ request: Request, _ refusal: Refusal)
    -> Refusal?
  {
    isOperator(request)
      || reference.sessions[request.session.rawValue].participant == participant
      ? nil : refusal
  }

  /// Refuses a session that a participant's administrator may not register so.
  func validateGrant(_ new: RegisterSession, _ request: Request) -> Refusal? {
    if isOperator(request) { return nil }
    if let refusal = validateOwn(new.participant.rawValue, request, Refusal(.foreignParticipant)) {
      return refusal
    }
    let former = reference.sessions[new.session.rawValue]
    if former.exists, former.participant != new.participant.rawValue {
      return Refusal(.foreignSession)
    }
    let roles = Roles(rawValue: former.roles).union(new.roles)
    if !Exchange.grantable.isSuperset(of: roles) {
      return Refusal(.roleNotGrantable, UInt32(Exchange.grantable.rawValue))
    }
    if former.exists { return nil }
    let own = restrictions.participants[new.participant.rawValue]
    let others = restrictions.sessionCount - own.sessionCount
    return validatePart(own.sessionCount, others, of: capacity.sessions, own.sessions)
  }

  /// Refuses an account that a participant's administrator may not open.
  func validateGrant(_ new: CreateAccount, _ request: Request) -> Refusal? {
    if isOperator(request) { return nil }
    if let refusal = validateOwn(new.participant.rawValue, request, Refusal(.foreignParticipant)) {
      return refusal
    }
    let own = restrictions.participants[new.participant.rawValue]
    let others = restrictions.accountCount - own.accountCount
    return validatePart(own.accountCount, others, of: capacity.accounts, own.accounts)
  }

  /// Refuses when a participant has a quarter of what others leave free, or the operator's limit.
  private func validatePart(
    _ own: UInt32, _ others: UInt32, of capacity: UInt32, _ limit: LimitPair
  ) -> Refusal? {
    invariant(others <= capacity, "what others have is within the table")
    let quarter = (Int64(capacity) - Int64(others) + 3) / 4
    let most = limit.inForce == 0 ? quarter : min(quarter, limit.inForce)
    return Int64(own) < most ? nil : Refusal(.participantPart, most)
  }
}

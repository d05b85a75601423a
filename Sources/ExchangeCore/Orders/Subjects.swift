// What a block or a limit names: a participant, an account or a session.

import MarketModel

/// The one of three numbers that is given.
enum Subject {
  case participant(ParticipantId)
  case account(AccountId)
  case session(SessionId)

  /// The first of them that is not null; the participant otherwise.
  init(_ participant: ParticipantId, _ account: AccountId, _ session: SessionId) {
    self =
      if account != .null {
        .account(account)
      } else {
        session != .exchange ? .session(session) : .participant(participant)
      }
  }
}

extension Exchange {
  /// Refuses what does not exist or is not of the sender's participant; an operator may name all.
  func validate(_ subject: Subject, _ request: Request) -> Refusal? {
    switch subject {
    case .participant(let participant):
      guard exists(participant) else {
        return Refusal(.unknownParticipant, capacity.participants)
      }
      return validateOwn(participant.rawValue, request, Refusal(.foreignParticipant))
    case .account(let account):
      guard exists(account) else { return Refusal(.unknownAccount, capacity.accounts) }
      return validateOwn(accounts[account.rawValue].participant, request, Refusal(.foreignAccount))
    case .session(let session):
      return validateSession(session)
        ?? validateOwn(
          reference.sessions[session.rawValue].participant, request, Refusal(.foreignSession))
    }
  }
}

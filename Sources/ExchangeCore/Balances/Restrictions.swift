// What operators forbid: blocks of participants, accounts and sessions (section 13). The rows of
// accounts and sessions have a mark that says whether an order must look here.
//
//     order ─▶ session row, account row: a mark? ── no ──▶ on
//                                          └──── yes ───▶ Restrictions

import MarketModel

/// The restrictions of a participant.
struct ParticipantRestriction: BitwiseCopyable {
  var isBlocked: Bool
}

/// The restrictions of a session.
struct SessionRestriction: BitwiseCopyable {
  var isBlocked: Bool
}

/// The restrictions of an account.
struct AccountRestriction: BitwiseCopyable {
  var isBlocked: Bool
}

/// What is restricted, by number.
struct Restrictions: ~Copyable, StateComponent {
  let participants: Table<ParticipantRestriction>
  let sessions: Table<SessionRestriction>
  let accounts: Table<AccountRestriction>

  init(capacity: Capacity) {
    participants = Table(capacity: Int(capacity.participants) + 1)
    sessions = Table(capacity: Int(capacity.sessions) + 1)
    accounts = Table(capacity: Int(capacity.accounts) + 1)
  }

  static func add(to layout: inout StateLayout) {
    layout.add(ParticipantRestriction.self)
    layout.add(SessionRestriction.self)
    layout.add(AccountRestriction.self)
  }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.restrictions.participants.write(to: sink)
    exchange.restrictions.sessions.write(to: sink)
    exchange.restrictions.accounts.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.restrictions.participants.read(from: source)
    exchange.restrictions.sessions.read(from: source)
    exchange.restrictions.accounts.read(from: source)
  }

  /// Folds what is restricted only, so that states of older journals keep their hashes.
  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    for number in stride(from: 1, through: exchange.capacity.participants, by: 1)
    where exchange.restrictions.participants[number].isBlocked {
      hash.fold(UInt64(number) << 32 | Blocked.participant.word)
    }
    for number in stride(from: 1, through: exchange.capacity.sessions, by: 1)
    where exchange.restrictions.sessions[number].isBlocked {
      hash.fold(UInt64(number) << 32 | Blocked.session.word)
    }
    for number in stride(from: 1, through: exchange.capacity.accounts, by: 1)
    where exchange.accounts[number].isRestricted {
      if exchange.restrictions.accounts[number].isBlocked {
        hash.fold(UInt64(number) << 32 | Blocked.account.word)
      }
    }
  }

  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {
    for number in stride(from: 1, through: exchange.capacity.accounts, by: 1)
    where exchange.accounts[number].isRestricted != exchange.hasRestriction(account: number) {
      violations.append("account \(number): its mark differs from its restrictions")
    }
    for number in stride(from: 1, through: exchange.capacity.sessions, by: 1)
    where exchange.reference.sessions[number].isRestricted
      != exchange.restrictions.sessions[number].isBlocked
    {
      violations.append("session \(number): its mark differs from its restrictions")
    }
  }
}

/// What a block names; the limit of its reject.
enum Blocked: UInt32 {
  case participant = 1
  case account = 2
  case session = 3

  var word: UInt64 { UInt64(rawValue) }
}

extension Exchange {
  /// Whether an order of the session for the account must look at the restrictions.
  @inline(__always) func isRestricted(_ session: SessionId, _ account: AccountId) -> Bool {
    reference.sessions[session.rawValue].isRestricted || accounts[account.rawValue].isRestricted
  }

  /// Refuses what a block forbids: of the account's participant, of the account, of the session.
  @inline(__always) func validateUnblocked(_ session: SessionId, _ account: AccountId) -> Refusal? {
    isRestricted(session, account) ? block(of: session, account) : nil
  }

  @inline(never) func block(of session: SessionId, _ account: AccountId) -> Refusal? {
    let blocked: Blocked? =
      if restrictions.participants[accounts[account.rawValue].participant].isBlocked {
        .participant
      } else if restrictions.accounts[account.rawValue].isBlocked {
        .account
      } else {
        restrictions.sessions[session.rawValue].isBlocked ? .session : nil
      }
    return blocked.map { Refusal(.blocked, $0.rawValue) }
  }

  /// Whether anything restricts the account, which need not exist.
  func hasRestriction(account number: UInt32) -> Bool {
    if !accounts[number].exists { return false }
    return restrictions.accounts[number].isBlocked
      || restrictions.participants[accounts[number].participant].isBlocked
  }

  /// Sets the mark of an account whose restrictions, or those of its participant, changed.
  func markRestricted(_ number: UInt32) {
    accounts[number].isRestricted = hasRestriction(account: number)
  }
}

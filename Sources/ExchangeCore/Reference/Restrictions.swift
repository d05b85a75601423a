// What operators and participants' administrators restrict: blocks (section 13) and limits (section
// 14); and how many accounts and sessions each participant has, which bounds its administrator.
//
//     order ─▶ session row, account row: marked? ── no ──▶ on
//                                         └──────── yes ─▶ Restrictions

import MarketModel

/// Who blocks: the operator, the participant's administrator, or both.
struct Blocks: BitwiseCopyable {
  private var bits: UInt8

  /// Whether anybody does.
  var isAny: Bool { bits != 0 }
  /// Whether the operator does.
  var isByOperator: Bool { bits & 1 != 0 }
  /// Whether the participant's administrator does.
  var isByAdministrator: Bool { bits & 2 != 0 }
  /// What the state hash folds.
  var hashed: UInt8 { bits }

  /// Blocks for the operator or for the administrator.
  mutating func block(byOperator: Bool) { bits |= byOperator ? 1 : 2 }

  /// Releases: the operator ends both blocks, the administrator its own.
  mutating func release(byOperator: Bool) { bits &= byOperator ? 0 : 1 }
}

/// A limit as the operator and as the participant's administrator set it; 0: none.
struct LimitPair: BitwiseCopyable {
  var ofOperator: Int64
  var ofAdministrator: Int64

  /// The lower of both; 0: none.
  var inForce: Int64 {
    if ofOperator == 0 || ofAdministrator == 0 { return ofOperator | ofAdministrator }
    return min(ofOperator, ofAdministrator)
  }
}

/// The restrictions of a participant, and what it has.
struct ParticipantRestriction: BitwiseCopyable {
  var blocks: Blocks
  /// Number of its accounts and sessions.
  var accountCount: UInt32
  var sessionCount: UInt32
  /// The most accounts and sessions to which its administrator may bring it.
  var accounts: LimitPair
  var sessions: LimitPair
}

/// The restrictions of a session.
struct SessionRestriction: BitwiseCopyable {
  var blocks: Blocks
  /// Messages per second; the gateway applies the limit.
  var messages: LimitPair
}

/// The restrictions of an account.
struct AccountRestriction: BitwiseCopyable {
  var blocks: Blocks
  /// Largest order, Wh.
  var orderQuantity: LimitPair
  /// Most open orders.
  var openOrders: LimitPair
  /// Notional of orders entered in a day, 1e-8.
  var dailyNotional: LimitPair
  /// Cash reserved in one currency, 1e-8.
  var cashAtRisk: LimitPair
  /// The day of `entered`, days since 1970.
  var day: UInt64
  /// Notional of the orders entered on that day, 1e-8; counted while `dailyNotional` is set.
  var entered: Int64

  /// Whether an order must look at this row.
  var isAny: Bool {
    blocks.isAny || orderQuantity.inForce != 0 || openOrders.inForce != 0
      || dailyNotional.inForce != 0 || cashAtRisk.inForce != 0
  }
}

/// What is restricted, by number.
struct Restrictions: ~Copyable, StateComponent {
  let participants: Table<ParticipantRestriction>
  let sessions: Table<SessionRestriction>
  let accounts: Table<AccountRestriction>
  /// The highest account that was ever restricted.
  var highestAccount: UInt32 = 0
  /// Number of all participants' accounts and sessions.
  var accountCount: UInt32 = 0
  var sessionCount: UInt32 = 0

  init(capacity: Capacity) {
    participants = Table(capacity: Int(capacity.participants) + 1)
    sessions = Table(capacity: Int(capacity.sessions) + 1)
    accounts = Table(capacity: Int(capacity.accounts) + 1)
  }

  /// Counts an account of the participant.
  mutating func countAccount(of participant: UInt32) {
    accountCount &+= 1  // At most the capacity.
    participants[participant].accountCount &+= 1
  }

  /// Counts a session of the participant.
  mutating func countSession(of participant: UInt32) {
    sessionCount &+= 1  // At most the capacity.
    participants[participant].sessionCount &+= 1
  }

  /// Counts a session no longer, because it moves to another participant.
  mutating func uncountSession(of participant: UInt32) {
    sessionCount &-= 1
    participants[participant].sessionCount &-= 1
  }
}

// MARK: - Its image and hash

extension Restrictions {
  struct Counters: BitwiseCopyable {
    var highestAccount, accountCount, sessionCount: UInt32
  }

  static func add(to layout: inout StateLayout) {
    layout.add(Counters.self)
    layout.add(ParticipantRestriction.self)
    layout.add(SessionRestriction.self)
    layout.add(AccountRestriction.self)
  }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.restrictions.write(to: sink)
  }

  private func write(to sink: any StateSink) {
    sink.put(
      Counters(
        highestAccount: highestAccount, accountCount: accountCount, sessionCount: sessionCount))
    participants.write(to: sink)
    sessions.write(to: sink)
    accounts.write(to: sink, used: Int(highestAccount) + 1)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    let counters = source.get(Counters.self)
    exchange.restrictions.highestAccount = counters.highestAccount
    exchange.restrictions.accountCount = counters.accountCount
    exchange.restrictions.sessionCount = counters.sessionCount
    exchange.restrictions.participants.read(from: source)
    exchange.restrictions.sessions.read(from: source)
    exchange.restrictions.accounts.read(from: source)
  }

  /// Folds what is restricted only, so that states of older journals keep their hashes.
  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    exchange.restrictions.fold(into: &hash)
  }

  private func fold(into hash: inout WordHash) {
    for number in 0..<UInt32(participants.capacity) {
      let row = participants[number]
      hash.fold(row.blocks, number, of: .participant)
      for pair in [row.accounts, row.sessions] { hash.fold(pair) }
    }
    for number in 0..<UInt32(sessions.capacity) {
      hash.fold(sessions[number].blocks, number, of: .session)
      hash.fold(sessions[number].messages)
    }
    for number in 0...highestAccount {
      let row = accounts[number]
      hash.fold(row.blocks, number, of: .account)
      for pair in [row.orderQuantity, row.openOrders, row.dailyNotional, row.cashAtRisk] {
        hash.fold(pair)
      }
      if row.day != 0 {
        hash.fold(row.day)
        hash.fold(row.entered)
      }
    }
  }
}

extension WordHash {
  /// Folds who blocks something, if anybody does.
  fileprivate mutating func fold(_ blocks: Blocks, _ number: UInt32, of kind: Blocked) {
    if blocks.isAny { fold(UInt64(number) << 32 | kind.word << 8 | UInt64(blocks.hashed)) }
  }

  /// Folds a limit that is set.
  fileprivate mutating func fold(_ pair: LimitPair) {
    if pair.inForce == 0 { return }
    fold(pair.ofOperator)
    fold(pair.ofAdministrator)
  }
}

/// What a block names; the limit of its reject.
enum Blocked: UInt32 {
  case participant = 1
  case account = 2
  case session = 3

  var word: UInt64 { UInt64(rawValue) }
}

// Accounts: they own cash and energy; sessions of their participant may trade for them (section 11,
// "Account of the client").

import MarketModel

/// A participant's account.
struct Account: BitwiseCopyable {
  /// The owner's number plus one, and the mark of a restricted account as the highest bit. 0: the
  /// account does not exist, since an empty row is all zeros.
  private var owner: UInt32
  var firstPosition: UInt32
  var lastPosition: UInt32
  var firstHolding: UInt32
  /// Highest client order id accepted so far.
  var lastClientOrderId: UInt64
  /// Highest operator reference accepted so far.
  var lastReference: UInt64

  private static let mark: UInt32 = 1 << 31
  /// The most participants that an exchange can have.
  static let mostParticipants = mark - 2

  var exists: Bool { owner != 0 }
  var participant: UInt32 {
    get { (owner & ~Account.mark) &- 1 }
    set { owner = owner & Account.mark | (newValue &+ 1) }
  }

  /// Whether the account is closed or has limits, or it or its participant is blocked, so that orders
  /// must look at the restrictions (AccountTerms.swift, Reference/Restrictions.swift).
  var isRestricted: Bool {
    @inline(__always) get { owner & Account.mark != 0 }
    set { owner = owner & ~Account.mark | (newValue ? Account.mark : 0) }
  }

  /// Whether the account exists, belongs to `participant` and is not restricted.
  @inline(__always) func tradesFreely(for participant: UInt32) -> Bool { owner == participant &+ 1 }
}

/// Accounts, by number.
struct Accounts: ~Copyable, StateComponent {
  private let rows: Table<Account>

  init(capacity: Capacity) { rows = Table(capacity: Int(capacity.accounts) + 1) }

  subscript(number: UInt32) -> Account {
    @inline(__always) unsafeAddress { UnsafePointer(rows.address(of: number)) }
    @inline(__always) nonmutating unsafeMutableAddress { rows.address(of: number) }
  }

  /// The address of an account's row, for prefetching.
  @inline(__always) func address(of number: UInt32) -> UnsafeMutablePointer<Account> {
    rows.address(of: number)
  }

  static func add(to layout: inout StateLayout) { layout.add(Account.self) }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.accounts.rows.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.accounts.rows.read(from: source)
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    for number in stride(from: 1, through: exchange.capacity.accounts, by: 1)
    where exchange.accounts[number].exists {
      let account = exchange.accounts[number]
      hash.fold(UInt64(number) << 32 | UInt64(account.participant))
      hash.fold(account.lastClientOrderId)
      hash.fold(account.lastReference)
      invariant(
        exchange.reference.participants[account.participant].exists,
        "the participant of an account exists")
    }
  }
}

// MARK: - The mark of restricted accounts

extension Accounts {
  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {
    var counts: [UInt32: UInt32] = [:]
    for number in stride(from: 1, through: exchange.capacity.accounts, by: 1)
    where exchange.accounts[number].exists {
      counts[exchange.accounts[number].participant, default: 0] += 1
      if exchange.accounts[number].isRestricted != exchange.hasRestriction(account: number) {
        violations.append("account \(number): its mark differs from its restrictions")
      }
    }
    for number in stride(from: 1, through: exchange.capacity.participants, by: 1)
    where exchange.restrictions.participants[number].accountCount != counts[number] ?? 0 {
      violations.append("participant \(number): it has \(counts[number] ?? 0) accounts")
    }
    for number in stride(from: 1, through: exchange.capacity.sessions, by: 1)
    where exchange.reference.sessions[number].isRestricted
      != exchange.restrictions.sessions[number].blocks.isAny
    {
      violations.append("session \(number): its mark differs from its restrictions")
    }
  }
}

extension Exchange {
  /// Whether an order of the session for the account must look at the restrictions.
  @inline(__always) func isRestricted(_ session: SessionId, _ account: AccountId) -> Bool {
    reference.sessions[session.rawValue].isRestricted || accounts[account.rawValue].isRestricted
  }

  /// Refuses what a closed account does not take, and what a block forbids: of the account's
  /// participant, of the account, of the session.
  @inline(__always) func validateUnblocked(_ session: SessionId, _ account: AccountId) -> Refusal? {
    isRestricted(session, account) ? block(of: session, account) : nil
  }

  @inline(never) func block(of session: SessionId, _ account: AccountId) -> Refusal? {
    if let refusal = validateOpen(account) { return refusal }
    let participant = accounts[account.rawValue].participant
    let blocked: Blocked? =
      if restrictions.participants[participant].blocks.isAny {
        .participant
      } else if restrictions.accounts[account.rawValue].blocks.isAny {
        .account
      } else {
        restrictions.sessions[session.rawValue].blocks.isAny ? .session : nil
      }
    return blocked.map { Refusal(.blocked, $0.rawValue) }
  }

  /// Whether anything restricts the account, which exists.
  func hasRestriction(account number: UInt32) -> Bool {
    restrictions.accounts[number].isAny || accountTerms[number].isClosed
      || restrictions.participants[accounts[number].participant].blocks.isAny
  }

  /// Sets the mark of an account whose restrictions, or those of its participant, changed.
  mutating func markRestricted(_ number: UInt32) {
    accounts[number].isRestricted = hasRestriction(account: number)
    if restrictions.accounts[number].isAny {
      restrictions.highestAccount = max(restrictions.highestAccount, number)
    }
  }
}

extension Exchange {
  /// Refuses a client order id that is not above the account's last one, so that a message that is
  /// sent again is applied once; from version 4 on one above the highest, which would leave the
  /// account no other.
  @inline(__always) func validateClientOrderId(_ id: ClientOrderId, _ account: AccountId)
    -> Refusal?
  {
    let last = accounts[account.rawValue].lastClientOrderId
    if id.rawValue <= last { return Refusal(.duplicateClientOrderId, last) }
    if id.rawValue <= Limit.clientOrderId || rules < 4 { return nil }
    return Refusal(.clientOrderIdTooHigh, Limit.clientOrderId)
  }

  @inline(__always) func exists(_ account: AccountId) -> Bool {
    account.rawValue >= 1 && account.rawValue <= capacity.accounts
      && accounts[account.rawValue].exists
  }

  /// Whether the session may trade for the account, neither is restricted, and the session has said
  /// nothing about its orders: four comparisons that decide nearly every order. If not, the rules ask
  /// in steps.
  @inline(__always) func tradesFreely(_ request: Request, for account: AccountId) -> Bool {
    request.session.rawValue <= capacity.sessions && account.rawValue <= capacity.accounts
      && reference.sessions[request.session.rawValue].tradesFreely
      && accounts[account.rawValue].tradesFreely(
        for: reference.sessions[request.session.rawValue].participant)
  }

  /// Refuses unless the session may trade for `account`.
  @inline(__always) func permission(_ request: Request, tradeFor account: AccountId) -> Refusal? {
    tradesFreely(request, for: account) ? nil : permissionInSteps(request, tradeFor: account)
  }

  @inline(never)
  private func permissionInSteps(_ request: Request, tradeFor account: AccountId) -> Refusal? {
    if let refusal = permission(request, .trading) { return refusal }
    guard exists(account) else { return Refusal(.unknownAccount, capacity.accounts) }
    return owns(request, account) ? nil : Refusal(.foreignAccount)
  }

  /// Refuses unless the session may cancel orders of `account`: it may trade for it, or, since version 5,
  /// administers the exchange or the account's participant.
  @inline(__always) func permission(_ request: Request, cancelFor account: AccountId) -> Refusal? {
    if permission(request, tradeFor: account) == nil { return nil }
    return permission(request, administerOrdersOf: account)
  }

  @inline(never)
  private func permission(_ request: Request, administerOrdersOf account: AccountId) -> Refusal? {
    if rules < 5 { return permission(request, tradeFor: account) }
    if let refusal = permission(request, Roles.administrations.union(.trading)) { return refusal }
    guard exists(account) else { return Refusal(.unknownAccount, capacity.accounts) }
    return isOperator(request) || owns(request, account) ? nil : Refusal(.foreignAccount)
  }

  /// Whether the session's participant owns the account. The exchange itself may act for every
  /// account.
  @inline(__always) func owns(_ request: Request, _ account: AccountId) -> Bool {
    request.isExchange
      || reference.sessions[request.session.rawValue].participant
        == accounts[account.rawValue].participant
  }

  mutating func createAccount(_ new: CreateAccount, _ request: Request) {
    var refusal = validateDefinition(
      request, new.account.rawValue, of: capacity.accounts, .account, Roles.administrations)
    if refusal == nil, exists(new.account) { refusal = Refusal(.alreadyExists) }
    if refusal == nil, !exists(new.participant) {
      refusal = Refusal(.unknownParticipant, capacity.participants)
    }
    refusal = refusal ?? validateGrant(new, request)
    if let refusal { return reject(refusal, request, account: new.account) }
    invariant(
      accounts[new.account.rawValue].firstPosition == 0
        && accounts[new.account.rawValue].firstHolding == 0,
      "a new account has no position and no cash")
    invariant(new.account.rawValue <= capacity.accounts, "the account is within the table")
    accounts[new.account.rawValue].participant = new.participant.rawValue
    if new.label != .empty { accountTerms[new.account.rawValue].label = new.label }
    restrictions.countAccount(of: new.participant.rawValue)
    markRestricted(new.account.rawValue)
    invariant(exists(new.account), "the created account exists")
    invariant(
      accounts[new.account.rawValue].participant == new.participant.rawValue,
      "the account belongs to its participant")
    emit(.reference(.accountCreated(new)))
    acknowledge(request)
  }
}

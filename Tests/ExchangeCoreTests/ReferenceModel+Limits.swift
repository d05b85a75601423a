// Limits (section 14) and what a participant's administrator may do (section 15).

import ExchangeCore
import MarketModel

/// A limit: of what, and of which kind.
struct ModelLimit: Hashable {
  let subject: ModelSubject
  let kind: LimitKind
}

extension ReferenceModel {
  // MARK: Administrators

  /// Whether the sender may act for every participant.
  func isOperator(_ command: Command) -> Bool {
    command.session == .exchange
      || sessions[command.session]?.roles.contains(.administration) == true
  }

  /// An administrator that is no operator acts for its own participant.
  func requireOwn(_ participant: ParticipantId?, _ command: Command, _ code: RejectCode)
    throws(Refusal)
  {
    try require(
      isOperator(command) || sessions[command.session]?.participant == participant, code)
  }

  func requireGrant(_ new: RegisterSession, _ command: Command) throws(Refusal) {
    if isOperator(command) { return }
    try requireOwn(new.participant, command, .foreignParticipant)
    let former = sessions[new.session]
    try require(former == nil || former?.participant == new.participant, .foreignSession)
    for roles in [former?.roles ?? [], new.roles] {
      try require(roles.isSubset(of: [.trading, .dropCopy]), .roleNotGrantable, 0b1001)
    }
    if former != nil { return }
    let own = sessions.values.filter { $0.participant == new.participant }.count
    try requirePart(
      own, of: Int(capacity.sessions), free: Int(capacity.sessions) - sessions.count,
      limit(.participant(new.participant), .sessions))
  }

  func requireGrant(_ new: CreateAccount, _ command: Command) throws(Refusal) {
    if isOperator(command) { return }
    try requireOwn(new.participant, command, .foreignParticipant)
    let own = accounts.values.filter { $0.participant == new.participant }.count
    try requirePart(
      own, of: Int(capacity.accounts), free: Int(capacity.accounts) - accounts.count,
      limit(.participant(new.participant), .accounts))
  }

  /// A participant has less than a quarter, rounded up, of what others leave free, and less than
  /// the limit.
  private func requirePart(_ own: Int, of capacity: Int, free: Int, _ limit: Int64?)
    throws(Refusal)
  {
    let quarter = Int64((free + own + 3) / 4)
    let most = min(quarter, limit ?? quarter)
    try require(Int64(own) < most, .participantPart, most)
  }

  mutating func cutSession(_ cut: CutSession, _ command: Command) throws(Refusal) {
    try require(sessions[cut.session] != nil, .unknownSession)
    try requireOwn(sessions[cut.session]?.participant, command, .foreignSession)
    emit(.session(.sessionCut(cut)))
    acknowledge(command)
  }

  // MARK: Setting limits

  mutating func setLimit(_ set: SetLimit, _ command: Command) throws(Refusal) {
    let kind = Int64(set.kind.rawValue)
    let given = [set.participant != .exchange, set.account != .null, set.session != .exchange]
    switch set.kind {
    case .messagesPerSecond:
      try require(given == [false, false, true], .badDefinition, kind, .kind)
    case .accounts, .sessions:
      try require(given == [true, false, false], .badDefinition, kind, .kind)
    default: try require(given == [false, true, false], .badDefinition, kind, .kind)
    }
    let subject = try requireOne(set.participant, set.account, set.session, command)
    if given[0] { try require(isOperator(command), .notPermitted, 4) }
    let isCount =
      switch set.kind {
      case .messagesPerSecond, .openOrders, .accounts, .sessions: true
      case .orderQuantity, .dailyNotional, .cashAtRisk: false
      }
    try require(
      set.value >= 0 && (!isCount || set.value <= Int64(UInt32.max)), .badDefinition, set.value,
      .value)
    let key = ModelLimit(subject: subject, kind: set.kind)
    if isOperator(command) {
      limitsOfOperators[key] = set.value == 0 ? nil : set.value
    } else {
      if let bound = limitsOfOperators[key] {
        try require(set.value <= bound, .setByOperator, bound)
      }
      limitsOfAdministrators[key] = set.value == 0 ? nil : set.value
    }
    let inForce = limit(subject, set.kind)
    if set.kind == .dailyNotional, inForce == nil { entered[set.account] = nil }
    emit(.reference(.limitSet(LimitSet(request: set, inForce: inForce ?? 0))))
    acknowledge(command)
  }

  /// The lower of both limits that are set; `nil` when there is none.
  private func limit(_ subject: ModelSubject, _ kind: LimitKind) -> Int64? {
    let key = ModelLimit(subject: subject, kind: kind)
    return [limitsOfOperators[key], limitsOfAdministrators[key]].compactMap { $0 }.min()
  }

  // MARK: Checking them

  /// An order that enters, or a replace that loses its place, is within the limits of its account.
  func requireLimits(_ order: ModelOrder, instead old: ModelOrder?, reserve: Int64)
    throws(Refusal)
  {
    let account = ModelSubject.account(order.account)
    if let most = limit(account, .orderQuantity) {
      try require(order.quantity <= most, .orderLimit, most)
    }
    if let most = limit(account, .openOrders), old == nil {
      let open = orders.values.filter { $0.account == order.account }.count
      try require(Int64(open) < most, .openOrderLimit, most)
    }
    if let most = limit(account, .dailyNotional) {
      let sum = Int128(today(order.account)) + Int128(added(order, old))
      try require(added(order, old) == 0 || sum <= Int128(most), .notionalLimit, most)
    }
    if let most = limit(account, .cashAtRisk), reserve > 0,
      let currency = areas[order.position.area]?.definition.currency
    {
      let reserved = cash[CashKey(order.account, currency)]?.reserved ?? 0
      try require(Int128(reserved) + Int128(reserve) <= Int128(most), .cashLimit, most)
    }
  }

  mutating func noteEntered(_ order: ModelOrder, instead old: ModelOrder?) {
    if limit(.account(order.account), .dailyNotional) == nil || added(order, old) == 0 { return }
    entered[order.account] = (day, today(order.account) + added(order, old))
  }

  /// The notional that an order adds to that of the day.
  private func added(_ order: ModelOrder, _ old: ModelOrder?) -> Int64 {
    max(0, abs(order.price * order.leaves) - (old.map { abs($0.price * $0.leaves) } ?? 0))
  }

  private var day: UInt64 { now.nanoseconds / (24 * 3_600 * 1_000_000_000) }

  private func today(_ account: AccountId) -> Int64 {
    guard let entered = entered[account], entered.day == day else { return 0 }
    return entered.notional
  }
}

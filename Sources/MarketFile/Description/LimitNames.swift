import MarketModel

// Limits in market files: a mapping `limits` in the entry of a participant, session or account, from
// the name of a kind to a value in kWh, units of the currency, or a number.

/// What has limits of a kind.
enum LimitOwner {
  case participant, session, account
}

extension LimitKind {
  /// The name in market files.
  var fileName: String {
    switch self {
    case .messagesPerSecond: "messages-per-second"
    case .orderQuantity: "order-quantity"
    case .openOrders: "open-orders"
    case .dailyNotional: "daily-notional"
    case .cashAtRisk: "cash-at-risk"
    case .accounts: "accounts"
    case .sessions: "sessions"
    }
  }

  /// What has limits of this kind.
  var owner: LimitOwner {
    switch self {
    case .messagesPerSecond: .session
    case .orderQuantity, .openOrders, .dailyNotional, .cashAtRisk: .account
    case .accounts, .sessions: .participant
    }
  }

  /// The kinds of limits of an owner.
  static func kinds(of owner: LimitOwner) -> [LimitKind] { allCases.filter { $0.owner == owner } }

  /// Reads a value, which is above 0.
  func value(_ text: String) throws(ValueError) -> Int64 {
    let value: Int64
    switch self {
    case .orderQuantity: value = try Typed.energy(text).wattHours
    case .dailyNotional, .cashAtRisk: value = try Typed.money(text).units
    case .messagesPerSecond, .openOrders, .accounts, .sessions:
      value = Int64(try Typed.number(text, in: 1...UInt32.max))
    }
    guard value > 0 else { throw ValueError("a limit is above 0; leave it out for none") }
    return value
  }

  /// A value as `value` reads it.
  func text(_ value: Int64) -> String {
    switch self {
    case .orderQuantity: Text.energy(Energy(wattHours: value))
    case .dailyNotional, .cashAtRisk: Text.money(Money(units: value))
    case .messagesPerSecond, .openOrders, .accounts, .sessions: "\(value)"
    }
  }
}

extension SetLimit {
  /// The limit of a kind, of the owner with this number.
  init(_ kind: LimitKind, of number: UInt32, value: Int64) {
    switch kind.owner {
    case .participant:
      self.init(participant: ParticipantId(number), kind: kind, value: value)
    case .session: self.init(session: SessionId(number), kind: kind, value: value)
    case .account: self.init(account: AccountId(number), kind: kind, value: value)
    }
  }

  /// The number of the owner.
  var number: UInt32 {
    switch kind.owner {
    case .participant: participant.rawValue
    case .session: session.rawValue
    case .account: account.rawValue
    }
  }

  /// The owner, which must exist before it.
  var ownerItem: MarketItem {
    switch kind.owner {
    case .participant: .participant(participant)
    case .session: .session(session)
    case .account: .account(account)
    }
  }
}

// Limits of accounts and sessions (section 14): how they are set, and what an order of a limited
// account is checked against.

import MarketModel

/// What an order that enters, or is replaced with a loss of its place, adds to its account.
struct Exposure {
  let account: UInt32
  let currency: UInt16
  /// Whether it is one more open order.
  let isNew: Bool
  /// Its total quantity, Wh.
  let quantity: Int64
  /// The notional that it adds to those of the day, 1e-8; at least 0.
  let notional: Int64
  /// The cash that it reserves further, 1e-8.
  let reserve: Int64
}

extension Exchange {
  // MARK: Setting

  mutating func setLimit(_ set: SetLimit, _ request: Request) {
    if let refusal = validate(set, request) {
      return reject(refusal, request, account: set.account)
    }
    var pair = pair(of: set)
    if isOperator(request) {
      pair.ofOperator = set.value
    } else {
      pair.ofAdministrator = set.value
    }
    store(pair, set)
    emit(.reference(.limitSet(LimitSet(request: set, inForce: pair.inForce))))
    acknowledge(request)
  }

  private func validate(_ set: SetLimit, _ request: Request) -> Refusal? {
    if let refusal = permission(request, Roles.administrations) { return refusal }
    let subject = Subject(set.participant, set.account, set.session)
    guard isSubject(of: set) else {
      return Refusal(.badDefinition, UInt32(set.kind.rawValue), .kind)
    }
    if let refusal = validate(subject, request) { return refusal }
    if case .participant = subject, let refusal = permission(request, .administration) {
      return refusal
    }
    if set.value < 0 || set.value > set.kind.highest {
      return Refusal(.badDefinition, set.value, .value)
    }
    let bound = pair(of: set).ofOperator
    return isOperator(request) || bound == 0 || set.value <= bound
      ? nil : Refusal(.setByOperator, bound)
  }

  /// Whether the command names what has limits of the kind, and nothing else.
  private func isSubject(of set: SetLimit) -> Bool {
    let (participant, account, session) = (
      set.participant != .exchange, set.account != .null, set.session != .exchange
    )
    return switch set.kind {
    case .messagesPerSecond: session && !account && !participant
    case .orderQuantity, .openOrders, .dailyNotional, .cashAtRisk:
      account && !session && !participant
    case .accounts, .sessions: participant && !account && !session
    }
  }

  private func pair(of set: SetLimit) -> LimitPair {
    let account = restrictions.accounts[set.account.rawValue]
    let participant = restrictions.participants[set.participant.rawValue]
    return switch set.kind {
    case .messagesPerSecond: restrictions.sessions[set.session.rawValue].messages
    case .orderQuantity: account.orderQuantity
    case .openOrders: account.openOrders
    case .dailyNotional: account.dailyNotional
    case .cashAtRisk: account.cashAtRisk
    case .accounts: participant.accounts
    case .sessions: participant.sessions
    }
  }

  private mutating func store(_ pair: LimitPair, _ set: SetLimit) {
    let (account, participant) = (set.account.rawValue, set.participant.rawValue)
    switch set.kind {
    case .messagesPerSecond: restrictions.sessions[set.session.rawValue].messages = pair
    case .orderQuantity: restrictions.accounts[account].orderQuantity = pair
    case .openOrders: restrictions.accounts[account].openOrders = pair
    case .cashAtRisk: restrictions.accounts[account].cashAtRisk = pair
    case .accounts: restrictions.participants[participant].accounts = pair
    case .sessions: restrictions.participants[participant].sessions = pair
    case .dailyNotional:
      restrictions.accounts[account].dailyNotional = pair
      if pair.inForce == 0 {
        restrictions.accounts[account].day = 0
        restrictions.accounts[account].entered = 0
      }
    }
    if set.account != .null { markRestricted(account) }
  }

  // MARK: Checking

  /// Refuses an order beyond a limit of its account: by its quantity, by the number of open orders,
  /// by the day's notional, by the cash reserved. Linear in the positions of the account.
  @inline(never) func validateLimits(_ exposure: Exposure) -> Refusal? {
    let limits = restrictions.accounts[exposure.account]
    let largest = limits.orderQuantity.inForce
    if largest != 0, exposure.quantity > largest { return Refusal(.orderLimit, largest) }
    let most = limits.openOrders.inForce
    if most != 0, exposure.isNew, Int64(openOrders(of: exposure.account)) >= most {
      return Refusal(.openOrderLimit, most)
    }
    let notional = limits.dailyNotional.inForce
    if notional != 0, exposure.notional > 0,
      exposure.notional > notional - enteredToday(exposure.account)
    {
      return Refusal(.notionalLimit, notional)
    }
    let cash = limits.cashAtRisk.inForce
    if cash != 0, exposure.reserve > 0, exposure.reserve > cash - reserved(exposure) {
      return Refusal(.cashLimit, cash)
    }
    return nil
  }

  private func reserved(_ exposure: Exposure) -> Int64 {
    let holding = findHolding(AccountId(exposure.account), Currency(exposure.currency))
    return holding == 0 ? 0 : balances.holdings[holding].reserved
  }

  /// The present day, UTC, days since 1970.
  private var today: UInt64 { progress.now / 86_400_000_000_000 }

  private func enteredToday(_ account: UInt32) -> Int64 {
    let row = restrictions.accounts[account]
    return row.day == today ? row.entered : 0
  }

  /// Counts the notional of an order that was checked against the limits of its account.
  @inline(never) mutating func noteEntered(_ exposure: Exposure) {
    let account = exposure.account
    if restrictions.accounts[account].dailyNotional.inForce == 0 || exposure.notional == 0 {
      return
    }
    restrictions.accounts[account].entered = enteredToday(account) + exposure.notional
    restrictions.accounts[account].day = today
    invariant(restrictions.accounts[account].entered > 0, "the day's notional is within its limit")
  }

  /// What a valid new order adds.
  func exposure(_ order: NewOrderRow, _ entry: Entry) -> Exposure {
    Exposure(
      account: order.account.rawValue, currency: currency(of: entry.instrument), isNew: true,
      quantity: order.quantity.wattHours, notional: abs(entry.price * order.quantity.wattHours),
      reserve: entry.walkCost < 0 ? entry.reservePerLot * entry.lots : entry.walkCost)
  }

  /// What a valid replace to `price` and `leaves` adds, that loses the place of its order.
  func exposure(
    _ order: OpenOrder, price: Int64, leaves: Int64, quantity: Int64, reserve: Int64
  ) -> Exposure {
    let before = abs(order.price * order.leaves)
    return Exposure(
      account: order.account, currency: currency(of: order.instrument), isNew: false,
      quantity: quantity, notional: max(0, abs(price * leaves) - before), reserve: reserve)
  }

  private func currency(of instrument: InstrumentRow) -> UInt16 {
    products.areas[UInt32(instrument.area)].currency
  }
}

extension LimitKind {
  /// The highest value of a limit.
  fileprivate var highest: Int64 {
    switch self {
    case .messagesPerSecond, .openOrders, .accounts, .sessions: Int64(UInt32.max)
    case .orderQuantity, .dailyNotional, .cashAtRisk: Int64.max
    }
  }
}

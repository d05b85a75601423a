// Queries of orders, balances and totals. They change nothing and are not journaled.

import MarketModel

extension Exchange {
  /// When the first entry of the schedule is due: an order expires, or an announced change takes
  /// effect, before the first command at or after it. `.never`: there is none. Constant time.
  public var nextDue: Timestamp {
    schedule.count == 0 ? .never : Timestamp(nanoseconds: schedule.firstTime)
  }

  /// The state of an open order.
  /// - Returns: `nil` when no open order has that id.
  public func orderState(_ order: OrderId) -> OrderState? {
    find(order).map { state($0) }
  }

  /// The account that owns an open order. Constant time.
  /// - Returns: `nil` when no open order has that id.
  public func account(of order: OrderId) -> AccountId? {
    find(order).map { AccountId($0.account) }
  }

  /// The displayed quantity of an open order and the part of it that can execute: the whole order,
  /// or the displayed slice of an iceberg.
  /// - Returns: `nil` when no open order has that id.
  public func displayed(of order: OrderId) -> (total: Energy, live: Energy)? {
    find(order).map {
      let displayed = displayed($0)
      return (Energy(wattHours: displayed.total), Energy(wattHours: displayed.live))
    }
  }

  /// An account's balances in an area.
  /// - Returns: `nil` when it has no position there.
  public func balance(of account: AccountId, in area: AreaId) -> Balance? {
    guard exists(account), exists(area) else { return nil }
    let position = find(account, Asset(energyOf: area))
    return position == 0 ? nil : balance(position)
  }

  /// Every position's balances, in order of creation. Allocates; for reports and tests.
  public func allBalances() -> [Balance] {
    stride(from: 1, through: balances.positionCount, by: 1)
      .filter { balances.positions[$0].account != 0 }.map { balance($0) }
  }

  /// Every account's cash per currency: free and reserved. Allocates; for reports and tests.
  public func cash() -> [(account: AccountId, currency: Currency, free: Money, reserved: Money)] {
    if balances.holdingCount == 0 { return [] }
    return (1...balances.holdingCount).map { number in
      let holding = balances.holdings[number]
      return (
        AccountId(holding.account), Currency(holding.currency), Money(units: holding.free),
        Money(units: holding.reserved)
      )
    }
  }

  /// Every open order, in order of slot. Allocates; for reports and tests.
  public func openOrders() -> [OrderState] {
    if orders.used == 0 { return [] }
    return (1...orders.used).filter { orders[$0].marks.isOpen }.map {
      state(open($0))
    }
  }

  /// The participant that owns an account.
  /// - Returns: `nil` when there is no such account.
  public func owner(of account: AccountId) -> ParticipantId? {
    exists(account) ? ParticipantId(accounts[account.rawValue].participant) : nil
  }

  /// Who sends a command.
  package struct Sender {
    /// The participant of the session.
    package let participant: ParticipantId
    /// Whether it pays for the work of its commands: it may trade or administers its participant,
    /// and is no administrator of the exchange.
    package let pays: Bool

    /// A sender.
    package init(participant: ParticipantId, pays: Bool) {
      (self.participant, self.pays) = (participant, pays)
    }
  }

  /// The sender behind a session.
  /// - Returns: `nil` for the exchange itself, and when there is no such session.
  package func sender(_ session: SessionId) -> Sender? {
    if session == .exchange || validateSession(session) != nil { return nil }
    let row = reference.sessions[session.rawValue]
    let roles = Roles(rawValue: row.roles)
    return Sender(
      participant: ParticipantId(row.participant),
      pays: !roles.isDisjoint(with: [.trading, .participantAdministration])
        && !roles.contains(.administration))
  }

  /// Sizes of the tables in use, and the progress of settlement.
  public var counts: Counts {
    Counts(
      openOrders: orders.count, priceLevels: books.ladder.levelCount,
      positions: balances.positionCount,
      trades: progress.trades, settledBatch: progress.settledBatch,
      settledSequence: SequenceNumber(progress.settledSequence))
  }

  /// Sizes and settlement progress.
  public struct Counts: Sendable, Equatable {
    /// Open orders.
    public var openOrders: UInt32
    /// Price levels with orders.
    public var priceLevels: UInt32
    /// Positions ever created.
    public var positions: UInt32
    /// Trades since the start.
    public var trades: UInt64
    /// The last batch that the ledger confirmed.
    public var settledBatch: UInt64
    /// The last command that this batch covers.
    public var settledSequence: SequenceNumber
  }

  /// The sums of an area that prove the conservation of energy (section 7).
  /// - Returns: `nil` when there is no such area.
  public func totals(of area: AreaId) -> AreaTotals? {
    guard exists(area) else { return nil }
    let row = products.areas[UInt32(area.rawValue)]
    var held: Int64 = 0
    for number in stride(from: 1, through: balances.positionCount, by: 1)
    where balances.positions[number].area == area.rawValue {
      held += balances.positions[number].level
    }
    return AreaTotals(
      produced: Energy(wattHours: row.produced), imported: Energy(wattHours: row.imported),
      held: Energy(wattHours: held), consumed: Energy(wattHours: row.burned + row.imported),
      exported: Energy(wattHours: row.exported), lost: Energy(wattHours: row.lost),
      fees: Money(units: row.fees), grid: Money(units: row.grid))
  }

  /// The sums of an area since the start.
  public struct AreaTotals: Sendable, Equatable {
    /// Produced according to meters.
    public var produced: Energy
    /// Bought from the grid.
    public var imported: Energy
    /// Stored by all accounts now.
    public var held: Energy
    /// Consumed according to meters, from balances and from imports.
    public var consumed: Energy
    /// Sold to the grid.
    public var exported: Energy
    /// Lost between production and storage.
    public var lost: Energy
    /// Cash of the house account for fees.
    public var fees: Money
    /// Cash of the grid's house account.
    public var grid: Money

    /// Whether produced + imported = held + consumed + exported + lost.
    public var isConserved: Bool {
      produced.wattHours + imported.wattHours
        == held.wattHours + consumed.wattHours + exported.wattHours + lost.wattHours
    }
  }

  /// Deposits less withdrawals of a currency, which equals the cash of all accounts and house
  /// accounts.
  public func supply(of currency: Currency) -> Money {
    let row = totals(of: currency)
    guard row < UInt32(Currencies.capacity) else { return .zero }
    return Money(units: currencies.totals[row].supply)
  }

  // MARK: Rows as events report them

  func state(_ order: OpenOrder) -> OrderState {
    invariant(
      order.marks.isOpen && order.covered <= order.leaves,
      "the order is open and covered is at most leaves")
    return OrderState(
      order: order.id, account: AccountId(order.account),
      instrument: InstrumentId(order.row.instrument),
      session: SessionId(order.session),
      clientOrderId: ClientOrderId(order.clientOrderId), side: order.side,
      type: order.marks.type, timeInForce: order.timeInForce,
      waitReason: waitReason(order), price: Price(ticks: order.price),
      quantity: Energy(wattHours: order.quantity),
      leaves: Energy(wattHours: order.leaves),
      covered: Energy(wattHours: order.covered))
  }

  func balance(_ position: UInt32) -> Balance {
    let holding = balances.positions[position].holding
    invariant(
      balances.holdings[holding].account == balances.positions[position].account,
      "a position and its holding have one account"
    )
    let (asks, bids) = (owned(position, .sell), owned(position, .buy))
    invariant(
      balances.positions[position].isTouched
        || asks.covered <= balances.positions[position].level
          && bids.covered <= balances.positions[position].headroom,
      "cover is at most what the position has available")
    return Balance(
      account: AccountId(balances.positions[position].account),
      area: AreaId(balances.positions[position].area),
      currency: Currency(balances.holdings[holding].currency),
      free: Money(units: balances.holdings[holding].free),
      reserved: Money(units: balances.holdings[holding].reserved),
      energy: Energy(wattHours: balances.positions[position].level),
      cap: Energy(wattHours: balances.positions[position].ceiling),
      coveredAsks: Energy(wattHours: asks.covered),
      coveredBids: Energy(wattHours: bids.covered),
      openAsks: Energy(wattHours: asks.eligible + asks.halted),
      openBids: Energy(wattHours: bids.eligible + bids.halted))
  }
}

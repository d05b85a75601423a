import JoulebookClient
import MarketModel
import Testing

/// A command with a value that is not allowed, and the reject that it gets.
struct RejectRow: Sendable, CustomTestStringConvertible {
  let what: String
  let code: RejectCode
  /// `nil`: a limit that depends on the time.
  let limit: Int64?
  let field: RejectField?
  let session: UInt32
  let body: @Sendable (TableMarket) -> Command.Body

  init(
    _ what: String, _ code: RejectCode, _ limit: Int64? = 0, _ field: RejectField? = nil,
    from session: UInt32 = 1, _ body: @escaping @Sendable (TableMarket) -> Command.Body
  ) {
    (self.what, self.code, self.limit, self.field) = (what, code, limit, field)
    (self.session, self.body) = (session, body)
  }

  var testDescription: String { what }
}

/// Allowed commands, of which rows change one value.
enum Allowed {
  static let now: UInt64 = 8_000_000_000_000_000_000

  /// Ben's bid for 1 kWh at 0.1.
  static func order(_ spoil: (inout NewOrder) -> Void = { _ in }) -> Command.Body {
    var order = NewOrder.limit(Village.ben, .buy, kilowattHours: 1, at: 100, id: 1_000)
    spoil(&order)
    return .enter(order)
  }

  /// A smaller quantity for Ana's ask.
  static func replace(
    _ market: TableMarket, _ spoil: (inout ReplaceOrder) -> Void = { _ in }
  ) -> Command.Body {
    var change = ReplaceOrder(
      account: Village.ana, order: market.asked, clientOrderId: ClientOrderId(1_000),
      price: Price(ticks: 20_000), quantity: Energy(wattHours: 2_000))
    spoil(&change)
    return .replace(change)
  }

  static func agent(_ spoil: (inout SetAgent) -> Void = { _ in }) -> Command.Body {
    var agent = SetAgent(
      account: Village.ben, instrument: InstrumentId(1), buys: true, buyPrice: Price(ticks: 100))
    spoil(&agent)
    return .order(.setAgent(agent))
  }

  /// 1e-8 of Ben's cash for Ana.
  static func transfer(_ spoil: (inout Transfer) -> Void = { _ in }) -> Command.Body {
    var transfer = Transfer(
      from: Village.ben, to: Village.ana, asset: .cash, currency: .eur, area: AreaId(1), amount: 1,
      clientOrderId: ClientOrderId(1_000))
    spoil(&transfer)
    return .cash(.transfer(transfer))
  }

  static func cash(_ spoil: (inout CashMovement) -> Void = { _ in }) -> CashMovement {
    var movement = CashMovement(
      account: Village.ben, currency: .eur, amount: Money(units: 1), reference: 1_000)
    spoil(&movement)
    return movement
  }

  static func reading(_ spoil: (inout MeterReading) -> Void = { _ in }) -> Command.Body {
    var reading = FrozenMarket.reading(2)
    spoil(&reading)
    return .meterReading(reading)
  }

  static func session(_ spoil: (inout RegisterSession) -> Void = { _ in }) -> Command.Body {
    var new = RegisterSession(
      session: SessionId(20), participant: ParticipantId(2), roles: .trading,
      publicKey: PublicKey(1, 2, 3, 4))
    spoil(&new)
    return .reference(.registerSession(new))
  }

  static func account(_ number: UInt32, of participant: UInt32) -> Command.Body {
    let new = CreateAccount(
      account: AccountId(number), participant: ParticipantId(participant))
    return .reference(.createAccount(new))
  }

  static func setAccount(_ number: UInt32, _ state: AccountState = .closed) -> Command.Body {
    .reference(.setAccount(SetAccount(account: AccountId(number), state: state)))
  }

  static func area(_ spoil: (inout CreateArea) -> Void = { _ in }) -> Command.Body {
    var area = CreateArea(
      area: AreaId(2), currency: .eur, code: .empty, storageCost: Money(units: 300),
      storagePrice: Money(units: 20), feedInPrice: Price(ticks: 8_000),
      retailPrice: Price(ticks: 32_000))
    spoil(&area)
    return .reference(.createArea(area))
  }

  static func tariff(area: UInt16 = 1, _ feedIn: Int64, _ retail: Int64) -> Command.Body {
    let tariff = SetTariff(
      area: AreaId(area), feedInPrice: Price(ticks: feedIn), retailPrice: Price(ticks: retail))
    return .reference(.setTariff(tariff))
  }

  static func instrument(_ spoil: (inout CreateInstrument) -> Void = { _ in }) -> Command.Body {
    var new = CreateInstrument(
      instrument: InstrumentId(9), area: AreaId(1), symbol: .empty, tick: Price(ticks: 100),
      lot: Energy(wattHours: 1_000), lowestPrice: .zero, highestPrice: Price(ticks: 100_000))
    spoil(&new)
    return .reference(.createInstrument(new))
  }

  static func state(_ number: UInt32, _ state: InstrumentState = .halted) -> Command.Body {
    let change = SetInstrumentState(instrument: InstrumentId(number), state: state)
    return .reference(.setInstrumentState(change))
  }

  static func meter(
    _ market: TableMarket, _ spoil: (inout RegisterMeter) -> Void = { _ in }
  ) -> Command.Body {
    var meter = RegisterMeter(
      meter: MeterId(1), account: Village.ana, area: AreaId(1),
      publicKey: PublicKey(market.village.meterKey.publicKey))
    spoil(&meter)
    return .reference(.registerMeter(meter))
  }

  static func limit(_ spoil: (inout SetLimit) -> Void = { _ in }) -> Command.Body {
    var limit = SetLimit(account: Village.ben, kind: .openOrders, value: 100)
    spoil(&limit)
    return .reference(.setLimit(limit))
  }

  static func parameter(
    _ parameter: Parameter, _ value: Int64, number: UInt32 = 1,
    of subject: ParameterSubject? = nil, from: UInt64 = 0
  ) -> Command.Body {
    let change = SetParameter(
      subject: subject ?? parameter.subject, number: number, parameter: parameter, value: value,
      from: Timestamp(nanoseconds: from))
    return .reference(.setParameter(change))
  }

  /// Ben gets 1e-8 that ana gives, in the ledger.
  static func compensation(_ spoil: (inout Compensate) -> Void = { _ in }) -> Command.Body {
    var new = Compensate(
      reference: 1, amount1: -1, amount2: 1, account1: Village.ana, account2: Village.ben,
      currency: .eur, asset: .cash)
    spoil(&new)
    return .cash(.compensate(new))
  }

  static func withdrawal(
    _ parameter: Parameter, number: UInt32 = 1, of subject: ParameterSubject? = nil
  ) -> Command.Body {
    let withdrawn = WithdrawParameter(
      subject: subject ?? parameter.subject, number: number, parameter: parameter)
    return .reference(.withdrawParameter(withdrawn))
  }
}

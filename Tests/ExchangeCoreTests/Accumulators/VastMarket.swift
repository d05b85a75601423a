// Seeded random commands with amounts at and around the bounds (docs/ARITHMETIC.md), for a market
// whose definitions are at their bounds. Each run has a theme, because the bounds exclude each
// other: cash that is in fee accounts cannot be in participants' accounts.

import MarketModel

@testable import ExchangeCore

/// Generates the commands of one run, using the state of the exchange.
struct VastMarket {
  /// The theme of a run.
  enum Theme: CaseIterable {
    case anything, wealth, debts, fees, withdrawals, orders
  }

  static let capacity = Capacity(
    participants: 4, sessions: 4, accounts: 8, areas: 5, instruments: 8, meters: 20, positions: 40,
    orders: 96, priceLevels: 96, cascadeSteps: 500)
  private static let accounts: UInt32 = 4
  /// The currencies of areas 1 to 5, three of which are equal.
  private static let currencies: [Currency] = [.eur, .eur, .eur, Currency(756), Currency(840)]

  let theme: Theme
  private var random: SeededRandom
  private var sequence: UInt64 = 0
  private var now: UInt64 = 1_800_000_000_000_000_000
  private var ids: [UInt32: UInt64] = [:]
  private var references: [UInt32: UInt64] = [:]
  private var registers: [UInt32: (number: UInt64, end: UInt64)] = [:]
  private let price: Int64
  private let rate: Rate

  init(seed: UInt64) {
    random = SeededRandom(seed: seed)
    theme = Theme.allCases[Int(seed) % Theme.allCases.count]
    // The export of a full storage of 2^50 Wh must stay within the revenue bound of one reading.
    let prices = theme == .orders ? [1 << 10] : [1 << 21, 1 << 21, 1 << 20, Limit.price]
    price = prices.randomElement(using: &random) ?? 0
    let rates: [Rate] =
      theme == .fees ? [.highest] : theme == .orders ? [.zero] : [.zero, .highest]
    rate = rates.randomElement(using: &random) ?? .zero
  }

  // MARK: The world

  /// The commands that define the market; all are accepted.
  mutating func world() -> [Command] {
    // Before version 3 one account can fill the pool of orders.
    let rules = theme == .orders ? 2 : RulesVersion.newest
    var bodies: [Command.Body] = [.control(.setRules(SetRules(version: rules)))]
    bodies += (1...2).map {
      .reference(
        .createParticipant(CreateParticipant(participant: ParticipantId($0), name: .empty)))
    }
    for number in UInt16(1)...5 {
      // floor(4000 x 3 x 2^50 / (3 x 4000)): the highest default cap.
      bodies.append(
        .reference(
          .createArea(
            CreateArea(
              area: AreaId(number), currency: Self.currencies[Int(number) - 1], code: .empty,
              storageCost: Money(units: 3 << 50), storagePrice: Money(units: 4_000),
              feedInPrice: Price(ticks: price), retailPrice: Price(ticks: price), lossFactor: rate))
        ))
    }
    bodies += instruments.map { .reference(.createInstrument($0)) }
    for account in 1...Self.accounts {
      bodies.append(
        .reference(
          .createAccount(
            CreateAccount(account: AccountId(account), participant: ParticipantId(1 + account % 2)))
        ))
      for area in UInt16(1)...5 {
        bodies.append(
          .reference(
            .registerMeter(
              RegisterMeter(
                meter: MeterId((account - 1) * 5 + UInt32(area)), account: AccountId(account),
                area: AreaId(area), publicKey: PublicKey(0, 0, 0, 0), capacity: .max))))
      }
    }
    // All production is exported where the cap is 0.
    if [.wealth, .fees, .withdrawals].contains(theme) {
      for account in 1...Self.accounts {
        for area in UInt16(1)...(theme == .fees ? 2 : 3) {
          bodies.append(
            .reference(.setCap(SetCap(account: AccountId(account), area: AreaId(area), cap: .zero)))
          )
        }
      }
    }
    var commands = bodies.map { stamped($0) }
    // One storage is filled.
    if theme == .orders {
      for _ in 0..<1_025 { commands.append(reading(meter: 1, Limit.reading, 0)) }
    }
    return commands
  }

  /// Instruments at the limits of a listing.
  private var instruments: [CreateInstrument] {
    [
      spot(1, 1, tick: 1 << 18, lot: 1 << 22, -Limit.price, Limit.price),
      spot(2, 1, tick: 16, lot: Limit.orderQuantity, -(1 << 26), 1 << 26),
      spot(3, 2, tick: Limit.price, lot: 1, -Limit.price, Limit.price),
      spot(4, 3, tick: 1, lot: 1, Limit.price - Limit.bandTicks + 1, Limit.price),
      spot(5, 4, tick: 1 << 16, lot: 4096, -(1 << 27), 1 << 27),
      spot(6, 1, tick: 1 << 10, lot: 1, 0, 1 << 26),
    ]
  }

  private func spot(
    _ number: UInt32, _ area: UInt16, tick: Int64, lot: Int64, _ lowest: Int64, _ highest: Int64
  ) -> CreateInstrument {
    CreateInstrument(
      instrument: InstrumentId(number), area: AreaId(area), symbol: .empty,
      tick: Price(ticks: tick), lot: Energy(wattHours: lot), lowestPrice: Price(ticks: lowest),
      highestPrice: Price(ticks: highest), makerFee: rate, takerFee: rate)
  }

  private mutating func stamped(_ body: Command.Body, by session: SessionId = .exchange) -> Command
  {
    sequence += 1
    return Command(
      session: session, clientSequence: .max - sequence, body: body,
      sequence: SequenceNumber(sequence), time: Timestamp(nanoseconds: now))
  }

  // MARK: Commands

  /// The next command, for the present state of the exchange.
  mutating func command(_ exchange: borrowing Exchange) -> Command {
    if one(in: 50) { now += UInt64.random(in: 0...1 << 40, using: &random) }
    let kind = Int.random(in: 0..<100, using: &random)
    switch theme {
    // First the highest deposits, then trades that move the cash into the fee accounts.
    case .fees where sequence < 400: return kind < 20 ? deposit(exchange) : reading(exchange, 1)
    case .wealth where kind < 60: return kind < 20 ? deposit(exchange) : reading(exchange, 1)
    case .debts where kind < 50: return reading(exchange, -1)
    case .fees where kind < 90: return enter(exchange)
    case .withdrawals where kind < 40: return reading(exchange, 1)
    case .withdrawals where kind < 80: return withdraw(exchange)
    case .orders where kind < 92: return enter(exchange)
    default: return any(exchange)
    }
  }

  private mutating func any(_ exchange: borrowing Exchange) -> Command {
    switch Int.random(in: 0..<15, using: &random) {
    case 0: return deposit(exchange)
    case 1: return withdraw(exchange)
    case 2: return reading(exchange, 0)
    case 3: return reading(exchange, 1)
    case 4, 5: return transfer(exchange)
    case 6, 7, 8: return enter(exchange)
    case 9: return replace(exchange)
    case 10: return cancel(exchange)
    case 11: return agent()
    case 12: return definition()
    case 13:
      let filter = MassCancel(account: account(), instrument: InstrumentId(UInt32(pick(0...6))))
      return stamped(.order(.massCancel(filter)))
    default: return stamped(.control(.tick))
    }
  }

  /// A last command: times, numbers and references near the end of their type.
  mutating func last(_ exchange: borrowing Exchange) -> [Command] {
    now = .max - 2
    var commands = [stamped(.control(.tick))]
    for number in 1...Self.accounts {
      (ids[number], references[number]) = (.max - 3, .max - 3)
      for area in 1...UInt32(2) {
        registers[(number - 1) * 5 + area] = (.max - 3, .max - 3)
      }
    }
    for _ in 0..<40 { commands.append(any(exchange)) }
    now = .max
    for _ in 0..<10 { commands.append(any(exchange)) }
    return commands
  }

  private mutating func deposit(_ exchange: borrowing Exchange) -> Command {
    let account = account()
    return stamped(.cash(.deposit(movement(account, amount(1...Limit.total)))))
  }

  private mutating func withdraw(_ exchange: borrowing Exchange) -> Command {
    let account = account()
    var movement = movement(account, 1)
    let free = exchange.free(account, movement.currency)
    movement.amount.units = one(in: 3) ? amount(1...Limit.total) : min(max(free, 1), Limit.total)
    return stamped(.cash(.withdraw(movement)))
  }

  private mutating func movement(_ account: AccountId, _ amount: Int64) -> CashMovement {
    CashMovement(
      account: account, currency: theme == .anything ? anyCurrency() : .eur,
      amount: Money(units: amount), reference: Self.next(&references[account.rawValue, default: 0]))
  }

  private mutating func transfer(_ exchange: borrowing Exchange) -> Command {
    let (from, to, currency) = (account(), account(), anyCurrency())
    let free = exchange.free(from, currency)
    let asset: AssetKind = one(in: 3) ? .energy : .cash
    let most = asset == .cash ? min(max(free, 1), Limit.total) : 1 << 50
    return stamped(
      .cash(
        .transfer(
          Transfer(
            from: from, to: to, asset: asset, currency: currency,
            area: AreaId(UInt16(pick(1...5))), amount: one(in: 2) ? most : amount(1...most),
            clientOrderId: nextId(from)))))
  }

  /// - Parameter sign: 1: mostly production, -1: mostly consumption.
  private mutating func reading(_ exchange: borrowing Exchange, _ sign: Int) -> Command {
    let area = theme == .anything ? pick(1...5) : pick(1...3)
    // The account that is to spend its cash buys from the one that has energy.
    let owner = theme == .fees && area == 3 ? 2 : account().rawValue
    let meter = (owner - 1) * 5 + UInt32(area)
    // Mostly the highest amount that the grid's price allows in one reading.
    let most = price <= 1 << 21 ? Limit.reading : Limit.total / price
    let produced = one(in: 4) ? amount(0...Limit.reading) : amount(0...most)
    let consumed = one(in: 4) ? amount(0...Limit.reading) : amount(0...most)
    return reading(meter: meter, sign < 0 ? 0 : produced, sign > 0 ? 0 : consumed)
  }

  private mutating func reading(meter: UInt32, _ produced: Int64, _ consumed: Int64) -> Command {
    var (number, end) = registers[meter] ?? (0, now)
    number = number == .max ? number : number + 1
    let reading = MeterReading(
      meter: MeterId(meter), registerSequence: number, intervalStart: Timestamp(nanoseconds: end),
      intervalEnd: Timestamp(nanoseconds: end + min(1_000_000, .max - end)),
      produced: Energy(wattHours: produced), consumed: Energy(wattHours: consumed))
    end = reading.intervalEnd.nanoseconds
    registers[meter] = (number, end)
    return stamped(.meterReading(reading))
  }

  private mutating func enter(_ exchange: borrowing Exchange) -> Command {
    let isCommon = !one(in: 20)
    let listed: CreateInstrument =
      switch theme {
      case .fees: instruments[3]
      case .orders where isCommon: instruments[0]
      default: any(of: instruments)
      }
    let account = account()
    let side = theme == .orders ? Side.buy : any(of: Side.allCases)
    let price = theme == .orders && isCommon ? .zero : price(listed)
    let lot = listed.lot.wattHours
    let most = Limit.orderQuantity / lot
    var quantity = theme == .orders && isCommon ? most : amount(1...most)
    if theme == .fees, side == .sell {
      quantity = affordable(.max, price, listed)
    } else if theme == .fees || theme != .orders && one(in: 2) {
      quantity = affordable(
        exchange.free(account, exchange.currency(of: listed.area)), price, listed)
    }
    let isIceberg = one(in: 8)
    let timeInForce: TimeInForce =
      isIceberg || one(in: 3) ? .goodTillCancel : any(of: TimeInForce.allCases)
    let shown = max(1, quantity / Int64(pick(1...101)))
    return stamped(
      .enter(
        NewOrder(
          account: account, instrument: listed.instrument, side: side, timeInForce: timeInForce,
          selfTradePrevention: any(of: SelfTradePrevention.allCases), postOnly: one(in: 10),
          clientOrderId: nextId(account), price: price, quantity: Energy(wattHours: quantity * lot),
          expireTime: timeInForce == .goodTillTime
            ? Timestamp(nanoseconds: one(in: 2) ? .max - 1 : now + (now < .max - 9 ? 9 : 0))
            : .never,
          displayQuantity: isIceberg ? Energy(wattHours: shown * lot) : .zero)))
  }

  /// Number of lots that the cash pays for, with the highest fee.
  private func affordable(_ free: Int64, _ price: Price, _ listed: CreateInstrument) -> Int64 {
    let cost = Int128(price.ticks.magnitude) * Int128(listed.lot.wattHours)
    let perLot = cost + cost * Int128(rate.partsPerMillion) / 1_000_000 + 1
    let lots = Int128(max(free, 0)) / perLot
    return Int64(min(max(lots, 1), Int128(Limit.orderQuantity / listed.lot.wattHours)))
  }

  private mutating func replace(_ exchange: borrowing Exchange) -> Command {
    guard let order = anyOrder(exchange),
      let listed = instruments.first(where: { $0.instrument == order.instrument })
    else { return stamped(.control(.tick)) }
    let lot = listed.lot.wattHours
    return stamped(
      .replace(
        ReplaceOrder(
          account: order.account, order: order.order, clientOrderId: nextId(order.account),
          price: one(in: 2) ? order.price : price(listed),
          quantity: Energy(wattHours: amount(1...(Limit.orderQuantity / lot)) * lot))))
  }

  private mutating func cancel(_ exchange: borrowing Exchange) -> Command {
    guard let order = anyOrder(exchange) else { return stamped(.control(.tick)) }
    return stamped(.cancel(CancelOrder(account: order.account, order: order.order)))
  }

  private mutating func agent() -> Command {
    let listed = any(of: instruments)
    return stamped(
      .order(
        .setAgent(
          SetAgent(
            account: account(), instrument: listed.instrument, sells: one(in: 2), buys: one(in: 2),
            sellPrice: price(listed), sellAbove: Energy(wattHours: amount(0...Int64.max)),
            buyPrice: price(listed), buyBelow: Energy(wattHours: amount(0...Int64.max)),
            target: Energy(wattHours: any(of: [.min, -1, 0, 1 << 49, Int64.max]))))))
  }

  private mutating func definition() -> Command {
    let area = AreaId(UInt16(pick(1...5)))
    switch Int.random(in: 0..<4, using: &random) {
    case 0:
      let prices = [amount(0...Limit.price), any(of: [0, 1 << 20, 1 << 21])]
      return stamped(
        .reference(
          .setTariff(
            SetTariff(
              area: area, feedInPrice: Price(ticks: any(of: prices)),
              retailPrice: Price(ticks: any(of: prices))))))
    case 1:
      return stamped(
        .reference(
          .setInstrumentState(
            SetInstrumentState(
              instrument: InstrumentId(UInt32(pick(1...6))),
              state: one(in: 40) ? .closed : any(of: [.open, .open, .halted])))))
    default:
      let cap = any(of: [-1, 0, 0, Limit.cap, Limit.cap + 1, amount(0...Limit.cap)])
      return stamped(
        .reference(.setCap(SetCap(account: account(), area: area, cap: Energy(wattHours: cap)))))
    }
  }

  // MARK: Choices

  private mutating func one(in count: Int) -> Bool {
    Int.random(in: 0..<count, using: &random) == 0
  }

  private mutating func pick(_ range: ClosedRange<Int>) -> Int {
    Int.random(in: range, using: &random)
  }

  private mutating func any<Choice>(of choices: [Choice]) -> Choice {
    choices[Int.random(in: 0..<choices.count, using: &random)]
  }

  private mutating func account() -> AccountId {
    switch theme {
    case .wealth, .debts: AccountId(one(in: 4) ? 2 : 1)
    case .fees: AccountId(sequence < 400 ? 1 : UInt32(pick(1...2)))
    case .orders: AccountId(one(in: 20) ? UInt32(pick(1...4)) : 2)
    case .anything, .withdrawals: AccountId(UInt32(pick(1...4)))
    }
  }

  private mutating func anyCurrency() -> Currency { any(of: Self.currencies) }

  private mutating func anyOrder(_ exchange: borrowing Exchange) -> OrderState? {
    exchange.openOrders().randomElement(using: &random)
  }

  /// A price on the tick and in the band, mostly at an edge.
  private mutating func price(_ listed: CreateInstrument) -> Price {
    if theme == .fees || one(in: 3) { return listed.highestPrice }
    if one(in: 3) { return listed.lowestPrice }
    let steps = (listed.highestPrice.ticks - listed.lowestPrice.ticks) / listed.tick.ticks
    return Price(
      ticks: listed.lowestPrice.ticks + Int64.random(in: 0...steps, using: &random)
        * listed.tick.ticks)
  }

  /// A number at the ends of a range, close to them, beyond them by one, or anywhere inside.
  private mutating func amount(_ range: ClosedRange<Int64>) -> Int64 {
    switch Int.random(in: 0..<10, using: &random) {
    case 0...3: return range.upperBound
    case 4: return range.upperBound == .max ? .max : range.upperBound + 1
    case 5: return max(range.lowerBound, range.upperBound - 1)
    case 6: return range.lowerBound
    case 7: return max(range.lowerBound, range.upperBound / 2)
    default: return Int64.random(in: range, using: &random)
    }
  }

  private mutating func nextId(_ account: AccountId) -> ClientOrderId {
    ClientOrderId(Self.next(&ids[account.rawValue, default: 0]))
  }

  private static func next(_ number: inout UInt64) -> UInt64 {
    if number < .max { number += 1 }
    return number
  }
}

extension Exchange {
  /// The free cash of an account in a currency.
  func free(_ account: AccountId, _ currency: Currency) -> Int64 {
    let holding = findHolding(account, currency)
    return holding == 0 ? 0 : balances.holdings[holding].free
  }

  /// The currency of an area.
  func currency(of area: AreaId) -> Currency {
    Currency(products.areas[UInt32(area.rawValue)].currency)
  }
}

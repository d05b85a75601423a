// Seeded random steps over a small, crowded world: few prices, scarce energy, little cash, so that
// books cross and overlap, accounts trade with themselves, and about half of the quantity waits.

import ExchangeCore
import MarketModel

/// Generates the steps of one run.
struct RandomMarket {
  var random: SeededRandom
  private var orderCount = 0
  /// The blocks that stand.
  var blocks: [SetBlock] = []
  /// The limits that stand.
  var limits: [SetLimit] = []
  /// Steps since the start of the run, and confirmed batches.
  private var (steps, batches) = (UInt64(0), UInt64(20))
  /// The reference of the last compensation.
  var compensations: UInt64 = 0
  /// Seconds since the start of the run.
  private(set) var clock: UInt64 = 0
  /// The instruments with their area, tick and lot.
  let instruments: [CreateInstrument]
  let accounts: UInt32
  /// The capacity of the exchange, which is small in a third of the runs.
  let capacity: Capacity
  /// Whether the run has fees, agents and closings. Runs without them find errors that others would
  /// hide.
  let hasFees: Bool
  private let hasAgents: Bool
  /// Whether the run begins with the newest rules or those before.
  private let hasNewRules: Bool
  /// Whether readings and grid prices lead to the bounds of a currency's circulation.
  let isVast: Bool

  init(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    accounts = UInt32.random(in: 4...9, using: &random)
    hasFees = Bool.random(using: &random)
    hasAgents = Int.random(in: 0..<3, using: &random) > 0
    hasNewRules = Int.random(in: 0..<3, using: &random) > 0
    isVast = hasNewRules && Int.random(in: 0..<4, using: &random) == 0
    let maker = hasFees ? UInt32.random(in: 0...5_000, using: &random) : 0
    let taker = hasFees ? UInt32.random(in: 0...300_000, using: &random) : 0
    capacity = Self.capacity(accounts, &random)
    func spot(_ id: UInt32, _ area: UInt16, _ tick: Int64, _ lot: Int64, _ band: (Int64, Int64))
      -> CreateInstrument
    {
      CreateInstrument(
        instrument: InstrumentId(id), area: AreaId(area), symbol: .empty, tick: Price(ticks: tick),
        lot: Energy(wattHours: lot), lowestPrice: Price(ticks: band.0 * tick),
        highestPrice: Price(ticks: band.1 * tick), makerFee: Rate(partsPerMillion: maker),
        takerFee: Rate(partsPerMillion: taker))
    }
    instruments = [
      spot(1, 1, 1_000, 1_000, (0, 8)), spot(2, 1, 500, 300, (-3, 12)),
      spot(3, 2, 777, 500, (-6, 5)), spot(4, 2, 1_000, 1, (1, 7)),
    ]
    self.random = random
  }

  /// Most runs have a small capacity: of orders, prices or positions, of what one account may have
  /// of orders and levels, or of cascade steps.
  private static func capacity(_ accounts: UInt32, _ random: inout SeededRandom) -> Capacity {
    var capacity = Capacity.script
    switch Int.random(in: 0..<27, using: &random) {
    case 0...2: capacity.orders = UInt32.random(in: 5...25, using: &random)
    case 3...5: capacity.priceLevels = UInt32.random(in: 5...20, using: &random)
    case 6...8: capacity.positions = accounts + UInt32.random(in: 0...accounts, using: &random)
    case 9...11: capacity.cascadeSteps = UInt32.random(in: 2...6, using: &random)
    case 12...14: capacity.accountOrders = UInt32.random(in: 1...7, using: &random)
    case 15...17: capacity.accountLevels = UInt32.random(in: 1...5, using: &random)
    case 18...19: capacity.orders = UInt32.random(in: 26...60, using: &random)
    case 23: capacity.readings = accounts + UInt32.random(in: 0...30, using: &random)
    case 24: capacity.tariffHistory = 4
    case 25: capacity.quarantine = UInt32.random(in: 1...12, using: &random)
    case 22: capacity.cashReferences = accounts + UInt32.random(in: 0...20, using: &random)
    case 20...21: capacity.priceLevels = UInt32.random(in: 21...40, using: &random)
    default: break
    }
    return capacity
  }

  /// The highest quantity of an order that is not made by a standing instruction, Wh.
  static let usualQuantity: Int64 = 10_000_000

  /// An instrument whose highest notional exceeds 64 bits; only spoiled orders name it.
  static let dear = CreateInstrument(
    instrument: InstrumentId(5), area: AreaId(2), symbol: .empty, tick: Price(ticks: 100_000),
    lot: Energy(wattHours: 1), lowestPrice: .zero, highestPrice: Price(ticks: 1_000_000_000_000))

  /// Participants, sessions, areas, instruments, accounts, meters, first deposits.
  mutating func world() -> [Step] {
    var steps: [Step] = []
    if hasNewRules {
      let version = RulesVersion.newest - (chance(1, of: 4) ? 1 + dice(2) : 0)
      steps.append(Step(.control(.setRules(SetRules(version: version))), by: 0))
    }
    for participant in UInt32(1)...3 {
      steps.append(
        Step(
          .reference(
            .createParticipant(
              CreateParticipant(participant: ParticipantId(participant), name: .empty))), by: 0))
    }
    // Session 1 has all roles for firm 1, session 2 trades for firm 2, 3 sends readings, 4
    // administers, 5 is revoked, 6 trades for firm 1, 16 administers firm 1.
    let identities = [
      (1, 1, 7), (2, 2, 1), (3, 3, 2), (4, 3, 4), (5, 1, 0), (6, 1, 1), (16, 1, 32),
    ]
    for (session, participant, roles) in identities {
      steps.append(
        Step(
          .reference(
            .registerSession(
              RegisterSession(
                session: SessionId(UInt32(session)),
                participant: ParticipantId(UInt32(participant)),
                roles: Roles(rawValue: UInt8(roles)),
                publicKey: PublicKey(0, 0, 0, 0),
                selfTrade: chance(1, of: 3) ? .participant : .account))), by: 0))
    }
    steps += areas() + (instruments + [Self.dear]).map { Step(.reference(.createInstrument($0))) }
    for account in 1...accounts {
      let participant = ParticipantId(account % 4 == 0 ? 2 : 1)
      steps.append(
        Step(
          .reference(
            .createAccount(CreateAccount(account: AccountId(account), participant: participant)))))
      for area in UInt16(1)...2 {
        let meter = MeterId(account + (area == 1 ? 0 : 12))
        steps.append(
          Step(
            .reference(
              .registerMeter(
                RegisterMeter(
                  meter: meter, account: AccountId(account), area: AreaId(area),
                  publicKey: PublicKey(0, 0, 0, 0), capacity: power(),
                  ownReadings: chance(1, of: 2))))))
      }
      steps.append(deposit(AccountId(account), Int64.random(in: 1...20, using: &random)))
    }
    return steps
  }

  /// A meter's rated power, W: enough for all readings, or the default, which many exceed.
  mutating func power() -> Int64 {
    isVast ? 1 << 62 : chance(1, of: 6) ? 0 : 1_000_000_000
  }

  private func areas() -> [Step] {
    // Caps of 10 kWh and of 3.333 kWh; both areas have one currency, so their positions share cash.
    [(1, 1_500, 0), (2, 500, 12_345)].map { id, cost, loss in
      Step(
        .reference(
          .createArea(
            CreateArea(
              area: AreaId(UInt16(id)), currency: .eur, code: .empty,
              storageCost: Money(units: Int64(cost) * 100_000_000),
              storagePrice: Money(units: 200 * 100_000_000),
              feedInPrice: Price(ticks: isVast ? 1_500_000 : 2_000),
              retailPrice: Price(ticks: isVast ? 1_750_000 : 9_000),
              lossFactor: Rate(partsPerMillion: UInt32(loss))))))
    }
  }

  private func deposit(_ account: AccountId, _ amount: Int64) -> Step {
    let money = Money(units: amount * 100_000_000)
    return Step(
      .cash(.deposit(CashMovement(account: account, currency: .eur, amount: money, reference: 0))),
      countsUp: true)
  }

  /// The next step, given the names of the orders that are open.
  mutating func step(open: [String], maximumOpen: Int = 40) -> Step {
    steps += 1
    var step = anyStep(open: open, maximumOpen: maximumOpen)
    // Most steps have a sender with permission; session 0 is the exchange itself.
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<10: step.session = .exchange
    case 10..<14: step.session = SessionId(UInt32.random(in: 1...7, using: &random))
    default: step.session = session(step.body, step.session)
    }
    if chance(1, of: 100) { step = spoiled(step) }
    if step.advance == 0, chance(1, of: 50) {
      // The clock advances, so that due orders expire with the next command.
      step.advance = UInt64.random(in: 1...20, using: &random)
      clock += step.advance
    }
    return step
  }

  /// The trading session of an account's firm.
  private func session(_ body: Command.Body, _ other: SessionId) -> SessionId {
    let account = body.named.account
    switch body {
    case .enter, .order(.setAgent), .cash(.transfer), .order(.massCancel):
      return account.rawValue % 4 == 0 ? SessionId(2) : other
    case .replace, .cancel: return .exchange
    default: return other
    }
  }

  private mutating func anyStep(open: [String], maximumOpen: Int) -> Step {
    if chance(1, of: 50) { return Step(randomBody(pick(Self.declaredLater), &self)) }
    if chance(1, of: 60) { return change() }
    if chance(1, of: 60) { return block() }
    if chance(1, of: 60) { return accountChange() }
    if chance(1, of: 60) { return confirmation() }
    if chance(1, of: 200) { return compensation() }
    if chance(1, of: 40) { return limit() }
    if chance(1, of: 100) { return decision() }
    if open.count > maximumOpen {
      return chance(1, of: 8) ? massCancel() : cancel(open)
    }
    switch Int.random(in: 0..<1000, using: &random) {
    case 0..<440: return enter()
    case 440..<540: return cancel(open)
    case 540..<660: return replace(open)
    case 660..<830: return meter()
    case 830..<880: return transfer()
    case 880..<900: return tick()
    case 900..<925: return hasAgents ? agent() : enter()
    case 925..<945: return deposit(account(), Int64.random(in: 1...8, using: &random))
    case 945..<957: return withdraw()
    case 957..<969: return massCancel()
    case 969..<981: return cap()
    case 981..<992: return state()
    case 992..<995: return registeredAgain()
    case 995..<997: return tariff()
    default: return oddity()
    }
  }

  // MARK: Ingredients

  mutating func chance(_ part: Int, of whole: Int) -> Bool {
    Int.random(in: 0..<whole, using: &random) < part
  }

  /// 0 ..< sides.
  mutating func dice(_ sides: UInt32) -> UInt32 { UInt32.random(in: 0..<sides, using: &random) }

  mutating func account() -> AccountId {
    AccountId(UInt32.random(in: 1...accounts, using: &random))
  }

  private mutating func price(_ instrument: CreateInstrument) -> Price {
    let low = instrument.lowestPrice.ticks / instrument.tick.ticks
    let high = instrument.highestPrice.ticks / instrument.tick.ticks
    let middle = (low + high) / 2
    let range = chance(1, of: 8) ? low...high : (middle - 2)...(middle + 2)
    return Price(ticks: Int64.random(in: range, using: &random) * instrument.tick.ticks)
  }

  private mutating func quantity(_ lot: Energy) -> Energy {
    let most = chance(1, of: 6) ? 9_000 / lot.wattHours : max(1, 3_000 / lot.wattHours)
    return Energy(wattHours: Int64.random(in: 1...most, using: &random) * lot.wattHours)
  }

  mutating func pick<Value>(_ values: [Value]) -> Value {
    values[Int.random(in: 0..<values.count, using: &random)]
  }

  mutating func seconds(_ range: ClosedRange<UInt64>) -> Timestamp {
    Timestamp(nanoseconds: UInt64.random(in: range, using: &random))
  }

  // MARK: Steps

  private mutating func enter() -> Step {
    let instrument = pick(instruments)
    orderCount += 1
    var order = NewOrder(
      account: account(), instrument: instrument.instrument,
      side: Bool.random(using: &random) ? .buy : .sell, clientOrderId: .engine,
      price: price(instrument), quantity: quantity(instrument.lot))
    switch Int.random(in: 0..<20, using: &random) {
    case 0...1: order.timeInForce = .immediateOrCancel
    case 2: order.timeInForce = .fillOrKill
    case 3...5:
      order.timeInForce = .goodTillTime
      order.expireTime = seconds((clock + 1)...(clock + 60))
    case 6...7: order.postOnly = true
    case 8:
      let lots = order.quantity.wattHours / instrument.lot.wattHours
      let least = Int64.random(in: 0...lots, using: &random) * instrument.lot.wattHours
      order.minimumQuantity = Energy(wattHours: least)
      if Bool.random(using: &random) { order.timeInForce = .immediateOrCancel }
    case 9:
      order.type = .market
      order.price = .zero
      order.timeInForce = Bool.random(using: &random) ? .immediateOrCancel : .fillOrKill
    default: break
    }
    for (name, field) in NewOrder.flags where name != "postOnly" && chance(1, of: 6) {
      order[keyPath: field] = true
    }
    if chance(1, of: 5) {
      let lots = order.quantity.wattHours / instrument.lot.wattHours
      let shown = Int64.random(in: 1...(chance(1, of: 2) ? min(lots, 3) : lots), using: &random)
      order.displayQuantity = Energy(wattHours: shown * instrument.lot.wattHours)
    }
    order.selfTradePrevention = pick(SelfTradePrevention.allCases)
    if chance(1, of: 10) {
      let isFirst = order.account.rawValue % 4 != 0
      order.onBehalfOf = SessionId(isFirst ? (chance(1, of: 2) ? 6 : 1) : 2)
    }
    return Step(.enter(order), label: "o\(orderCount)", countsUp: true)
  }

  /// The name of an order, mostly an open one.
  private mutating func label(_ open: [String]) -> String {
    if open.isEmpty || chance(1, of: 20) {
      return "o\(Int.random(in: 1...max(1, orderCount), using: &random))"
    }
    return pick(open)
  }

  private mutating func cancel(_ open: [String]) -> Step {
    if chance(1, of: 10) {
      let id = ClientOrderId(UInt64.random(in: 0...300, using: &random))
      return Step(.cancel(CancelOrder(account: account(), order: .null, clientOrderId: id)))
    }
    return Step(
      .cancel(CancelOrder(account: .null, order: .null)), label: label(open),
      countsUp: chance(1, of: 3))
  }

  private mutating func replace(_ open: [String]) -> Step {
    let instrument = pick(instruments)
    return Step(
      .replace(
        ReplaceOrder(
          account: .null, order: .null, clientOrderId: .engine, price: price(instrument),
          quantity: quantity(instrument.lot))), label: label(open), countsUp: true)
  }

  private mutating func meter() -> Step {
    let meter = MeterId(account().rawValue + (Bool.random(using: &random) ? 0 : 12))
    let most: Int64 = isVast && chance(1, of: 2) ? 1 << 40 : 4_000
    let amount = Energy(wattHours: Int64.random(in: 1...most, using: &random))
    let other = Energy(wattHours: chance(1, of: 4) ? amount.wattHours / 2 : 0)
    let produces = chance(11, of: 20)
    // Half of them are late, versions, duplicates, overlapping or out of reason, since version 8.
    let choice = chance(1, of: 2) ? 0 : UInt64(dice(1 << 12))
    return Step(
      .meterReading(
        MeterReading(
          meter: meter, registerSequence: choice, intervalStart: Timestamp(nanoseconds: 0),
          intervalEnd: Timestamp(nanoseconds: 0), produced: produces ? amount : other,
          consumed: produces ? other : amount,
          quality: chance(1, of: 5) ? pick(ReadingQuality.allCases) : .measured)), countsUp: true)
  }

  private mutating func transfer() -> Step {
    let isCash = Bool.random(using: &random)
    let cash: Int64 = isVast ? 1 << 61 : 500_000_000
    let amount = Int64.random(in: 1...(isCash ? cash : 4_000), using: &random)
    return Step(
      .cash(
        .transfer(
          Transfer(
            from: account(), to: account(), asset: isCash ? .cash : .energy,
            currency: isCash ? .eur : Currency(0),
            area: isCash ? .null : AreaId(UInt16.random(in: 1...2, using: &random)),
            amount: amount, clientOrderId: .engine))), countsUp: true)
  }

  private mutating func tick() -> Step {
    var step = Step(.control(.tick))
    // Seldom readings become too late.
    step.advance =
      chance(1, of: 30)
      ? UInt64.random(in: 2_000...5_000, using: &random) : UInt64.random(in: 1...30, using: &random)
    clock += step.advance
    return step
  }

  private mutating func agent() -> Step {
    let instrument = pick(instruments)
    var agent = SetAgent(account: account(), instrument: instrument.instrument)
    agent.sells = chance(2, of: 3)
    agent.buys = chance(2, of: 3)
    if agent.sells {
      agent.sellPrice = price(instrument)
      agent.sellAbove = Energy(wattHours: Int64.random(in: 0...8_000, using: &random))
    }
    if agent.buys {
      agent.buyPrice = price(instrument)
      agent.buyBelow = Energy(wattHours: Int64.random(in: 0...8_000, using: &random))
    }
    if chance(1, of: 2) {
      agent.target = Energy(wattHours: Int64.random(in: 0...8_000, using: &random))
    }
    return Step(.order(.setAgent(agent)))
  }

  private mutating func withdraw() -> Step {
    let most: Int64 = isVast && chance(1, of: 2) ? 1 << 61 : 400_000_000
    let amount = Money(units: Int64.random(in: 1...most, using: &random))
    return Step(
      .cash(
        .withdraw(CashMovement(account: account(), currency: .eur, amount: amount, reference: 0))),
      countsUp: true)
  }

  private mutating func massCancel() -> Step {
    let instrument =
      Bool.random(using: &random)
      ? InstrumentId.null : InstrumentId(UInt32.random(in: 1...4, using: &random))
    return Step(
      .order(
        .massCancel(
          MassCancel(
            account: account(), instrument: instrument, sides: pick(MassCancel.Sides.allCases)))))
  }

  private mutating func cap() -> Step {
    let cap = chance(1, of: 3) ? -1 : Int64.random(in: 0...12_000, using: &random)
    return Step(
      .reference(
        .setCap(
          SetCap(
            account: account(), area: AreaId(UInt16.random(in: 1...2, using: &random)),
            cap: Energy(wattHours: cap)))))
  }

  /// Halts often, opens more often and closes rarely.
  private mutating func state() -> Step {
    let state: InstrumentState =
      chance(1, of: 250) ? .closed : chance(1, of: 6) ? .halted : .open
    let instrument = InstrumentId(UInt32.random(in: 1...4, using: &random))
    return Step(
      .reference(.setInstrumentState(SetInstrumentState(instrument: instrument, state: state))))
  }

  private mutating func tariff() -> Step {
    if isVast {
      return Step(
        .reference(
          .setTariff(
            SetTariff(
              area: AreaId(1), feedInPrice: Price(ticks: 1_000_000),
              retailPrice: Price(ticks: 2_000_000)))))
    }
    let feedIn = Price(ticks: Int64.random(in: -3_000...4_000, using: &random))
    return Step(
      .reference(
        .setTariff(
          SetTariff(
            area: AreaId(UInt16.random(in: 1...3, using: &random)), feedInPrice: feedIn,
            retailPrice: Price(ticks: Int64.random(in: -2_000...12_000, using: &random))))))
  }

  /// The next batch is confirmed, mostly up to one of the last commands.
  private mutating func confirmation() -> Step {
    batches += UInt64(dice(3))
    let behind = UInt64(pick([0, 10, 100, 1_000]) + Int(dice(40)))
    let last = SequenceNumber(steps > behind ? steps - behind : UInt64(dice(40)))
    return Step(
      .control(.settlementConfirmed(SettlementConfirmed(batch: batches, lastSequence: last))),
      by: 0)
  }

  /// Settlement confirmations and repeated definitions.
  private mutating func oddity() -> Step {
    switch Int.random(in: 0..<10, using: &random) {
    case 9: return Step(.control(.setRules(SetRules(version: dice(RulesVersion.newest + 2)))))
    case 7, 8:
      let session = SessionId(UInt32.random(in: 1...7, using: &random))
      return Step(.session(.endSession(EndSession(session: session, version: 1))), by: 0)
    case 0:
      let batch = UInt64.random(in: 0...20, using: &random)
      return Step(
        .control(
          .settlementConfirmed(SettlementConfirmed(batch: batch, lastSequence: SequenceNumber(1)))),
        by: 0)
    case 1:
      return Step(
        .reference(.createAccount(CreateAccount(account: account(), participant: ParticipantId(1))))
      )
    case 2: return Step(.reference(.createInstrument(pick(instruments))))
    case 3: return strangeSession()
    case 4: return strangeAccount()
    case 5: return strangeMeter()
    default: return Step(.reference(.createArea(areaOne())))
    }
  }

  private func areaOne() -> CreateArea {
    CreateArea(
      area: AreaId(1), currency: .eur, code: .empty, storageCost: .zero, storagePrice: .zero,
      feedInPrice: .zero, retailPrice: .zero)
  }
}

// Parses a line of a script: a verb, its arguments, then options in any order.

import MarketModel
import Wire

struct StepParser {
  private var words: [String]
  private let line: String

  private init(_ line: String) {
    self.line = line
    words = line.split(separator: " ").map(String.init)
  }

  /// The step that `line` describes.
  static func step(_ line: String) throws(ScriptError) -> Step {
    var parser = StepParser(line)
    let session = UInt32(try parser.option("by") ?? "1") ?? 1
    let after: String? = try parser.option("after")
    var step = try parser.parse()
    if let after { step.advance = try parser.integer(String(after.dropLast())) }
    step.session = SessionId(session)
    if !parser.words.isEmpty {
      throw ScriptError(description: "left over in '\(line)': \(parser.words)")
    }
    return step
  }

  // MARK: Words

  private mutating func next() throws(ScriptError) -> String {
    guard !words.isEmpty else { throw ScriptError(description: "too short: '\(line)'") }
    return words.removeFirst()
  }

  /// Takes the option `word` and its value from anywhere in the line.
  private mutating func option(_ word: String) throws(ScriptError) -> String? {
    guard let index = words.firstIndex(of: word) else { return nil }
    guard index + 1 < words.count else {
      throw ScriptError(description: "'\(word)' has no value in '\(line)'")
    }
    words.remove(at: index)
    return words.remove(at: index)
  }

  /// Takes the word `flag` if the line has it.
  private mutating func flag(_ word: String) -> Bool {
    guard let index = words.firstIndex(of: word) else { return false }
    words.remove(at: index)
    return true
  }

  private mutating func number<Number: FixedWidthInteger>(_ word: String) throws(ScriptError)
    -> Number?
  {
    guard let text = try option(word) else { return nil }
    return try integer(text)
  }

  private func integer<Number: FixedWidthInteger>(_ text: String) throws(ScriptError) -> Number {
    guard let value = Number(text) else {
      throw ScriptError(description: "no number: '\(text)' in '\(line)'")
    }
    return value
  }

  private mutating func account() throws(ScriptError) -> AccountId {
    AccountId(try Notation.person(next()))
  }

  private mutating func energy(_ word: String) throws(ScriptError) -> Energy? {
    guard let text = try option(word) else { return nil }
    return try Notation.energy(text)
  }

  private mutating func price(_ word: String) throws(ScriptError) -> Price? {
    guard let text = try option(word) else { return nil }
    return try Notation.price(text)
  }

  private mutating func time(_ word: String) throws(ScriptError) -> Timestamp? {
    guard let text = try option(word) else { return nil }
    return text == "never" ? .never : Timestamp(nanoseconds: try integer(String(text.dropLast())))
  }

  private mutating func currency() -> Currency { flag("CHF") ? Currency(756) : .eur }

  private mutating func area() throws(ScriptError) -> AreaId { AreaId(try number("in") ?? 1) }

  private mutating func instrument() throws(ScriptError) -> InstrumentId? {
    try number("in").map(InstrumentId.init)
  }

  // MARK: Verbs

  private mutating func parse() throws(ScriptError) -> Step {
    let verb = try next()
    switch verb {
    case "enter": return try enter()
    case "replace": return try replace()
    case "cancel": return try cancel()
    case "mass": return try mass()
    case "agent": return try agent()
    case "send": return try send()
    case "meter": return try meter()
    case "deposit", "withdraw": return try cash(verb)
    case "cap": return try cap()
    case "open": return try state(.open)
    case "halt": return try state(.halted)
    case "close": return try state(.closed)
    case "tick": return try tick()
    default: return try definition(verb)
    }
  }

  private mutating func enter() throws(ScriptError) -> Step {
    let label = try next()
    let account = try account()
    let side: Side = try next() == "bid" ? .buy : .sell
    let quantity = try Notation.energy(next())
    let id: UInt64? = try number("id")
    var order = NewOrder(
      account: account, instrument: try instrument() ?? InstrumentId(1), side: side,
      clientOrderId: ClientOrderId(id ?? 0), price: try price("@") ?? .zero, quantity: quantity)
    if flag("market") { order.type = .market }
    for value in TimeInForce.allCases where flag(Notation.word(value)) { order.timeInForce = value }
    for (name, field) in NewOrder.flags {
      order[keyPath: field] = flag(Notation.word(ofFlag: name))
    }
    order.expireTime = try time("expires") ?? .never
    order.minimumQuantity = try energy("min") ?? .zero
    order.displayQuantity = try energy("show") ?? .zero
    order.onBehalfOf = SessionId(try number("behalf") ?? 0)
    switch try option("stp") {
    case "older": order.selfTradePrevention = .cancelOlder
    case "both": order.selfTradePrevention = .cancelBoth
    case "decrement": order.selfTradePrevention = .decrementBoth
    default: order.selfTradePrevention = .cancelNewer
    }
    return Step(.enter(order), label: label, countsUp: id == nil)
  }

  /// The account after `for`, or null: the owner of the order named.
  private mutating func owner() throws(ScriptError) -> AccountId {
    guard let name = try option("for") else { return .null }
    return AccountId(try Notation.person(name))
  }

  private mutating func replace() throws(ScriptError) -> Step {
    let label = try next()
    let quantity = try Notation.energy(next())
    let id: UInt64? = try number("id")
    let request = ReplaceOrder(
      account: try owner(), order: .null, clientOrderId: ClientOrderId(id ?? 0),
      price: try price("@") ?? .zero, quantity: quantity)
    return Step(.replace(request), label: label, countsUp: id == nil)
  }

  private mutating func cancel() throws(ScriptError) -> Step {
    let owner = try owner()
    let id: UInt64? = try number("id")
    let usesClientOrderId = flag("byid")
    let label = id == nil ? try next() : nil
    return Step(
      .cancel(CancelOrder(account: owner, order: .null, clientOrderId: ClientOrderId(id ?? 0))),
      label: label, countsUp: usesClientOrderId)
  }

  private mutating func mass() throws(ScriptError) -> Step {
    let account = try account()
    let sides: MassCancel.Sides = flag("bids") ? .buy : flag("asks") ? .sell : .both
    return Step(
      .order(
        .massCancel(
          MassCancel(account: account, instrument: try instrument() ?? .null, sides: sides))))
  }

  private mutating func agent() throws(ScriptError) -> Step {
    var agent = SetAgent(
      account: try account(), instrument: try instrument() ?? InstrumentId(1))
    if let price = try price("sell") { (agent.sells, agent.sellPrice) = (true, price) }
    if let price = try price("buy") { (agent.buys, agent.buyPrice) = (true, price) }
    agent.sellAbove = try energy("above") ?? .zero
    agent.buyBelow = try energy("below") ?? .zero
    agent.target = try energy("target") ?? agent.target
    return Step(.order(.setAgent(agent)))
  }

  private mutating func send() throws(ScriptError) -> Step {
    let (from, to, amount) = (try account(), try account(), try next())
    let isEnergy = amount.hasSuffix("Wh")
    let id: UInt64? = try number("id")
    let transfer = Transfer(
      from: from, to: to, asset: isEnergy ? .energy : .cash,
      currency: flag("CHF") ? Currency(756) : flag("EUR") || !isEnergy ? .eur : Currency(0),
      area: isEnergy ? try area() : .null,
      amount: isEnergy ? try Notation.energy(amount).wattHours : try Notation.money(amount).units,
      clientOrderId: ClientOrderId(id ?? 0))
    return Step(.cash(.transfer(transfer)), countsUp: id == nil)
  }

  private mutating func meter() throws(ScriptError) -> Step {
    let meter = MeterId(try Notation.person(next()))
    let sequence: UInt64? = try number("seq")
    let start = try time("from")
    let end = try time("to")
    let other: UInt64? = try number("other")
    let quality = try option("quality")
    var reading = MeterReading(
      meter: meter, registerSequence: sequence ?? other ?? 0,
      intervalStart: start ?? Timestamp(nanoseconds: 0),
      intervalEnd: end ?? Timestamp(nanoseconds: 0), produced: .zero, consumed: .zero)
    for value in ReadingQuality.allCases where "\(value)" == quality { reading.quality = value }
    while !words.isEmpty {
      let word = try next()
      let amount = try Notation.energy(String(word.dropFirst()))
      if word.hasPrefix("+") { reading.produced = amount } else { reading.consumed = amount }
    }
    return Step(.meterReading(reading), countsUp: sequence == nil)
  }

  private mutating func cash(_ verb: String) throws(ScriptError) -> Step {
    let reference: UInt64? = try number("ref")
    let source: UInt16? = try number("source")
    _ = flag("EUR")
    let currency = currency()
    let movement = CashMovement(
      account: try account(), currency: currency, amount: try Notation.money(next()),
      reference: reference ?? 0, source: source ?? 0)
    return Step(
      verb == "deposit" ? .cash(.deposit(movement)) : .cash(.withdraw(movement)),
      countsUp: reference == nil)
  }

  private mutating func cap() throws(ScriptError) -> Step {
    let area = try area()
    return Step(
      .reference(
        .setCap(SetCap(account: try account(), area: area, cap: try Notation.energy(next())))))
  }

  private mutating func state(_ state: InstrumentState) throws(ScriptError) -> Step {
    let id: UInt32 = try integer(next())
    return Step(
      .reference(
        .setInstrumentState(SetInstrumentState(instrument: InstrumentId(id), state: state))))
  }

  private mutating func tick() throws(ScriptError) -> Step {
    var step = Step(.control(.tick))
    step.advance = try integer(String(next().dropLast()))
    return step
  }

  // MARK: Definitions

  private mutating func definition(_ verb: String) throws(ScriptError) -> Step {
    switch verb {
    case "participant":
      let id = ParticipantId(try integer(next()))
      return Step(.reference(.createParticipant(CreateParticipant(participant: id, name: .empty))))
    case "session":
      let id = SessionId(try integer(next()))
      let participant = ParticipantId(try number("of") ?? 1)
      let roles = Roles(rawValue: try number("roles") ?? 7)
      let key = PublicKey(try number("key") ?? 0, 0, 0, 0)
      return Step(
        .reference(
          .registerSession(
            RegisterSession(
              session: id, participant: participant, roles: roles, publicKey: key,
              orders: flag("cancelling") ? .cancel : flag("keeping") ? .keep : .standard))))
    case "account":
      let participant = ParticipantId(try number("of") ?? 1)
      return Step(
        .reference(.createAccount(CreateAccount(account: try account(), participant: participant))))
    case "register":
      let area = try area()
      let power: Int64? = try number("power")
      let meter = MeterId(try Notation.person(next()))
      return Step(
        .reference(
          .registerMeter(
            RegisterMeter(
              meter: meter, account: try account(), area: area, publicKey: PublicKey(0, 0, 0, 0),
              capacity: power ?? 0))))
    case "settled":
      let batch: UInt64 = try integer(next())
      let last = SequenceNumber(try integer(next()))
      return Step(
        .control(.settlementConfirmed(SettlementConfirmed(batch: batch, lastSequence: last))))
    case "lost":
      let session = SessionId(try integer(next()))
      return Step(.session(.endSession(EndSession(session: session, version: try integer(next())))))
    case "rules": return Step(.control(.setRules(SetRules(version: try integer(next())))))
    case "area", "tariff": return try area(verb)
    case "spot": return try spot()
    default: return try text(verb)
    }
  }

  /// A command without a verb, in its text form: `setTariff area 1 feedInPrice 0.05 retailPrice
  /// 0.3`.
  private mutating func text(_ name: String) throws(ScriptError) -> Step {
    let text = ([name] + words).joined(separator: " ")
    words = []
    do throws(CommandTextError) {
      return Step(try CommandText.parse(text))
    } catch {
      throw ScriptError(description: "no verb and no command in '\(line)': \(error)")
    }
  }

  private mutating func area(_ verb: String) throws(ScriptError) -> Step {
    let id = AreaId(try integer(next()))
    let feedIn = try price("feedin") ?? Price(ticks: 5_000)
    let retail = try price("retail") ?? Price(ticks: 30_000)
    if verb == "tariff" {
      return Step(
        .reference(.setTariff(SetTariff(area: id, feedInPrice: feedIn, retailPrice: retail))))
    }
    _ = flag("EUR")
    return Step(
      .reference(
        .createArea(
          CreateArea(
            area: id, currency: currency(), code: .empty,
            storageCost: try Notation.money(option("cost") ?? "1500"),
            storagePrice: try Notation.money(option("price") ?? "200"), feedInPrice: feedIn,
            retailPrice: retail, lossFactor: Rate(partsPerMillion: try number("loss") ?? 0)))))
  }

  private mutating func spot() throws(ScriptError) -> Step {
    let id = InstrumentId(try integer(next()))
    let area = try area()
    let low = try price("band") ?? Price(ticks: -100_000)
    let tick = try price("tick") ?? Price(ticks: 1_000)
    let lot = try energy("lot") ?? Energy(wattHours: 1_000)
    let maker = Rate(partsPerMillion: try number("maker") ?? 0)
    let taker = Rate(partsPerMillion: try number("taker") ?? 0)
    let high = words.isEmpty ? Price(ticks: 100_000) : try Notation.price(next())
    return Step(
      .reference(
        .createInstrument(
          CreateInstrument(
            instrument: id, area: area, symbol: .empty, tick: tick, lot: lot, lowestPrice: low,
            highestPrice: high, makerFee: maker, takerFee: taker))))
  }
}

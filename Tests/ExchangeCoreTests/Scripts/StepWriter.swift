// Writes a step as the line that the parser reads back.

import MarketModel
import Wire

struct StepWriter {
  private var words: [String] = []

  static func line(_ step: Step) -> String {
    var writer = StepWriter()
    writer.write(step)
    if step.advance > 0, !isTick(step) { writer.words += ["after", "\(step.advance)s"] }
    if step.session != SessionId(1) { writer.words += ["by", "\(step.session.rawValue)"] }
    return writer.words.joined(separator: " ")
  }

  private static func isTick(_ step: Step) -> Bool {
    if case .control(.tick) = step.body { return true }
    return false
  }

  private mutating func write(_ step: Step) {
    let name = step.label ?? "?"
    switch step.body {
    case .enter(let order): write(order, name, step.countsUp)
    case .replace(let request):
      words += ["replace", name, Notation.energy(request.quantity), "@"]
      words += [Notation.price(request.price), "for", person(request.account)]
      number("id", request.clientOrderId.rawValue, step.countsUp)
    case .cancel(let request):
      words += ["cancel"]
      if let label = step.label { words.append(label) }
      if step.countsUp { words.append("byid") }
      words += ["for", person(request.account)]
      if step.label == nil { number("id", request.clientOrderId.rawValue, false) }
    case .order(.massCancel(let request)):
      words += ["mass", person(request.account)]
      if request.sides != .both { words.append(request.sides == .buy ? "bids" : "asks") }
      if request.instrument != .null { words += ["in", "\(request.instrument.rawValue)"] }
    case .order(.setAgent(let agent)): write(agent)
    case .cash(.transfer(let transfer)): write(transfer, step.countsUp)
    case .meterReading(let reading): write(reading, step.countsUp)
    case .cash(.deposit(let movement)): write("deposit", movement, step.countsUp)
    case .cash(.withdraw(let movement)): write("withdraw", movement, step.countsUp)
    case .control(.tick): words += ["tick", "\(step.advance)s"]
    case .reference(.setCap(let definition)):
      words += ["cap", person(definition.account), Notation.energy(definition.cap)]
      words += ["in", "\(definition.area.rawValue)"]
    case .reference(.setInstrumentState(let definition)):
      let verb = ["open", "halt", "close"][Int(definition.state.rawValue)]
      words += [verb, "\(definition.instrument.rawValue)"]
    default: writeDefinition(step.body)
    }
  }

  private func person(_ account: AccountId) -> String { Notation.person(account.rawValue) }

  private mutating func number(_ word: String, _ value: UInt64, _ countsUp: Bool) {
    if !countsUp { words += [word, "\(value)"] }
  }

  private mutating func write(_ order: NewOrder, _ name: String, _ countsUp: Bool) {
    words += ["enter", name, person(order.account), order.side == .buy ? "bid" : "ask"]
    words.append(Notation.energy(order.quantity))
    words += order.type == .market ? ["market"] : ["@", Notation.price(order.price)]
    words += ["in", "\(order.instrument.rawValue)"]
    if order.timeInForce != .goodTillCancel { words.append(Notation.word(order.timeInForce)) }
    if order.expireTime != .never { words += ["expires", Notation.time(order.expireTime)] }
    for (name, field) in NewOrder.flags where order[keyPath: field] {
      words.append(Notation.word(ofFlag: name))
    }
    if order.minimumQuantity != .zero { words += ["min", Notation.energy(order.minimumQuantity)] }
    if order.displayQuantity != .zero { words += ["show", Notation.energy(order.displayQuantity)] }
    if order.onBehalfOf != .exchange { words += ["behalf", "\(order.onBehalfOf.rawValue)"] }
    switch order.selfTradePrevention {
    case .cancelNewer: break
    case .cancelOlder: words += ["stp", "older"]
    case .cancelBoth: words += ["stp", "both"]
    case .decrementBoth: words += ["stp", "decrement"]
    }
    number("id", order.clientOrderId.rawValue, countsUp)
  }

  private mutating func write(_ agent: SetAgent) {
    words += ["agent", person(agent.account), "in", "\(agent.instrument.rawValue)"]
    if agent.sells {
      words += ["sell", Notation.price(agent.sellPrice), "above", Notation.energy(agent.sellAbove)]
    }
    if agent.buys {
      words += ["buy", Notation.price(agent.buyPrice), "below", Notation.energy(agent.buyBelow)]
    }
    if agent.target >= .zero { words += ["target", Notation.energy(agent.target)] }
  }

  private mutating func write(_ transfer: Transfer, _ countsUp: Bool) {
    words += ["send", person(transfer.from), person(transfer.to)]
    switch transfer.asset {
    case .cash: words += [Notation.money(transfer.amount), Notation.currency(transfer.currency)]
    case .energy: words += [Notation.energy(transfer.amount), "in", "\(transfer.area.rawValue)"]
    }
    number("id", transfer.clientOrderId.rawValue, countsUp)
  }

  private mutating func write(_ reading: MeterReading, _ countsUp: Bool) {
    words += ["meter", Notation.person(reading.meter.rawValue)]
    words += ["+" + Notation.energy(reading.produced), "-" + Notation.energy(reading.consumed)]
    if !countsUp {
      words += ["seq", "\(reading.registerSequence)"]
      words += ["from", Notation.time(reading.intervalStart)]
      words += ["to", Notation.time(reading.intervalEnd)]
    } else if reading.registerSequence > 0 {
      words += ["other", "\(reading.registerSequence)"]
    }
    if reading.quality != .measured { words += ["quality", "\(reading.quality)"] }
  }

  private mutating func write(_ verb: String, _ movement: CashMovement, _ countsUp: Bool) {
    words += [verb, person(movement.account), Notation.money(movement.amount.units)]
    words.append(Notation.currency(movement.currency))
    number("ref", movement.reference, countsUp)
    if movement.source != 0 { words += ["source", "\(movement.source)"] }
  }

  private mutating func writeDefinition(_ body: Command.Body) {
    switch body {
    case .reference(.createParticipant(let it)):
      words += ["participant", "\(it.participant.rawValue)"]
    case .reference(.registerSession(let it)) where it.selfTrade == .account:
      words += ["session", "\(it.session.rawValue)", "of", "\(it.participant.rawValue)"]
      words += ["roles", "\(it.roles.rawValue)", "key", "\(it.publicKey.word0)"]
      if it.orders == .cancel { words.append("cancelling") }
      if it.orders == .keep { words.append("keeping") }
    case .reference(.createAccount(let it)):
      words += ["account", person(it.account), "of", "\(it.participant.rawValue)"]
    case .reference(.createArea(let it)):
      words += ["area", "\(it.area.rawValue)", Notation.currency(it.currency)]
      words += ["cost", Notation.money(it.storageCost.units)]
      words += ["price", Notation.money(it.storagePrice.units)]
      words += ["feedin", Notation.price(it.feedInPrice)]
      words += ["retail", Notation.price(it.retailPrice)]
      words += ["loss", "\(it.lossFactor.partsPerMillion)"]
    case .reference(.setTariff(let it)):
      words += ["tariff", "\(it.area.rawValue)", "feedin", Notation.price(it.feedInPrice)]
      words += ["retail", Notation.price(it.retailPrice)]
    case .reference(.createInstrument(let it)):
      words += ["spot", "\(it.instrument.rawValue)", "in", "\(it.area.rawValue)"]
      words += ["tick", Notation.price(it.tick), "lot", Notation.energy(it.lot)]
      words += ["band", Notation.price(it.lowestPrice), Notation.price(it.highestPrice)]
      words += ["maker", "\(it.makerFee.partsPerMillion)"]
      words += ["taker", "\(it.takerFee.partsPerMillion)"]
    case .reference(.registerMeter(let it))
    where it.from == .never && !it.ownReadings && it.publicKey == PublicKey(0, 0, 0, 0)
      && it.account != .null && it.attestation == .device
      && it.technology == .unknown:
      words += ["register", Notation.person(it.meter.rawValue), person(it.account)]
      words += ["in", "\(it.area.rawValue)"]
      if it.capacity != 0 { words += ["power", "\(it.capacity)"] }
    case .control(.settlementConfirmed(let it)):
      words += ["settled", "\(it.batch)", "\(it.lastSequence.rawValue)"]
    case .control(.setRules(let it)): words += ["rules", "\(it.version)"]
    case .session(.endSession(let it)):
      words += ["lost", "\(it.session.rawValue)", "\(it.version)"]
    default: words.append(CommandText.text(body))
    }
  }
}

// Runs the engine and the reference model side by side: applies every step to both and compares
// their events and states.

import MarketModel

@testable import ExchangeCore

/// Collects events.
struct EventRecorder: EventSink {
  var events: [Event] = []
  mutating func emit(_ event: Event) { events.append(event) }
}

/// An exchange and a model that apply equal commands.
struct Market: ~Copyable {
  var exchange: Exchange
  var model: ReferenceModel
  /// Maps the names of orders in scripts to engine ids and back.
  private(set) var ids: [String: OrderId] = [:]
  private(set) var names: [OrderId: String] = [:]
  private(set) var now = Market.start
  private var sequence: UInt64 = 0
  private var owners: [String: AccountId] = [:]
  private var recorder = EventRecorder()

  /// The time at which scripts start.
  static let start: UInt64 = 1_800_000_000_000_000_000
  /// An order id that was never issued.
  static let unknownOrder = OrderId(slot: 0xFFFF_FFF0, generation: 1)

  init(capacity: Capacity = .script) {
    exchange = Exchange(capacity: capacity)
    // Accounts of scripts and random runs have few orders; these, too, must be found by the index.
    exchange.shares.walkLength = 2
    // Their lists are divided into blocks too.
    (exchange.blocks.least, exchange.blocks.most) = (4, 4)
    model = ReferenceModel(capacity: capacity)
  }

  /// The outcome of a step.
  struct Outcome {
    /// The events of the model.
    let events: [Event]
    /// The differences between engine and model; empty when they agree.
    let differences: [String]
    /// The kind of the first difference, so that a shortened script is checked for an equal one.
    let kind: String
  }

  /// Applies a step to both and compares; `deep` also walks orders and invariants.
  mutating func apply(_ step: Step, deep: Bool = true) -> Outcome {
    let command = command(step)
    recorder.events.removeAll(keepingCapacity: true)
    exchange.apply(command, into: &recorder)
    let expected = model.apply(command)
    learnNames(step, expected)
    var differences: [String] = []
    var kind = ""
    if recorder.events != expected {
      (kind, differences) = difference(expected, recorder.events)
    }
    compareBalances(&differences)
    if deep { compareBooks(&differences) }
    if kind.isEmpty, let first = differences.first { kind = String(first.prefix { $0 != ":" }) }
    return Outcome(events: expected, differences: differences, kind: kind)
  }

  /// Writes events as script text.
  var writer: EventWriter { EventWriter(names: names) }

  // MARK: Completing commands

  private mutating func command(_ step: Step) -> Command {
    sequence += 1
    now += step.advance * 1_000_000_000
    return Command(
      session: step.session, clientSequence: sequence, body: body(step),
      sequence: SequenceNumber(sequence), time: Timestamp(nanoseconds: now))
  }

  private func body(_ step: Step) -> Command.Body {
    switch step.body {
    case .enter(var order):
      if step.countsUp { order.clientOrderId = nextClientOrderId(order.account) }
      order.expireTime = time(order.expireTime)
      return .enter(order)
    case .replace(var request):
      request.order = order(step.label)
      if request.account == .null { request.account = owners[step.label ?? ""] ?? .null }
      if step.countsUp { request.clientOrderId = nextClientOrderId(request.account) }
      return .replace(request)
    case .cancel(var request):
      if request.account == .null { request.account = owners[step.label ?? ""] ?? .null }
      if step.label != nil { request.order = order(step.label) }
      if step.countsUp, let named = model.orders[request.order] {
        (request.order, request.clientOrderId) = (.null, named.clientOrderId)
      }
      return .cancel(request)
    case .cash(.transfer(var transfer)):
      if step.countsUp { transfer.clientOrderId = nextClientOrderId(transfer.from) }
      return .cash(.transfer(transfer))
    case .cash(.deposit(var movement)):
      if step.countsUp { movement.reference = nextReference(movement.account) }
      return .cash(.deposit(movement))
    case .cash(.withdraw(var movement)):
      if step.countsUp { movement.reference = nextReference(movement.account) }
      return .cash(.withdraw(movement))
    case .reference(.registerMeter(var meter)):
      if meter.from.nanoseconds != 0 { meter.from = time(meter.from) }
      return .reference(.registerMeter(meter))
    case .reference(.setParameter(var change)):
      if change.from.nanoseconds != 0 { change.from = time(change.from) }
      return .reference(.setParameter(change))
    case .reference(.withdrawParameter(var change)):
      if change.from.nanoseconds != 0 { change.from = time(change.from) }
      return .reference(.withdrawParameter(change))
    case .meterReading(let reading):
      return step.isExact ? step.body : .meterReading(fillIn(reading, step.countsUp))
    default: return step.body
    }
  }

  private func fillIn(_ given: MeterReading, _ countsUp: Bool) -> MeterReading {
    var reading = given
    if countsUp {
      let meter = model.meters[reading.meter]
      if model.rules >= 8 { return fillInInterval(reading, meter) }
      if model.rules >= 3 { return fillIn(reading, after: meter) }
      reading.registerSequence = (meter?.lastSequence ?? 0) + 1
      reading.intervalStart = max(
        meter?.lastEnd ?? Timestamp(nanoseconds: 0), Timestamp(nanoseconds: Self.start))
      reading.intervalEnd = Timestamp(
        nanoseconds: reading.intervalStart.nanoseconds + 900_000_000_000)
    } else {
      reading.intervalStart = time(reading.intervalStart)
      reading.intervalEnd = time(reading.intervalEnd)
    }
    return reading
  }

  /// The interval from the meter's last reading until now, or a second when that is empty; at most
  /// 15 minutes where the last reading is older.
  private func fillIn(_ given: MeterReading, after meter: ModelMeter?) -> MeterReading {
    var reading = given
    let start = max(meter?.lastEnd.nanoseconds ?? 0, now - 900_000_000_000)
    reading.intervalStart = Timestamp(nanoseconds: start)
    let isFormer = meter?.isUnderFormerKey(reading) == true
    reading.registerSequence =
      (isFormer ? meter?.sequenceBefore ?? 0 : meter?.lastSequence ?? 0) + 1
    reading.intervalEnd = Timestamp(nanoseconds: max(now, start + 1_000_000_000))
    return reading
  }

  /// Since version 8: as before, with the first register sequence. A sequence in the step chooses
  /// another interval (`RandomMarket.meter`).
  private func fillInInterval(_ given: MeterReading, _ meter: ModelMeter?) -> MeterReading {
    var reading = fillIn(given, after: meter)
    reading.registerSequence = 1
    guard given.registerSequence > 0, let meter else { return reading }
    let (choice, way) = given.registerSequence.quotientAndRemainder(dividingBy: 8)
    if let kept = meter.kept.isEmpty ? nil : meter.kept[Int(choice % UInt64(meter.kept.count))] {
      switch way {
      case 0...3:
        reading.intervalStart = kept.reading.intervalStart
        reading.intervalEnd = kept.reading.intervalEnd
        // Another version, or the same again.
        reading.registerSequence = kept.reading.registerSequence &+ (way == 0 ? 0 : 1)
      case 4:
        let end = kept.start
        reading.intervalStart = Timestamp(nanoseconds: end - 1_000_000_000)
        reading.intervalEnd = Timestamp(nanoseconds: end)
      case 5:
        reading.intervalStart = Timestamp(nanoseconds: kept.start + 500_000_000)
      default: break
      }
    }
    switch way {
    case 6: reading.registerSequence = 1 << 62 + choice % 3
    case 7:
      reading.intervalStart = Timestamp(
        nanoseconds: now - min(now, choice * 40_000_000_000_000) + 40_000_000_000)
      reading.intervalEnd = Timestamp(
        nanoseconds: reading.intervalStart.nanoseconds + 30_000_000_000)
    default: break
    }
    return reading
  }

  /// The time `seconds` after the start of the script.
  private func time(_ seconds: Timestamp) -> Timestamp {
    seconds == .never
      ? .never : Timestamp(nanoseconds: Self.start + seconds.nanoseconds * 1_000_000_000)
  }

  private func order(_ label: String?) -> OrderId { ids[label ?? ""] ?? Self.unknownOrder }

  private func nextClientOrderId(_ account: AccountId) -> ClientOrderId {
    ClientOrderId((model.accounts[account]?.lastClientOrderId.rawValue ?? 0) + 1)
  }

  private func nextReference(_ account: AccountId) -> UInt64 {
    let known = model.knownReferences.filter { $0.source == 0 && $0.account == account }
    return max(
      model.accounts[account]?.lastReference ?? 0, known.map(\.reference).max() ?? 0) + 1
  }

  /// The name of a new order: the one in the step, or `agent.ana` for an order of ana's
  /// instruction.
  private mutating func learnNames(_ step: Step, _ events: [Event]) {
    for case .accepted(let state) in events {
      let isAgents = state.clientOrderId == .engine
      let person = Notation.person(state.account.rawValue)
      let label = isAgents ? "agent.\(person)" : step.label ?? "?"
      ids[label] = state.order
      names[state.order] = label
      owners[label] = state.account
    }
  }

  // MARK: Comparison

  private func difference(_ model: [Event], _ engine: [Event]) -> (String, [String]) {
    let index =
      zip(model, engine).enumerated().first { $0.element.0 != $0.element.1 }?.offset
      ?? min(model.count, engine.count)
    func event(_ list: [Event]) -> String {
      index < list.count ? "\(list[index])" : "nothing"
    }
    func kind(_ list: [Event]) -> String {
      guard index < list.count else { return "nothing" }
      if case .rejected(let rejected) = list[index] { return "reject \(rejected.code.rawValue)" }
      return String("\(list[index])".prefix { $0 != "(" })
    }
    let lines = [
      "model says:  \(writer.text(model))", "engine says: \(writer.text(engine))",
      "event \(index) of the model:  \(event(model))",
      "event \(index) of the engine: \(event(engine))",
    ]
    return ("\(kind(model)) / \(kind(engine))", lines)
  }

  private func compareBalances(_ differences: inout [String]) {
    for position in model.positions {
      let expected = model.balance(position.key)
      let actual = exchange.balance(of: position.key.account, in: position.key.area)
      if position.energy < 0 { differences.append("energy below zero: \(text(expected))") }
      if expected != actual {
        differences.append("balance: model \(text(expected)), engine \(text(actual))")
      }
    }
    if exchange.counts.positions != UInt32(model.positions.count) {
      differences.append(
        "positions: model \(model.positions.count), engine \(exchange.counts.positions)")
    }
  }

  private func compareBooks(_ differences: inout [String]) {
    // After a drain that reached its bound the invariants may not hold yet.
    if model.queue.isEmpty {
      differences += exchange.invariantViolations().map { "invariant: \($0)" }
    }
    let expected = model.orders.values.sorted { $0.id < $1.id }.map(model.state)
    let actual = exchange.openOrders().sorted { $0.order < $1.order }
    if expected != actual {
      differences.append("orders: model \(expected), engine \(actual)")
    }
    for order in model.orders.values.sorted(by: { $0.id < $1.id }) {
      let (expected, actual) = (model.displayed(order), exchange.displayed(of: order.id))
      if actual == nil || actual?.total != expected.total || actual?.live != expected.live {
        differences.append("seen: model \(expected), engine \(String(describing: actual))")
      }
    }
    for key in model.cash.keys.sorted(by: CashKey.inOrder) {
      let held = model.cash[key] ?? ModelCash()
      let row = exchange.cash().first { $0.account == key.account && $0.currency == key.currency }
      if row?.free.units ?? 0 != held.free || row?.reserved.units ?? 0 != held.reserved {
        differences.append("cash of \(key): model \(held), engine \(String(describing: row))")
      }
    }
    for (id, area) in model.areas.sorted(by: { $0.key < $1.key }) {
      guard let totals = exchange.totals(of: id) else { continue }
      if totals.fees.units != area.fees || totals.grid.units != area.grid
        || totals.produced.wattHours != area.produced
        || totals.imported.wattHours != area.imported || !totals.isConserved
      {
        differences.append("area \(id): model \(area), engine \(totals)")
      }
    }
    for (currency, supply) in model.outside.sorted(by: { $0.key < $1.key })
    where exchange.supply(of: currency).units != supply {
      differences.append("supply: model \(supply), engine \(exchange.supply(of: currency).units)")
    }
  }

  /// The text of a `balance` line.
  func text(_ balance: Balance?) -> String {
    guard let balance else { return "none" }
    return [
      Notation.energy(balance.energy), "of", Notation.energy(balance.cap),
      "free", Notation.money(balance.free.units),
      "reserved", Notation.money(balance.reserved.units),
      "asks", "\(Notation.energy(balance.coveredAsks))/\(Notation.energy(balance.openAsks))",
      "bids", "\(Notation.energy(balance.coveredBids))/\(Notation.energy(balance.openBids))",
    ].joined(separator: " ")
  }
}

extension CashKey {
  static func inOrder(_ a: CashKey, _ b: CashKey) -> Bool {
    (a.account, a.currency) < (b.account, b.currency)
  }
}

extension Capacity {
  /// A capacity for scripts and random runs.
  static let script = Capacity(
    participants: 4, sessions: 16, accounts: 16, areas: 4, instruments: 8, meters: 32,
    positions: 48, orders: 1_024, priceLevels: 1_024,
    cashReferences: 4_096, readings: 8_192, tariffHistory: 64, quarantine: 64)
}

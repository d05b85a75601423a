// Runs engine and model over random steps and shortens the script when they differ.

import MarketModel

@testable import ExchangeCore

/// A difference between engine and model.
struct Divergence {
  let seed: UInt64
  let capacity: Capacity
  /// The shortened steps up to the one with the difference.
  let script: [Step]
  let differences: [String]

  /// A script to paste into a test, with the differences.
  var report: String {
    """
    engine and model differ; MODEL_SEED=\(seed) repeats it. Shortened to \(script.count) steps,
    with room for \(capacity.orders) orders, \(capacity.priceLevels) prices, of one account \
    \(capacity.accountOrders) and \(capacity.accountLevels), \(capacity.positions) positions, \(capacity.cascadeSteps) steps a drain:
    \(script.map { "      " + StepWriter.line($0) }.joined(separator: "\n"))
    \(differences.joined(separator: "\n"))
    """
  }
}

/// Statistics of a run, with which a test checks the coverage of the run.
struct Coverage {
  var commands = 0
  var counts: [String: Int] = [:]
  /// The capacity of the run.
  var capacity: Capacity?
  /// Sums over all events `accepted`: the quantity that waited on entry.
  var entered: Int64 = 0
  var waited: Int64 = 0
  /// A hash over the event and state hashes at the end of every run.
  private var hash: UInt64 = 0

  mutating func note(_ events: [Event]) {
    commands += 1
    var selfTraders: Set<AccountId> = []
    for event in events {
      count(Self.kind(event))
      switch event {
      case .accepted(let state):
        if state.quantity.wattHours <= RandomMarket.usualQuantity {
          entered += state.leaves.wattHours
          waited += state.waiting.wattHours
        }
        if state.clientOrderId == .engine { count("agent order") }
      case .rejected(let rejected):
        if rejected.code == .balanceLimit, rejected.limit == Limit.cash { count("bound of cash") }
        if rejected.code == .orderShare { count("share", rejected) }
      case .canceled(let canceled):
        if canceled.reason == .selfTrade { selfTraders.insert(canceled.state.account) }
        if selfTraders.count > 1 { count("self-trade of a participant") }
      case .metered(let metered):
        if metered.imported > .zero { count("import") }
        if metered.exported > .zero { count("export") }
        if metered.lost > .zero { count("loss") }
        if metered.own > .zero { count("own use") }
        if metered.boughtLocally > .zero { count("bought locally") }
        if metered.soldLocally > .zero { count("sold locally") }
        if metered.boughtLocally > .zero, metered.imported > .zero { count("lack in part") }
      case .metering(.corrected(let done)):
        if done.exportsBack > .zero { count("exports back") }
        if done.importsBack > .zero { count("imports back") }
        if done.exported > .zero { count("export of a correction") }
        if done.imported > .zero { count("import of a correction") }
        if !done.countsProduction { count("correction that does not count") }
      case .trade(let trade):
        if trade.price < .zero { count("trade below zero") }
        if trade.buyer.fee > .zero { count("trade with fee") }
        if trade.isLocal { count("local trade") }
      default: break
      }
    }
  }

  /// Counts a reject because of a share by the bound that was met.
  private mutating func count(_ kind: String, _ rejected: Rejected) {
    guard let capacity else { return }
    let names: [(UInt32, String)] = [
      (capacity.accountOrders, "orders of an account"),
      (capacity.accountLevels, "levels of an account"),
      ((capacity.orders + 1) / 2, "half of the orders"),
      ((capacity.priceLevels + 1) / 2, "half of the levels"),
      ((capacity.orders + 63) / 64, "last eighth of the orders"),
      ((capacity.priceLevels + 63) / 64, "last eighth of the levels"),
    ]
    let name = names.first { Int64($0.0) == rejected.limit }?.1 ?? "unknown"
    count("\(kind): \(name)")
  }

  mutating func count(_ kind: String) { counts[kind, default: 0] += 1 }

  /// The event's name, with code or reason.
  private static func kind(_ event: Event) -> String {
    switch event {
    case .rejected(let rejected): "reject \(rejected.code.rawValue)"
    case .canceled(let canceled): "cancel \(canceled.reason)"
    case .control(.alarm(let alarm)): "alarm \(alarm.kind)"
    case .order(.displayed(let seen)): seen.isRefilled ? "refilled" : "displayed"
    case .accepted: "accepted"
    case .replaced: "replaced"
    case .restated: "restated"
    case .trade: "trade"
    case .balance: "balance"
    case .metered: "metered"
    case .order(let event): name(event)
    case .cash(let event): name(event)
    case .reference(let event): name(event)
    case .metering(let event): name(event)
    case .session(let event): name(event)
    case .control(let event): name(event)
    }
  }

  /// The name of a case that has a payload.
  private static func name(_ event: Any) -> String {
    Mirror(reflecting: event).children.first?.label ?? "\(event)"
  }

  /// Folds a hash of the run into that of all runs. A change without an effect on behaviour keeps
  /// it.
  mutating func fold(_ word: UInt64) {
    hash = (hash ^ word) &* 0x100_0000_01B3
    hash ^= hash >> 29
  }

  /// One line for each kind of event and code, with its count.
  var table: String {
    let rows = counts.sorted { $0.key < $1.key }.map { kind, count in
      let name =
        RejectCode.all.first { kind == "reject \($0.code.rawValue)" }.map { " \($0.name)" } ?? ""
      let label = kind + name
      let number = String(count)
      let dots = max(2, 44 - label.count - number.count)
      return "\(label) \(String(repeating: ".", count: dots)) \(number)"
    }
    let share = entered == 0 ? 0 : waited * 100 / entered
    return
      (rows + [
        "\(commands) commands; \(share) % of the quantity waited on entry",
        "event and state hashes \(String(hash, radix: 16))",
      ])
      .joined(separator: "\n")
  }
}

enum Comparison {
  /// Steps between comparisons of orders, books and invariants; balances and events are always
  /// compared.
  static let deepEvery = 64

  /// Runs `commands` random steps.
  static func run(seed: UInt64, commands: Int, coverage: inout Coverage) -> Divergence? {
    var random = RandomMarket(seed: seed)
    var market = Market(capacity: random.capacity)
    var steps = random.world()
    var count = 0
    coverage.capacity = random.capacity
    while count < commands {
      if count >= steps.count { steps.append(random.step(open: market.openLabels)) }
      let outcome = market.apply(steps[count], deep: count % deepEvery == 0)
      coverage.note(outcome.events)
      if market.exchange.shares.clientOrders.count > 0 { coverage.count("indexed") }
      count += 1
      if !outcome.differences.isEmpty {
        return shorten(Array(steps.prefix(count)), seed, random.capacity, outcome)
      }
    }
    coverage.fold(market.exchange.eventHash)
    coverage.fold(market.exchange.stateHash())
    return nil
  }

  /// The first step of `steps` with a difference of kind `kind`; compares everything after each
  /// step.
  private static func firstDivergence(_ steps: [Step], _ capacity: Capacity, _ kind: String)
    -> (count: Int, differences: [String])?
  {
    var market = Market(capacity: capacity)
    for (index, step) in steps.enumerated() {
      let outcome = market.apply(step)
      if !outcome.differences.isEmpty {
        return outcome.kind == kind ? (index + 1, outcome.differences) : nil
      }
    }
    return nil
  }

  /// The script without `range`; the step after it may advance the clock by the time of the range.
  private static func leavingOut(_ range: Range<Int>, of script: [Step], keepsTime: Bool) -> [Step]
  {
    var rest = Array(script[..<range.lowerBound] + script[range.upperBound...])
    if keepsTime, rest.indices.contains(range.lowerBound) {
      rest[range.lowerBound].advance += script[range].reduce(0) { $0 + $1.advance }
    }
    return rest
  }

  /// Delta debugging: removes smaller and smaller ranges while the rest still shows the difference.
  static func shorten(
    _ steps: [Step], _ seed: UInt64, _ capacity: Capacity, _ outcome: Market.Outcome
  ) -> Divergence {
    guard let first = firstDivergence(steps, capacity, outcome.kind) else {
      return Divergence(
        seed: seed, capacity: capacity, script: steps, differences: outcome.differences)
    }
    var script = Array(steps.prefix(first.count))
    var differences = first.differences
    var part = max(1, script.count / 2)
    while true {
      var start = 0
      var removed = false
      while start < script.count {
        let end = min(start + part, script.count)
        let shorter = [true, false].lazy.compactMap { keepsTime in
          let candidate = leavingOut(start..<end, of: script, keepsTime: keepsTime)
          return firstDivergence(candidate, capacity, outcome.kind).map {
            (script: Array(candidate.prefix($0.count)), differences: $0.differences)
          }
        }.first
        if let shorter {
          (script, differences) = (shorter.script, shorter.differences)
          removed = true
        } else {
          start += part
        }
      }
      if part == 1 && !removed { break }
      part = max(1, part / 2)
    }
    return Divergence(seed: seed, capacity: capacity, script: script, differences: differences)
  }
}

extension Market {
  /// Names of the open orders, in order of their ids.
  var openLabels: [String] { model.orders.keys.sorted().compactMap { names[$0] } }
}

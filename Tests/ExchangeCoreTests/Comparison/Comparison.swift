// Runs engine and model over the same steps; when they differ, makes the script short.

import ExchangeCore
import MarketModel

/// Where engine and model parted.
struct Divergence {
  let seed: UInt64
  /// Steps up to the one that differs, shortened.
  let script: [Step]
  let differences: [String]

  /// A script to paste into a test, and what differs.
  var report: String {
    """
    engine and model differ; MODEL_SEED=\(seed) repeats it. Shortened to \(script.count) steps:
    \(script.map { "      " + StepWriter.line($0) }.joined(separator: "\n"))
    \(differences.joined(separator: "\n"))
    """
  }
}

/// What a run met, so that a test can ask whether it met enough.
struct Coverage {
  var commands = 0
  var counts: [String: Int] = [:]
  /// Sums over all events `accepted`: how much waited on entry.
  var entered: Int64 = 0
  var waited: Int64 = 0

  mutating func note(_ events: [Event]) {
    commands += 1
    for event in events {
      switch event {
      case .rejected(let rejected): counts["reject \(rejected.code.rawValue)", default: 0] += 1
      case .canceled(let canceled): counts["cancel \(canceled.reason)", default: 0] += 1
      case .trade: counts["trade", default: 0] += 1
      case .restated: counts["restated", default: 0] += 1
      case .alarm: counts["alarm", default: 0] += 1
      case .accepted(let state):
        entered += state.leaves.wattHours
        waited += state.waiting.wattHours
        if state.clientOrderId == .engine { counts["agent order", default: 0] += 1 }
      case .metered(let metered):
        if metered.imported > .zero { counts["import", default: 0] += 1 }
        if metered.exported > .zero { counts["export", default: 0] += 1 }
      default: break
      }
    }
  }

  mutating func add(_ other: Coverage) {
    commands += other.commands
    entered += other.entered
    waited += other.waited
    counts.merge(other.counts, uniquingKeysWith: +)
  }
}

enum Comparison {
  /// How often orders, books and invariants are compared too; balances and events always are.
  static let deepEvery = 64

  /// Runs `commands` random steps.
  static func run(seed: UInt64, commands: Int, coverage: inout Coverage) -> Divergence? {
    var market = Market()
    var random = RandomMarket(seed: seed)
    var steps = random.world()
    var count = 0
    while count < commands {
      if count >= steps.count { steps.append(random.step(open: market.openLabels)) }
      let outcome = market.apply(steps[count], deep: count % deepEvery == 0)
      coverage.note(outcome.events)
      count += 1
      if !outcome.differences.isEmpty {
        return shorten(Array(steps.prefix(count)), seed, outcome)
      }
    }
    return nil
  }

  /// Where `steps` first differ in the way `kind`, comparing everything after each.
  private static func firstDivergence(_ steps: [Step], _ kind: String)
    -> (count: Int, differences: [String])?
  {
    var market = Market()
    for (index, step) in steps.enumerated() {
      let outcome = market.apply(step)
      if !outcome.differences.isEmpty {
        return outcome.kind == kind ? (index + 1, outcome.differences) : nil
      }
    }
    return nil
  }

  /// Delta debugging: leaves out ever smaller parts as long as what remains still differs.
  static func shorten(_ steps: [Step], _ seed: UInt64, _ outcome: Market.Outcome) -> Divergence {
    guard let first = firstDivergence(steps, outcome.kind) else {
      return Divergence(seed: seed, script: steps, differences: outcome.differences)
    }
    var script = Array(steps.prefix(first.count))
    var differences = first.differences
    var part = max(1, script.count / 2)
    while true {
      var start = 0
      var removed = false
      while start < script.count {
        let candidate = Array(script[..<start] + script[min(start + part, script.count)...])
        if let shorter = firstDivergence(candidate, outcome.kind) {
          script = Array(candidate.prefix(shorter.count))
          differences = shorter.differences
          removed = true
        } else {
          start += part
        }
      }
      if part == 1 && !removed { break }
      part = max(1, part / 2)
    }
    return Divergence(seed: seed, script: script, differences: differences)
  }
}

extension Market {
  /// Names of the open orders, in order of their ids.
  var openLabels: [String] { model.orders.keys.sorted().compactMap { names[$0] } }
}

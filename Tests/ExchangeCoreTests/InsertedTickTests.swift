import ExchangeCore
import MarketModel
import Testing

/// Section 4, "The schedule": it does not matter how many commands come between two moments.
@Suite("Rule 4: ticks anywhere")
struct InsertedTickTests {
  @Test("Ticks that are inserted anywhere change no level, no cash and no order.")
  func ticks() {
    for seed in UInt64(1)...40 {
      var random = RandomMarket(seed: seed)
      // A drain that reaches its bound goes on with the next command, whatever that is.
      var capacity = random.capacity
      capacity.cascadeSteps = Capacity.script.cascadeSteps
      var plain = Market(capacity: capacity)
      var ticked = Market(capacity: capacity)
      var other = SeededRandom(seed: seed &+ 1_000)
      var steps =
        [Step(.control(.setRules(SetRules(version: RulesVersion.newest))), by: 0)] + random.world()
      for count in 0..<1_500 {
        if count >= steps.count { steps.append(random.step(open: plain.openLabels)) }
        var step = steps[count]
        if Int.random(in: 0..<20, using: &other) == 0 { step.advance += 30 }
        steps[count] = step
        _ = plain.apply(step, deep: false)
        while step.advance > 0, Bool.random(using: &other) {
          var tick = Step(.control(.tick), by: 0)
          tick.advance = UInt64.random(in: 1...step.advance, using: &other)
          step.advance -= tick.advance
          _ = ticked.apply(tick, deep: false)
        }
        _ = ticked.apply(step, deep: false)
        guard count % 50 == 49 else { continue }
        #expect(ticked.state == plain.state, "seed \(seed), step \(count)")
        if ticked.state != plain.state { return }
      }
    }
  }
}

extension Market {
  /// Balances, cash and orders as text.
  fileprivate var state: [String] {
    let positions = model.positions.map {
      "\(String(describing: exchange.balance(of: $0.key.account, in: $0.key.area)))"
    }
    let cash = exchange.cash().map { "\($0)" }
    let orders = exchange.openOrders().sorted { $0.order < $1.order }.map { "\($0)" }
    return positions + cash + orders
  }
}

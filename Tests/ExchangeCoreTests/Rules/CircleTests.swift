import ExchangeCore
import MarketModel
import Testing

// Section 4, "Circles": accounts that hand the same energy to and fro stop after a bounded number of turns.

@Suite("Rule 4: circles")
struct CircleTests {
  /// Three accounts of one firm without cash; energy costs nothing and trades carry no fee.
  static let world = """
    rules 7 by 0
    participant 1 by 0
    session 1 of 1 roles 7 by 0
    area 1 cost 1500.00 price 200.00
    spot 1 lot 1Wh
    spot 2 lot 1Wh
    account ana of 1
    account ben of 1
    account cy of 1
    register ana ana power 1000000000
    register ben ben power 1000000000
    register cy cy power 1000000000
    """

  /// Orders with which ana and ben buy 1 kWh from each other 1,000 times; the last one begins.
  private static let circle = [
    "meter ana +1kWh after 900s", "enter A1 ana bid 1000kWh @ 0.00 in 2",
    "enter B1 ben bid 1000kWh @ 0.00", "enter B2 ben ask 1000kWh @ 0.00 in 2",
    "enter A2 ana ask 1000kWh @ 0.00",
  ]

  /// Applies steps to engine and model.
  /// - Returns: The events of the last one.
  private func events(
    _ steps: [String], world: String = CircleTests.world, capacity: Capacity = .script,
    by labels: inout Market
  ) throws -> [Event] {
    var last: [Event] = []
    for step in Script.lines(world).map(\.action) + steps {
      let outcome = labels.apply(try StepParser.step(step))
      #expect(outcome.differences.isEmpty, "\(step): \(outcome.differences.prefix(3))")
      last = outcome.events
    }
    return last
  }

  private func canceled(_ events: [Event]) -> [(AccountId, CancelReason)] {
    events.compactMap { event in
      if case .canceled(let canceled) = event { return (canceled.state.account, canceled.reason) }
      return nil
    }
  }

  private func trades(_ events: [Event]) -> Int {
    events.count { if case .trade = $0 { true } else { false } }
  }

  @Test(
    "Two accounts that hand 1 kWh to and fro lose their orders after a bounded number of trades.")
  func twoAccounts() throws {
    var market = Market(capacity: .script)
    let last = try events(Self.circle, by: &market)
    let ends = canceled(last)
    #expect(trades(last) == 96)
    #expect(ends.map(\.0) == [AccountId(2), AccountId(2)])
    #expect(ends.allSatisfy { $0.1 == .circle })
  }

  @Test("Before version 7 they trade until their orders end.")
  func before() throws {
    var market = Market(capacity: .script)
    let last = try events(
      Self.circle, world: Self.world.replacing("rules 7", with: "rules 6"), by: &market)
    #expect(canceled(last).isEmpty)
    #expect(trades(last) >= 1_000)
  }

  @Test(
    "Standing instructions that hand energy to and fro are not consulted until the next command.")
  func instructions() throws {
    var market = Market(capacity: .script)
    let last = try events(
      [
        "agent ana sell 0.00 above 1kWh buy 0.00 below 0kWh target 1Wh",
        "agent ben sell 0.00 above 1kWh buy 0.00 below 0kWh target 2Wh",
        "meter ana +5kWh after 900s",
      ], by: &market)
    #expect(trades(last) < 200)
  }

  @Test("Any number of orders in one turn, and of accounts with one turn each, is no circle.")
  func manyOrders() throws {
    var market = Market(capacity: .script)
    let bids = (1...200).map { "enter B\($0) ben bid 10Wh @ 0.00" }
    let last = try events(
      bids + ["enter A1 ana ask 2kWh @ 0.00", "meter ana +2kWh after 900s"], by: &market)
    #expect(trades(last) == 200)
    #expect(canceled(last).isEmpty)
  }

  @Test("Engine and model agree on random circles, and each command's trades are bounded.")
  func random() throws {
    var ended = 0
    for seed in UInt64(1)...20 { ended += try randomCircles(seed: seed) }
    #expect(ended > 0)
  }

  /// - Returns: How many orders ended because of a circle.
  private func randomCircles(seed: UInt64) throws -> Int {
    var random = SeededRandom(seed: seed)
    var market = Market(capacity: .script)
    _ = try events([], by: &market)
    let names = ["ana", "ben", "cy"]
    var ended = 0
    for number in 1...150 {
      let name = names[Int(random.next() % 3)]
      let step =
        switch random.next() % 8 {
        case 0: "meter \(name) +\(1 + random.next() % 900)Wh after 900s"
        case 1: "meter \(name) -\(1 + random.next() % 300)Wh after 900s"
        case 2: "mass \(name)"
        default:
          "enter O\(number) \(name) \(random.next() % 2 == 0 ? "ask" : "bid") "
            + "\(1 + random.next() % 9)000kWh @ 0.00 in \(1 + random.next() % 2)"
        }
      let outcome = market.apply(try StepParser.step(step))
      #expect(
        outcome.differences.isEmpty, "seed \(seed), \(step): \(outcome.differences.prefix(3))")
      // 32 turns that are not counted, 32 of each account, and each turn meets the open orders.
      #expect(trades(outcome.events) <= 32 * (1 + 3) * 150, "seed \(seed), \(step)")
      ended += canceled(outcome.events).count { $0.1 == .circle }
    }
    return ended
  }
}

import MarketModel
import Presentation
import Testing

@testable import Community

@Suite("Traders")
struct TraderTests {
  private func readings(_ model: CommunityModel, _ index: Int) -> OwnReadings {
    let before = model.customers[index].dayBefore
    return OwnReadings(produced: before.production, consumed: before.consumption)
  }

  @Test("A zero-intelligence bot never offers to trade at a loss against its value.")
  func zeroIntelligenceKeepsItsBudget() throws {
    let model = try CommunityModel.simbench()
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed, stream: 0)
    var offers = 0
    for index in model.customers.indices.prefix(60) {
      let value = Price(ticks: random.price(in: 8_000...32_000, tick: 10))
      let cap = model.cap(of: index)
      let orders = AccountOrders(
        account: Population.account(index), instrument: Population.instrument, cap: cap,
        terms: model.terms, readings: readings(model, index))
      var bot = ZeroIntelligenceTrader(
        name: "zi", orders: orders, sells: model.customers[index].hasRoof, value: value,
        random: SeededRandom(seed: seed, stream: UInt64(index)))
      for interval in 0..<96 {
        let held = Energy(wattHours: Int64.random(in: 0...cap.wattHours, using: &random))
        bot.receive(.balance(Population.account(index), energy: held, cap: cap, free: .zero))
        for case .enter(let order) in bot.act(
          in: MarketView(interval: interval, intervalsPerDay: 96))
        {
          offers += 1
          let fair = order.side == .buy ? order.price <= value : order.price >= value
          #expect(fair, "seed \(seed): \(order.side) at \(order.price.ticks), value \(value.ticks)")
        }
      }
    }
    #expect(offers > 1_000)
  }

  @Test("A replace adds the executed quantity to the desired open quantity.")
  func replaceCountsWhatExecuted() throws {
    let account = AccountId(1)
    var orders = AccountOrders(
      account: account, instrument: InstrumentId(1), cap: Energy(wattHours: 2_000),
      terms: .european)
    orders.receive(
      .accepted(
        account, ClientOrderId(1), OrderId(9), .sell, Price(ticks: 10_000),
        quantity: Energy(wattHours: 500)))
    orders.receive(
      .traded(
        account, OrderId(9), .sell, Price(ticks: 10_000), quantity: Energy(wattHours: 200),
        leaves: Energy(wattHours: 300)))
    let order = try #require(orders.open.first)
    let commands = orders.replace(
      order, price: Price(ticks: 11_000), leaves: Energy(wattHours: 100))
    guard case .replace(let change)? = commands.first else {
      Issue.record("no replace")
      return
    }
    #expect(change.quantity == Energy(wattHours: 300))
    #expect(change.price == Price(ticks: 11_000))
  }

  @Test("Every customer has one trader or lends its storage; the village has every kind.")
  func population() throws {
    for model in [try CommunityModel.simbench(), try CommunityModel.fontana()] {
      let population = Population(of: model, seed: 3)
      let accounts = population.traders.flatMap(\.accounts)
      #expect(Set(accounts).count == accounts.count)
      let lenders = model.customers.indices.filter { population.behaviours[$0].lends }
      for index in model.customers.indices {
        #expect(lenders.contains(index) != accounts.contains(Population.account(index)))
        // Who lends its storage has no use for it alone, and loses nothing by it.
        #expect(!population.behaviours[index].lends || !model.customers[index].hasRoof)
      }
      #expect(accounts.contains(Population.account(model.customers.count)))
      // The storage is the same as without the market; only its owners change.
      let all = population.caps.reduce(population.battery.wattHours) { $0 + $1.wattHours }
      #expect(all == model.capacity.wattHours)
    }
    let village = Population(of: try CommunityModel.simbench(), seed: 3)
    #expect(Set(village.behaviours) == Set(Behaviour.allCases))
    #expect(village.behaviours.count { $0 == .zeroIntelligence } >= 10)
    #expect(village.traders.count >= 15)
  }
}

@Suite("Traders that hold what is needed")
struct StorageTraderTests {
  private let account = AccountId(1)
  /// Nothing is stored at first; the cap is 8 kWh, feed-in 8 and retail price 32 ct.
  private func orders(cap: Int64 = 8_000, _ readings: OwnReadings = OwnReadings()) -> AccountOrders
  {
    AccountOrders(
      account: account, instrument: InstrumentId(1), cap: Energy(wattHours: cap),
      terms: .european, readings: readings)
  }

  /// A day of four intervals: night, noon, noon, evening.
  private let sunny = OwnReadings(
    produced: EnergySeries(wattHours: [0, 3_000, 3_000, 0]),
    consumed: EnergySeries(wattHours: [500, 1_000, 1_000, 1_500]))

  private let view = MarketView(interval: 0, intervalsPerDay: 4)

  /// What `commands` enter, set or cancel, in short.
  private func words(_ commands: [Command.Body]) -> [String] {
    commands.map { command in
      switch command {
      case .enter(let order):
        "\(order.side) \(order.quantity.wattHours) @ \(order.price.ticks)"
      case .replace(let change):
        "replace \(change.order.rawValue): \(change.quantity.wattHours) @ \(change.price.ticks)"
      case .cancel(let cancel): "cancel \(cancel.order.rawValue)"
      case .order(.massCancel): "cancel all"
      case .order(.setAgent(let agent)):
        "level \(agent.target.wattHours), sell @ \(agent.sellPrice.ticks) above "
          + "\(agent.sellAbove.wattHours), "
          + (agent.buys
            ? "buy @ \(agent.buyPrice.ticks) below \(agent.buyBelow.wattHours)" : "no buying")
      default: "\(command)"
      }
    }
  }

  @Test("The need is the largest lack of the coming day, if it is the last one again.")
  func need() {
    var readings = sunny
    // Before the night: 500, then the sun is back.
    #expect(readings.need == Energy(wattHours: 500))
    readings.append(produced: .zero, consumed: Energy(wattHours: 700))
    #expect(readings.need == .zero)
    readings.append(produced: Energy(wattHours: 3_000), consumed: Energy(wattHours: 1_000))
    // From noon: 2,000 come first, then 1,500 and 700 are used.
    #expect(readings.need == Energy(wattHours: 200))
    readings.append(produced: .zero, consumed: Energy(wattHours: 1_000))
    // The evening's 1,500 and the night's 700.
    #expect(readings.need == Energy(wattHours: 2_200))
    #expect(readings.dailyConsumption == Energy(wattHours: 4_200))
    #expect(OwnReadings().need == .zero)
  }

  @Test("A member of the cooperative bids for all of its storage and offers what it will not need.")
  func cooperative() {
    var trader = Cooperative(
      members: [Cooperative.Member(orders: orders(sunny), value: Price(ticks: 15_000))])
    trader.receive(
      .balance(
        account, energy: Energy(wattHours: 3_000), cap: Energy(wattHours: 8_000), free: .zero))
    #expect(words(trader.act(in: view)) == ["sell 2500 @ 15000", "buy 8000 @ 14520"])
    trader.receive(
      .accepted(
        account, ClientOrderId(1), OrderId(7), .sell, Price(ticks: 15_000),
        quantity: Energy(wattHours: 2_500)))
    trader.receive(
      .accepted(
        account, ClientOrderId(2), OrderId(8), .buy, Price(ticks: 14_520),
        quantity: Energy(wattHours: 8_000)))
    // Little has changed: the orders stay. A twentieth of the cap is 400 Wh.
    trader.receive(
      .balance(
        account, energy: Energy(wattHours: 3_400), cap: Energy(wattHours: 8_000), free: .zero))
    #expect(words(trader.act(in: view)) == [])
    trader.receive(
      .balance(
        account, energy: Energy(wattHours: 500), cap: Energy(wattHours: 8_000), free: .zero))
    #expect(words(trader.act(in: view)) == ["cancel 7"])
  }

  @Test("A standing instruction holds the need, and is renewed when that moves.")
  func homeProgram() {
    var trader = HomeProgram(
      homes: [HomeProgram.Home(orders: orders(sunny), value: Price(ticks: 15_000))])
    #expect(
      words(trader.act(in: view)) == ["level 500, sell @ 15000 above 501, buy @ 22400 below 499"])
    #expect(words(trader.act(in: view)) == [])
    trader.receive(
      .accepted(
        account, .engine, OrderId(9), .buy, Price(ticks: 22_400), quantity: Energy(wattHours: 500)))
    // The night has passed, and nothing is needed before the sun is back.
    trader.receive(.reading(account, produced: .zero, consumed: Energy(wattHours: 500)))
    #expect(
      words(trader.act(in: view)) == ["level 0, sell @ 15000 above 1, no buying", "cancel all"])
  }

  @Test("What is used at home is no longer offered.")
  func homeProgramWithdraws() {
    var trader = HomeProgram(
      homes: [HomeProgram.Home(orders: orders(sunny), value: Price(ticks: 15_000))])
    _ = trader.act(in: view)
    func hold(_ wattHours: Int64) {
      trader.receive(
        .balance(
          account, energy: Energy(wattHours: wattHours), cap: Energy(wattHours: 8_000), free: .zero)
      )
    }
    hold(2_000)
    trader.receive(
      .accepted(
        account, .engine, OrderId(9), .sell, Price(ticks: 15_000),
        quantity: Energy(wattHours: 1_500)))
    #expect(words(trader.act(in: view)) == [])
    hold(1_600)
    #expect(words(trader.act(in: view)) == [])
    hold(1_599)
    #expect(words(trader.act(in: view)) == ["cancel all"])
  }

  @Test("The battery bids for its empty slices and offers the full ones, dearer the less it holds.")
  func battery() {
    var trader = BatteryOperator(orders: orders(cap: 80_000))
    #expect(trader.plan.count == 8)
    for (slice, prices) in trader.plan.enumerated() {
      #expect(prices.bid < prices.ask)
      #expect(prices.bid > MarketTerms.european.feedIn && prices.ask < MarketTerms.european.retail)
      #expect(slice == 0 || prices.ask < trader.plan[slice - 1].ask)
      // Also the next slice's ask is above the bid of a slice with less in it, for no bid meets an
      // ask of the same battery that is in the book with it.
      #expect(slice == 0 || prices.ask < trader.plan[slice - 1].bid)
    }
    let empty = words(trader.act(in: view))
    #expect(empty.count == 9)
    #expect(empty.first == "sell 80000 @ \(trader.plan[0].ask.ticks)")
    #expect(empty[1] == "buy 10000 @ \(trader.plan[0].bid.ticks)")
    #expect(empty.last == "buy 80000 @ \(trader.plan[7].bid.ticks)")
    // 25 kWh: two slices are full, the third is half full.
    trader.receive(
      .balance(
        account, energy: Energy(wattHours: 25_000), cap: Energy(wattHours: 80_000), free: .zero))
    let filled = words(trader.act(in: view))
    #expect(
      filled == [
        "sell 80000 @ \(trader.plan[0].ask.ticks)", "sell 10000 @ \(trader.plan[1].ask.ticks)",
        "sell 5000 @ \(trader.plan[2].ask.ticks)", "buy 5000 @ \(trader.plan[2].bid.ticks)",
        "buy 10000 @ \(trader.plan[3].bid.ticks)", "buy 10000 @ \(trader.plan[4].bid.ticks)",
        "buy 10000 @ \(trader.plan[5].bid.ticks)", "buy 10000 @ \(trader.plan[6].bid.ticks)",
        "buy 80000 @ \(trader.plan[7].bid.ticks)",
      ])
  }
}

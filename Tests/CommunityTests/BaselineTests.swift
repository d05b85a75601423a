import MarketModel
import Testing

@testable import Community

@Suite("The community without an exchange")
struct BaselineTests {
  /// Fontana's homes with these customers, in Wh of successive hours.
  private func model(_ customers: [(consumed: [Int64], produced: [Int64])]) throws -> CommunityModel
  {
    var model = try CommunityModel.fontana().first(days: 1)
    model.customers = customers.map { customer in
      let empty = EnergySeries(zeros: customer.consumed.count)
      return Customer(
        name: "House", kind: .household, consumption: EnergySeries(wattHours: customer.consumed),
        production: EnergySeries(wattHours: customer.produced), dayBefore: (empty, empty))
    }
    return model
  }

  @Test(
    "A customer alone: own use first, then production fills the share; the rest is traded with the grid."
  )
  func oneCustomerByHand() throws {
    // Cap 8 kWh: imports 500; uses 1 of 12, holds 8, exports 3; uses 6 of 8; imports 1.
    let alone = Baseline(of: try model([([500, 1_000, 6_000, 3_000], [0, 12_000, 0, 0])]))
    var expected = EnergyTotals()
    expected.produced = 12_000
    expected.consumed = 10_500
    expected.imported = 1_500
    expected.exported = 3_000
    #expect(alone.customers == [expected])
    #expect(alone.intervals.map(\.heldAtEnd) == [0, 8_000, 2_000, 0])
    #expect(alone.netCost == [Money(units: 1_500 * 36_000 - 3_000 * 8_000)])
    #expect(alone.cost == alone.netCost[0])
  }

  /// Three homes: one makes 9 and 0 kWh, the others use 2 and 1, then 4 and 5 kWh.
  private var three: [(consumed: [Int64], produced: [Int64])] {
    [([0, 0], [9_000, 0]), ([2_000, 4_000], [0, 0]), ([1_000, 5_000], [0, 0])]
  }

  @Test(
    "Netted without storage: surplus meets lack of the same hour, paid at the middle of the tariff."
  )
  func nettedByHand() throws {
    let netted = Baseline(of: try model(three), sharing: .zero)
    // First hour: 3 of 9 are used next door, 6 exported. Second hour: 9 imported.
    #expect(netted.customers.map(\.exported) == [6_000, 0, 0])
    #expect(netted.customers.map(\.imported) == [0, 4_000, 5_000])
    #expect(netted.intervals.map(\.heldAtEnd) == [0, 0])
    #expect(
      netted.netCost == [
        Money(units: -6_000 * 8_000 - 3_000 * 22_000),
        Money(units: 2_000 * 22_000 + 4_000 * 36_000),
        Money(units: 1_000 * 22_000 + 5_000 * 36_000),
      ])
    #expect(netted.batteryCost == .zero)
    #expect(netted.total.selfSufficiency == 0.25)
  }

  @Test("One shared battery: it takes what is left of the surplus and gives it by lack, to the Wh.")
  func sharedByHand() throws {
    let shared = Baseline(of: try model(three), sharing: Energy(wattHours: 5_000))
    // First hour: 3 used next door, 5 stored, 1 exported. Second hour: 5 of 9 from the battery; of 4
    // imported 4/9 and 5/9: 1,777.8 and 2,222.2, rounded to 1,778 and 2,222.
    #expect(shared.customers.map(\.exported) == [1_000, 0, 0])
    #expect(shared.customers.map(\.imported) == [0, 1_778, 2_222])
    #expect(shared.intervals.map(\.heldAtEnd) == [5_000, 0])
    #expect(
      shared.netCost == [
        Money(units: -1_000 * 8_000 - 8_000 * 22_000),
        Money(units: (2_000 + 2_222) * 22_000 + 1_778 * 36_000),
        Money(units: (1_000 + 2_778) * 22_000 + 2_222 * 36_000),
      ])
    #expect(shared.batteryCost == .zero)
    #expect(shared.cost == Money(units: 4_000 * 36_000 - 1_000 * 8_000))
  }

  @Test("What the battery holds at the end was paid for and not sold.")
  func batteryKeeps() throws {
    let shared = Baseline(
      of: try model([([0], [9_000])]), sharing: Energy(wattHours: 20_000))
    #expect(shared.batteryCost == Money(units: 9_000 * 22_000))
    #expect(shared.total.heldAtEnd == 9_000 && shared.total.isConserved)
    #expect(shared.cost == .zero)
  }

  @Test(
    "An amount is divided by largest remainder, ties to the first.",
    arguments: [
      (10, [1, 1, 1], [4, 3, 3]), (5, [0, 0], [0, 0]), (7, [3, 0, 4], [3, 0, 4]),
      (1, [1, 2, 2], [0, 1, 0]), (3, [1 << 61, 1 << 61], [2, 1]),
    ] as [(Int64, [Int64], [Int64])])
  func divided(amount: Int64, weights: [Int64], parts: [Int64]) {
    #expect(amount.divided(by: weights) == parts)
  }

  static let weeks: [(name: String, model: @Sendable () throws -> CommunityModel)] = [
    ("june", { try .simbench(.june) }), ("january", { try .simbench(.january) }),
    ("october", { try .simbench(.october) }), ("fontana", { try .fontana().first(days: 2) }),
    ("swiss", { try .swiss() }),
  ]

  @Test("Energy and money are conserved in every baseline.", arguments: weeks.indices)
  func conserved(week: Int) throws {
    let model = try Self.weeks[week].model()
    let all = Baselines(of: model)
    for baseline in [all.alone, all.netted, all.shared] {
      var held: Int64 = 0
      for step in baseline.intervals {
        #expect(
          held + step.produced + step.imported == step.consumed + step.exported + step.heldAtEnd)
        held = step.heldAtEnd
      }
      #expect(baseline.total.isConserved)
      #expect(baseline.cost == baseline.total.gridCost(model.terms))
    }
    for customer in all.alone.customers { #expect(customer.isConserved) }
    #expect(all.shared.total.imported <= all.alone.total.imported)
    #expect(all.shared.total.imported <= all.netted.total.imported)
  }

  @Test(
    "The figures of the baselines, in thousandths of the consumption and in hundredths of currency.",
    arguments: [
      (0, [118, 464, 805], [114_361, 72_407, 31_194]),
      (1, [50, 108, 109], [351_778, 335_383, 335_135]),
      (2, [88, 270, 323], [213_340, 179_158, 169_273]),
      (3, [669, 607, 829], [10_653, 12_175, 6_106]),
    ])
  func figures(week: Int, shares: [Int], costs: [Int64]) throws {
    let all = Baselines(of: try Self.weeks[week].model())
    let three = [all.alone, all.netted, all.shared]
    #expect(three.map { Int(($0.total.selfSufficiency * 1_000).rounded()) } == shares)
    #expect(three.map { ($0.cost.units + 500_000) / 1_000_000 } == costs)
  }
}

@Suite("Local before grid in its plainest form")
struct PlainLocalMarketTests {
  @Test(
    "Prices between feed-in and retail bring the village to the shared battery's share, and nobody loses.",
    arguments: [(12_000, 12_000), (14_000, 15_000), (20_000, 20_000), (32_000, 32_000)])
  func twoPrices(bid: Int64, ask: Int64) throws {
    let model = try CommunityModel.simbench()
    let all = Baselines(of: model)
    let market = PlainLocalMarket(
      model, buyingAt: Price(ticks: bid), sellingAt: Price(ticks: ask), seed: 1)
    #expect(market.energy.isConserved)
    #expect(market.energy.selfSufficiency > 0.99 * all.shared.total.selfSufficiency)
    let saved = all.alone.cost.units - market.netCost.reduce(0) { $0 + $1.units }
    #expect(saved > 825 * 100_000_000)
    for (with, alone) in zip(market.netCost, all.alone.netCost) { #expect(with <= alone) }
  }
}

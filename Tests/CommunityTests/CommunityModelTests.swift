import MarketModel
import Testing

@testable import Community

@Suite("The community's data")
struct CommunityModelTests {
  @Test("Energy of a profile is exact over time: the rounding remainder is carried.")
  func remainderIsCarried() {
    // 100 W at 1/3 of the rating for three quarters: 8.33 Wh each, 24.99999 Wh in all.
    let series = EnergySeries(
      profile: [333_333, 333_333, 333_333], ratedWatts: 100, intervalsPerHour: 4)
    #expect(series.wattHours == [8, 8, 8])
    let dozen = EnergySeries(
      profile: Array(repeating: 333_333, count: 12), ratedWatts: 100, intervalsPerHour: 4)
    #expect(dozen.total == Energy(wattHours: 99))
    #expect(dozen.wattHours.max() == 9)
  }

  @Test("The SimBench village has its 118 nodes, a charging station and 25 roofs.")
  func villageIsWhole() throws {
    let village = try CommunityModel.simbench()
    #expect(village.customers.count == 119)
    #expect(village.customers.count { $0.hasRoof } == 25)
    #expect(village.customers.count { $0.kind == .business } == 5)
    #expect(village.customers.last?.kind == .chargingStation)
    #expect(village.vehicles == 12)
    #expect(village.intervals == 672)
    #expect(village.days == 7)
    #expect(village.terms.defaultCap == Energy(wattHours: 2_000))
  }

  @Test("The village's totals are profile sums times rated power, taken by hand from the files.")
  func villageTotalsMatchTheFiles() throws {
    let village = try CommunityModel.simbench()
    let folder = CommunityData.folder.appending(path: "simbench")
    let units = try DataTable(contentsOf: folder.appending(path: "customers.csv"))
    let profiles = try DataTable(contentsOf: folder.appending(path: "profiles_june_week.csv"))
    var exact: [String: Double] = [:]
    for row in units.rows.indices {
      let kind = try units.text(row, "kind")
      guard kind != "storage" else { continue }
      let shape = try profiles.readings(units.text(row, "profile"), limit: 2_000_000).dropFirst(96)
      let rated = try #require(Double(units.text(row, "rated_w")))
      exact[kind, default: 0] += Double(shape.reduce(0, +)) * rated / 4_000_000
    }
    let consumed = village.customers.reduce(0) { $0 + $1.consumption.total.wattHours }
    let produced = village.customers.reduce(0) { $0 + $1.production.total.wattHours }
    // Each unit's own rounding is below 1 Wh at either end of the week.
    #expect(abs(Double(consumed) - (exact["load"] ?? 0)) < 160)
    #expect(abs(Double(produced) - (exact["pv"] ?? 0)) < 30)
  }

  @Test("The Fontana homes are the file's sums, and the home without a working roof has none.")
  func fontanaIsWhole() throws {
    let homes = try CommunityModel.fontana()
    #expect(homes.customers.count == 17)
    #expect(homes.intervals == 168)
    #expect(homes.customers[0].consumption.total == Energy(wattHours: 226_102))
    #expect(homes.customers[15].production.total == Energy(wattHours: 217_145))
    #expect(homes.customers.count { $0.hasRoof } == 16)
    #expect(homes.customers[14].hasRoof == false)
  }

  @Test("The Swiss homes are the file's sums; every third has a roof that fits the cadaster.")
  func swissIsWhole() throws {
    let homes = try CommunityModel.swiss()
    #expect(homes.customers.count == 537)
    #expect(homes.days == 2)
    #expect(homes.terms.defaultCap == Energy(wattHours: 4_000))
    let consumed = homes.customers.reduce(0) { $0 + $1.consumption.total.wattHours }
    #expect(consumed == 25_127_476 + 24_847_184)
    // Nine stood empty.
    #expect(homes.customers.count { $0.consumption.total == .zero } == 9)
    for (index, home) in homes.customers.enumerated() {
      #expect(home.hasRoof || home.production.total == .zero)
      #expect(index % 3 == 0 || !home.hasRoof)
      #expect(home.production.peak.wattHours <= home.roofWatts / 4 + 1)
    }
    #expect(homes.customers.count { $0.hasRoof } == 173)
  }

  @Test("A faulty register of a Swiss home is refused, and so is a profile without plants.")
  func swissFaults() throws {
    func model(_ reading: String, _ plant: String) throws {
      let roofs = try DataTable(file: "r", text: "home,roof_w\n7,5000\n")
      let homes = try DataTable(
        file: "h", text: "7\n" + (0..<191).map { _ in "100\n" }.joined() + reading + "\n")
      let shapes = try DataTable(
        file: "p", text: "time,\(plant)\n" + (0..<192).map { "\($0),9\n" }.joined())
      _ = try CommunityModel.swiss(homes: homes, roofs: roofs, profiles: shapes)
    }
    try model("15000", "PV1")
    #expect(
      throws: CommunityDataError.absurdReading(
        file: "h", line: 193, column: "7", value: 15_001, limit: 15_000)
    ) { try model("15001", "PV1") }
    #expect(
      throws: CommunityDataError.negativeReading(file: "h", line: 193, column: "7", value: -6_370)
    ) { try model("-6370", "PV1") }
    #expect(throws: CommunityDataError.missingColumn(file: "p", column: "PV")) {
      try model("100", "H0-A")
    }
  }

  @Test("A shorter run has the same first days.")
  func firstDays() throws {
    let homes = try CommunityModel.fontana()
    let two = homes.first(days: 2)
    #expect(two.intervals == 48)
    #expect(two.customers[3].production[30] == homes.customers[3].production[30])
  }

  @Test(
    "Data that cannot be is refused, and the error names the place.",
    arguments: [
      (
        "a,b\n1,2\n3,-4\n",
        CommunityDataError.negativeReading(file: "t", line: 3, column: "b", value: -4)
      ),
      ("a,b\n1,999\n", .absurdReading(file: "t", line: 2, column: "b", value: 999, limit: 100)),
      ("a,b\n1,x\n", .notANumber(file: "t", line: 2, column: "b", text: "x")),
      ("a,b\n1\n", .raggedRow(file: "t", line: 2, found: 1, needed: 2)),
      ("a,c\n1,2\n", .missingColumn(file: "t", column: "b")),
      ("a,b\n", .tooFewRows(file: "t", found: 0, needed: 1)),
    ])
  func badDataIsRefused(text: String, expected: CommunityDataError) {
    #expect(throws: expected) {
      _ = try DataTable(file: "t", text: text).readings("b", limit: 100)
    }
    #expect(expected.description.contains("t:"))
  }

  @Test("A customer that names an unknown profile is refused.")
  func unknownProfile() throws {
    let header = "node,kind,profile,rated_w,storage_wh,x,y\n"
    let units = try DataTable(file: "u", text: header + "Bus 1,load,H9-Z,3000,0,1,1\n")
    let rows = (0..<192).map { "\($0),0\n" }.joined()
    let profiles = try DataTable(file: "p", text: "time,H0-A\n" + rows)
    #expect(throws: CommunityDataError.unknownProfile(customer: "Bus 1", profile: "H9-Z")) {
      _ = try CommunityModel.simbench(customers: units, profiles: profiles)
    }
  }
}

@Suite("The community without a market")
struct BaselineTests {
  @Test("A customer alone: production fills the share, the rest is exported, a lack is imported.")
  func oneCustomerByHand() throws {
    var model = try CommunityModel.fontana().first(days: 1)
    model.customers = [
      Customer(
        name: "House", kind: .household,
        consumption: EnergySeries(wattHours: [500, 1_000, 6_000, 3_000]),
        production: EnergySeries(wattHours: [0, 12_000, 0, 0]),
        dayBefore: (EnergySeries(zeros: 4), EnergySeries(zeros: 4)))
    ]
    // Cap 8 kWh: imports 500; holds 8, exports 4, uses 1; uses 6; imports 2.
    let alone = Baseline(of: model)
    var expected = EnergyTotals()
    expected.produced = 12_000
    expected.consumed = 10_500
    expected.imported = 2_500
    expected.exported = 4_000
    #expect(alone.customers == [expected])
    #expect(alone.intervals.map(\.heldAtEnd) == [0, 7_000, 1_000, 0])
    #expect(alone.netCost == [Money(units: 2_500 * 36_000 - 4_000 * 8_000)])
  }

  @Test("Energy is conserved for every customer and in every interval.", arguments: [true, false])
  func energyIsConserved(village: Bool) throws {
    let model = try village ? CommunityModel.simbench() : CommunityModel.fontana()
    let alone = Baseline(of: model)
    for customer in alone.customers { #expect(customer.isConserved) }
    var held: Int64 = 0
    for step in alone.intervals {
      #expect(
        held + step.produced + step.imported == step.consumed + step.exported + step.heldAtEnd)
      held = step.heldAtEnd
    }
    #expect(alone.total.isConserved)
    #expect(alone.total.selfSufficiency > 0 && alone.total.selfSufficiency < 1)
  }
}

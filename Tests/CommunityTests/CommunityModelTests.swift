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

  @Test("Each week of the village begins on its Monday and has the same customers.")
  func villageWeeks() throws {
    let starts = try SimBenchWeek.allCases.map { week in
      let village = try CommunityModel.simbench(week)
      #expect(village.customers.count == 119 && village.days == 7)
      #expect(Format.day(village.start).weekday == "Mon")
      #expect(village.story.contains("the week of \(Format.day(village.start).date) 2016"))
      return Format.fullDate(village.start)
    }
    #expect(starts == ["11 January 2016", "13 June 2016", "10 October 2016"])
  }

  @Test(
    "The village's totals are profile sums times rated power, taken by hand from the files.",
    arguments: SimBenchWeek.allCases)
  func villageTotalsMatchTheFiles(week: SimBenchWeek) throws {
    let village = try CommunityModel.simbench(week)
    let folder = CommunityData.folder.appending(path: "simbench")
    let units = try DataTable(contentsOf: folder.appending(path: "customers.csv"))
    let profiles = try DataTable(
      contentsOf: folder.appending(path: "profiles_\(week.rawValue)_week.csv"))
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

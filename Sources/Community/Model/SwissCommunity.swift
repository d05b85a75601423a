import Foundation
import MarketModel

// The homes were metered in a winter and without solar production, so production is computed:
//
//   swiss/homes_three_days.csv   HOME, HOME ...     Wh per quarter hour, three days
//   swiss/roofs.csv              home, roof_w       rated power that fits on the roof
//   simbench/profiles_*.csv      time, PV1 ...      profiles of four plants in a June week
//
// Every third home has a solar roof. The plants' profiles are assigned to these homes in turn.

extension CommunityModel {
  /// 537 Swiss homes on two measured days in quarter hours. A third of them have a solar roof with
  /// computed production.
  /// - Throws: `CommunityDataError` when a data file is missing or has an invalid value.
  public static func swiss() throws(CommunityDataError) -> CommunityModel {
    let folder = CommunityData.folder
    return try swiss(
      homes: DataTable(contentsOf: folder.appending(path: "swiss/homes_three_days.csv")),
      roofs: DataTable(contentsOf: folder.appending(path: "swiss/roofs.csv")),
      profiles: DataTable(contentsOf: folder.appending(path: "simbench/profiles_june_week.csv")))
  }

  static func swiss(
    homes: DataTable, roofs: DataTable, profiles: DataTable
  ) throws(CommunityDataError) -> CommunityModel {
    try homes.requireRows(96 * 2)
    try profiles.requireRows(homes.rows.count)
    let ratings = try roofs.readings("roof_w", limit: 10_000)
    var shapes: [[Int64]] = []
    for plant in profiles.header where plant.hasPrefix("PV") {
      shapes.append(
        Array(try profiles.readings(plant, limit: 2_000_000).prefix(homes.rows.count)))
    }
    guard !shapes.isEmpty else { throw .missingColumn(file: profiles.file, column: "PV") }
    var customers: [Customer] = []
    for row in roofs.rows.indices {
      // A home's reading above 15 kWh in a quarter of an hour is a fault of the register.
      let readings = try homes.readings(roofs.text(row, "home"), limit: 15_000)
      let rated = row % 3 == 0 ? ratings[row] : 0
      let load = EnergySeries(wattHours: readings)
      let roof = EnergySeries(
        profile: shapes[row / 3 % shapes.count], ratedWatts: rated, intervalsPerHour: 4)
      let run = 96..<(load.count / 96 * 96)
      customers.append(
        Customer(
          name: "Home \(row + 1)", kind: .household, consumption: load[run], production: roof[run],
          dayBefore: (load[0..<96], roof[0..<96]), roofWatts: rated))
    }
    return CommunityModel(
      title: "\(customers.count) homes in Switzerland",
      story: """
        Consumption measured in quarter hours on two winter days. Production is computed: every \
        third home has the solar roof that the solar cadaster allows, with a June profile of SimBench. \
        Tariffs, standing instructions and bots are invented for this demonstration.
        """,
      attribution: """
        Energy data: ResidentialEnergyConsumption (Weigert, Hopf, Weinig, Staake, University of \
        Bamberg), CC BY-SA 4.0; roof shapes: SimBench (Meinecke et al., www.simbench.net), Open \
        Database License 1.0. These subsets are available under the same licences.
        """,
      start: Timestamp(nanoseconds: 1_465_776_000 * 1_000_000_000), intervalSeconds: 900,
      customers: customers, vehicles: 0, terms: .swiss)
  }
}

extension MarketTerms {
  /// Terms of the Swiss homes in Swiss francs: a default cap of 4 kWh (Cu = 600, P = 200).
  public static let swiss = MarketTerms(
    currency: Currency(756), currencySign: "Fr.", areaCode: Label(ascii: "10YJOULEBOOK-CH-"),
    symbol: Label(ascii: "SPOT.CH"), feedIn: Price(ticks: 9_000), retail: Price(ticks: 29_000),
    storageCost: Money(units: 600 * 100_000_000), storagePrice: Money(units: 200 * 100_000_000),
    tick: Price(ticks: 10), lot: Energy(wattHours: 1), highestPrice: Price(ticks: 40_000),
    makerFee: Rate(partsPerMillion: 2_000), takerFee: Rate(partsPerMillion: 5_000))
}

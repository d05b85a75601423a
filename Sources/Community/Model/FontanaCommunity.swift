import Foundation
import MarketModel

extension CommunityModel {
  /// 17 measured homes with solar roofs in Fontana, California: a June week in hours.
  /// - Throws: `CommunityDataError` when the data file is missing or has an invalid value.
  public static func fontana() throws(CommunityDataError) -> CommunityModel {
    let file = CommunityData.folder.appending(path: "fontana/homes_june_week.csv")
    return try fontana(homes: DataTable(contentsOf: file))
  }

  static func fontana(homes: DataTable) throws(CommunityDataError) -> CommunityModel {
    try homes.requireRows(24 * 2)
    var customers: [Customer] = []
    for home in 1...17 {
      // 25 kW is more than a home's connection carries.
      let load = EnergySeries(
        wattHours: try homes.readings("load_wh_\(home)", limit: 25_000))
      let roof = EnergySeries(wattHours: try homes.readings("pv_wh_\(home)", limit: 25_000))
      let week = 24..<(load.count / 24 * 24)
      customers.append(
        Customer(
          name: "Home \(home)", kind: .household, consumption: load[week], production: roof[week],
          dayBefore: (load[0..<24], roof[0..<24]),
          // The rated power is not published; the best hour of the week replaces it.
          roofWatts: roof[week].total.wattHours > 1_000 ? roof.peak.wattHours : 0))
    }
    return CommunityModel(
      title: "17 homes in Fontana",
      story: """
        Measured consumption and roof production of 17 zero-net-energy homes in Fontana, \
        California, in the hours of a June week. Tariffs, standing instructions and bots are \
        invented for this demonstration.
        """,
      attribution: """
        Energy data: CityLearn challenge 2022 (Nweye, Siva, Nagy 2023), MIT licence.
        """,
      start: Timestamp(nanoseconds: 1_496_620_800 * 1_000_000_000), intervalSeconds: 3_600,
      customers: customers, vehicles: 0, terms: .californian)
  }
}

extension MarketTerms {
  /// Terms of the Californian homes: a default cap of 8 kWh (Cu = 1200, P = 200).
  public static let californian = MarketTerms(
    currency: Currency(840), currencySign: "$", areaCode: Label(ascii: "10YJOULEBOOK-FON"),
    symbol: Label(ascii: "SPOT.FON"), feedIn: Price(ticks: 8_000), retail: Price(ticks: 36_000),
    storageCost: Money(units: 1_200 * 100_000_000),
    storagePrice: Money(units: 200 * 100_000_000), tick: Price(ticks: 10),
    lot: Energy(wattHours: 1), highestPrice: Price(ticks: 45_000),
    makerFee: Rate(partsPerMillion: 2_000), takerFee: Rate(partsPerMillion: 5_000))
}

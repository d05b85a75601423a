import Foundation
import MarketModel

// A SimBench grid has units (load, pv, storage), each at a node and with a profile:
//
//   customers.csv   node, kind, profile, rated_w, storage_wh, x, y       one line per unit
//   profiles_*.csv  time, PROFILE, PROFILE ...    millionths of rated power, 15 minutes per line
//
// A customer is a node with its household or business load, heat pump, roof and battery. All
// vehicles charge at one charging station, which is a separate customer.

/// A week of 2016 for which the SimBench profiles are in the package, from Monday on.
public enum SimBenchWeek: String, Sendable, CaseIterable {
  /// From 11 January: short days.
  case january
  /// From 13 June: long days.
  case june
  /// From 10 October.
  case october

  /// Start of the week: Monday, 00:00.
  var start: Timestamp {
    switch self {
    case .january: Timestamp(nanoseconds: 1_452_470_400 * 1_000_000_000)
    case .june: Timestamp(nanoseconds: 1_465_776_000 * 1_000_000_000)
    case .october: Timestamp(nanoseconds: 1_476_057_600 * 1_000_000_000)
    }
  }
}

extension CommunityModel {
  /// The SimBench low-voltage grid LV3.101 in a week of 2016, in quarter hours.
  /// - Throws: `CommunityDataError` when a data file is missing or has an invalid value.
  public static func simbench(
    _ week: SimBenchWeek = .june
  ) throws(CommunityDataError) -> CommunityModel {
    let folder = CommunityData.folder.appending(path: "simbench")
    return try simbench(
      customers: DataTable(contentsOf: folder.appending(path: "customers.csv")),
      profiles: DataTable(
        contentsOf: folder.appending(path: "profiles_\(week.rawValue)_week.csv")), week: week)
  }

  static func simbench(
    customers: DataTable, profiles: DataTable, week: SimBenchWeek = .june
  ) throws(CommunityDataError) -> CommunityModel {
    try profiles.requireRows(96 * 2)
    let rated = try customers.readings("rated_w", limit: 1_000_000)
    let stored = try customers.readings("storage_wh", limit: 1_000_000)
    var grid = SimBenchGrid(profiles: profiles)
    for row in customers.rows.indices {
      try grid.add(unit: row, of: customers, ratedWatts: rated[row], storage: stored[row])
    }
    let all = grid.customers()
    return CommunityModel(
      title: "A village of \(all.count) customers",
      story: """
        SimBench rural low-voltage grid LV3.101, the week of \(Format.day(week.start).date) 2016 in quarter hours: \
        measured profiles multiplied by rated power. Vehicles charge at one station, which is one of the \
        customers. Tariffs, standing instructions and bots are invented for this demonstration.
        """,
      attribution: """
        Energy data: SimBench (Meinecke et al., www.simbench.net), Open Database License 1.0; \
        this subset is available under the same licence.
        """,
      start: week.start, intervalSeconds: 900, customers: all,
      vehicles: grid.vehicles, terms: .european)
  }
}

/// The units of a grid, collected by node in the order of the file.
private struct SimBenchGrid {
  /// A node and the sums of its units.
  struct Node {
    var name: String
    var kind = Customer.Kind.household
    var consumption: EnergySeries
    var production: EnergySeries
    var roofWatts: Int64 = 0
    var storage: Int64 = 0
    var place: (Double, Double)
  }

  let profiles: DataTable
  var shapes: [String: [Int64]] = [:]
  var nodes: [String: Int] = [:]
  var gathered: [Node] = []
  var station: EnergySeries
  var vehicles = 0

  init(profiles: DataTable) {
    self.profiles = profiles
    station = EnergySeries(zeros: profiles.rows.count)
  }

  /// Adds the unit in line `row` of `table` to its node.
  mutating func add(
    unit row: Int, of table: DataTable, ratedWatts rated: Int64, storage: Int64
  ) throws(CommunityDataError) {
    let node = try table.text(row, "node")
    let profile = try table.text(row, "profile")
    let index = try index(of: node, row: row, of: table)
    switch try table.text(row, "kind") {
    case "storage": gathered[index].storage += storage
    case "pv":
      gathered[index].production += try series(profile, rated, of: node)
      gathered[index].roofWatts += rated
    default: try addLoad(profile, rated, at: index, of: node)
    }
  }

  private mutating func addLoad(
    _ profile: String, _ rated: Int64, at index: Int, of node: String
  ) throws(CommunityDataError) {
    let load = try series(profile, rated, of: node)
    if profile.hasPrefix("HLS") || profile.hasPrefix("APLS") {
      station += load
      vehicles += 1
      return
    }
    if profile.hasPrefix("G") { gathered[index].kind = .business }
    gathered[index].consumption += load
  }

  private mutating func index(
    of node: String, row: Int, of table: DataTable
  ) throws(CommunityDataError) -> Int {
    if let known = nodes[node] { return known }
    let place = (Double(try table.text(row, "x")) ?? 0, Double(try table.text(row, "y")) ?? 0)
    let empty = EnergySeries(zeros: profiles.rows.count)
    gathered.append(Node(name: node, consumption: empty, production: empty, place: place))
    nodes[node] = gathered.count - 1
    return gathered.count - 1
  }

  private mutating func series(
    _ profile: String, _ rated: Int64, of customer: String
  ) throws(CommunityDataError) -> EnergySeries {
    guard profiles.header.contains(profile) else {
      throw .unknownProfile(customer: customer, profile: profile)
    }
    if shapes[profile] == nil {
      // A per-unit value is nominally at most 1; the limit of 2 admits short peaks.
      shapes[profile] = try profiles.readings(profile, limit: 2_000_000)
    }
    return EnergySeries(profile: shapes[profile] ?? [], ratedWatts: rated, intervalsPerHour: 4)
  }

  /// The customers: one per node, then the charging station.
  func customers() -> [Customer] {
    var list: [Customer] = []
    for node in gathered {
      let number = node.name.split(separator: " ").last.map(String.init) ?? node.name
      let name = (node.kind == .business ? "Business " : "House ") + number
      // A business rents ten times the default cap in addition to it.
      let rented: Int64 = node.kind == .business ? 20_000 : 0
      list.append(
        customer(
          name, node.kind, node.consumption, node.production, roofWatts: node.roofWatts,
          storage: node.storage + rented, place: node.place))
    }
    if vehicles > 0 {
      // The station can store what its vehicles take in its busiest half hour.
      list.append(
        customer(
          "Charging station", .chargingStation, station, EnergySeries(zeros: station.count),
          storage: 2 * station.peak.wattHours, place: nil))
    }
    return list
  }

  private func customer(
    _ name: String, _ kind: Customer.Kind, _ consumption: EnergySeries,
    _ production: EnergySeries, roofWatts: Int64 = 0, storage: Int64,
    place: (Double, Double)?
  ) -> Customer {
    let week = 96..<(consumption.count / 96 * 96)
    return Customer(
      name: name, kind: kind, consumption: consumption[week], production: production[week],
      dayBefore: (consumption[0..<96], production[0..<96]), roofWatts: roofWatts,
      ownStorage: Energy(wattHours: storage),
      place: place.map { (longitude: $0.0, latitude: $0.1) })
  }
}

// What an area's grid paid and charged, and its loss factor, since when (section 7, "Prices by interval"); and which
// readings it takes ("Late readings and versions"). Each area has a ring of rows, the newest of which holds now.
//
//     first ─▶ | from | feed-in | retail | loss |  ...  ◀─ newest        ascending by from
//
// Used since version 8 of the rules.

import MarketModel

/// The prices of the grid and the loss factor of an area from a moment on.
struct Tariff: BitwiseCopyable {
  /// Since when, ns since 1970.
  var from: UInt64
  /// 1e-5 per kWh.
  var feedInPrice: Int64
  /// 1e-5 per kWh.
  var retailPrice: Int64
  /// 1e-6.
  var lossFactor: UInt32
}

/// The ring of an area, and its parameters for readings. All zeros are those of an area before version
/// 8 of the rules.
struct AreaTariffs: BitwiseCopyable {
  /// Since when the newest row holds, ns since 1970.
  fileprivate(set) var newest: UInt64
  /// The place of the oldest row in the ring, and the number of rows.
  fileprivate var first: UInt32
  fileprivate var count: UInt32
  /// The window less the default, s.
  private var beyondWindow: Int32
  /// The worst quality that counts less the default.
  private var beyondQuality: Int8

  /// The window of an area without another one, s: 45 days.
  static let usualWindow: Int64 = 3_888_000
  /// The values that the window may have, s: an hour to 400 days.
  static let windows: ClosedRange<Int64> = 3_600...34_560_000
  /// The worst quality that counts in an area without another one: substituted.
  static let usualQuality: Int64 = 1
  /// The values that it may have.
  static let qualities: ClosedRange<Int64> = 0...2

  /// How long after its beginning an interval can be read, s.
  var readingWindow: Int64 {
    get { AreaTariffs.usualWindow + Int64(beyondWindow) }
    set { beyondWindow = Int32(newValue - AreaTariffs.usualWindow) }
  }

  /// The same in nanoseconds.
  @inline(__always) var window: UInt64 { UInt64(readingWindow) &* 1_000_000_000 }

  /// The worst quality of a reading whose production counts.
  var mintedQuality: Int64 {
    get { AreaTariffs.usualQuality + Int64(beyondQuality) }
    set { beyondQuality = Int8(newValue - AreaTariffs.usualQuality) }
  }

  /// The parameters after a change of one of them, whose value is in range.
  mutating func set(_ new: SetParameter) {
    if new.parameter == .readingWindow { readingWindow = new.value }
    if new.parameter == .mintedQuality { mintedQuality = new.value }
  }
}

/// Tariffs by area.
struct TariffHistory: ~Copyable, StateComponent {
  private let areas: Table<AreaTariffs>
  private let rows: Table<Tariff>
  /// Places of each area's ring, a power of two, and the most rows in it.
  private let length, most: UInt32

  init(capacity: Capacity) {
    let (most, places) = Self.size(capacity)
    areas = Table(capacity: Int(capacity.areas) + 1)
    rows = Table(capacity: (Int(capacity.areas) + 1) * Int(places))
    (length, self.most) = (places, most)
  }

  /// The most rows of a ring, and its places: the power of two at or above that.
  ///
  /// The tables are made before anything else of the history, and nothing can fail before: the compiler
  /// (6.3) releases those of a value that cannot be copied at a branch before, where they are not made yet.
  private static func size(_ capacity: Capacity) -> (most: UInt32, places: UInt32) {
    let most = capacity.tariffHistory
    precondition((2...1 << 14).contains(most), "a history of 2 to 16,384 tariffs")
    var places: UInt32 = 2
    while places < most { places *= 2 }
    return (most, places)
  }

  subscript(area: UInt32) -> AreaTariffs {
    @inline(__always) unsafeAddress { UnsafePointer(areas.address(of: area)) }
    @inline(__always) nonmutating unsafeMutableAddress { areas.address(of: area) }
  }

  private func place(_ area: UInt32, _ index: UInt32) -> UInt32 {
    area * length + (areas[area].first &+ index) & (length - 1)
  }

  /// A row of an area, the oldest first.
  private func row(_ area: UInt32, _ index: UInt32) -> Tariff { rows[place(area, index)] }

  /// Since when the oldest row holds, ns since 1970; 0: since ever.
  func oldest(_ area: UInt32) -> UInt64 { areas[area].count == 0 ? 0 : row(area, 0).from }

  /// The row in force at a moment; the oldest where all are later. Logarithmic.
  /// - Precondition: the area has a row.
  func tariff(_ area: UInt32, at moment: UInt64) -> Tariff {
    var (low, high) = (UInt32(0), areas[area].count)
    invariant(high > 0, "an area has a tariff since version 8 of the rules")
    while low + 1 < high {
      let middle = (low + high) / 2
      if row(area, middle).from <= moment { low = middle } else { high = middle }
    }
    return row(area, low)
  }

  /// Whether a row from `from` on has room: the oldest one gives way when no interval that can still be
  /// read needs it.
  /// - Parameter earliest: The earliest start of an interval that can be read.
  func hasRoom(_ area: UInt32, from: UInt64, earliest: UInt64) -> Bool {
    let state = areas[area]
    if state.count < most || state.newest == from { return true }
    return row(area, 1).from <= earliest
  }

  /// Adds the row in force from `tariff.from` on, or replaces the one from then on.
  /// - Precondition: it has room.
  func add(_ tariff: Tariff, _ area: UInt32) {
    if areas[area].count > 0, areas[area].newest == tariff.from {
      rows[place(area, areas[area].count - 1)] = tariff
      return
    }
    invariant(
      areas[area].count == 0 || tariff.from > areas[area].newest, "tariffs take effect in order")
    if areas[area].count == most {
      areas[area].first = (areas[area].first + 1) & (length - 1)
    } else {
      areas[area].count += 1
    }
    rows[place(area, areas[area].count - 1)] = tariff
    areas[area].newest = tariff.from
  }

  static func add(to layout: inout StateLayout) {
    layout.add(AreaTariffs.self)
    layout.add(Tariff.self)
  }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.tariffs.areas.write(to: sink)
    exchange.tariffs.rows.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.tariffs.areas.read(from: source)
    exchange.tariffs.rows.read(from: source)
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    if exchange.rules < 8 { return }
    for area in stride(from: 1, through: exchange.capacity.areas, by: 1)
    where exchange.products.areas[area].exists {
      exchange.tariffs.fold(area, into: &hash)
    }
  }

  private func fold(_ area: UInt32, into hash: inout WordHash) {
    hash.fold(areas[area].readingWindow)
    hash.fold(areas[area].mintedQuality)
    for index in 0..<areas[area].count {
      let row = row(area, index)
      hash.fold(row.from)
      hash.fold(row.feedInPrice)
      hash.fold(row.retailPrice)
      hash.fold(row.lossFactor)
    }
  }

  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {
    if exchange.rules < 8 { return }
    for area in stride(from: 1, through: exchange.capacity.areas, by: 1)
    where exchange.products.areas[area].exists {
      let now = exchange.products.areas[area]
      let newest = exchange.tariffs.tariff(area, at: .max)
      if newest.feedInPrice != now.feedInPrice || newest.retailPrice != now.retailPrice
        || newest.lossFactor != now.lossFactor || newest.from != exchange.tariffs[area].newest
      {
        violations.append("area \(area): the newest tariff is not the present one")
      }
    }
  }
}

extension Exchange {
  /// The tariff by which an interval that is priced at `moment` is settled; before version 8 of the
  /// rules the present one.
  @inline(__always) func tariff(_ area: UInt32, at moment: UInt64) -> Tariff {
    if rules >= 8, moment < tariffs[area].newest { return tariffs.tariff(area, at: moment) }
    return presentTariff(area, from: 0)
  }

  @inline(__always) private func presentTariff(_ area: UInt32, from: UInt64) -> Tariff {
    Tariff(
      from: from, feedInPrice: products.areas[area].feedInPrice,
      retailPrice: products.areas[area].retailPrice, lossFactor: products.areas[area].lossFactor)
  }

  /// Refuses a change of prices or losses from `from` on for which the history has no room.
  func validateTariffRoom(_ area: UInt32, from: UInt64) -> Refusal? {
    rules < 8 || tariffs.hasRoom(area, from: from, earliest: earliestStart(area))
      ? nil : Refusal(.capacityExhausted, capacity.tariffHistory)
  }

  /// Notes the area's prices and losses, which changed, as those from `from` on.
  mutating func noteTariff(_ area: UInt32, from: UInt64) {
    if rules >= 8 { tariffs.add(presentTariff(area, from: from), area) }
  }

  /// Begins the history of every area with what is in force.
  mutating func beginTariffs() {
    for area in stride(from: 1, through: capacity.areas, by: 1) where products.areas[area].exists {
      noteTariff(area, from: 0)
    }
  }

  /// The earliest start of an interval that can be read now in the area, ns since 1970.
  @inline(__always) func earliestStart(_ area: UInt32) -> UInt64 {
    let (earliest, isBefore1970) = progress.now.subtractingReportingOverflow(tariffs[area].window)
    return isBefore1970 ? 0 : earliest
  }
}

extension Parameter {
  /// Whether it says which readings the area takes; nothing else follows from a change.
  var isOfTakenReadings: Bool { self == .readingWindow || self == .mintedQuality }
}

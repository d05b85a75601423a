// How an area's readings use energy before the grid does (section 7, "Own use" and "Local before
// grid"); both are parameters of the area.

import MarketModel

/// The parameters of an area for its readings. All zeros are those of an area that was created before
/// version 6 of the rules.
struct AreaUse: BitwiseCopyable {
  /// The own use less the default, s: -900 ... 2,700.
  private var beyondDefault: Int32 = 0
  /// Whether readings trade with other accounts before they trade with the grid.
  var isLocalFirst = false

  /// The own use of an area without another one, s.
  static let usualOwnUse: Int64 = 900
  /// The values that the own use may have, s.
  static let ownUses: ClosedRange<Int64> = 0...3_600

  init(isLocalFirst: Bool) { self.isLocalFirst = isLocalFirst }

  /// The longest interval whose reading uses its own production first, s.
  var ownUse: Int64 {
    get { AreaUse.usualOwnUse + Int64(beyondDefault) }
    set { beyondDefault = Int32(newValue - AreaUse.usualOwnUse) }
  }

  /// The same in nanoseconds.
  var longestInterval: UInt64 { UInt64(ownUse) * 1_000_000_000 }

  /// The area's parameters after a change of one of them, whose value is in range.
  func changed(_ new: SetParameter) -> AreaUse {
    var use = self
    if new.parameter == .ownUse { use.ownUse = new.value }
    if new.parameter == .localFirst { use.isLocalFirst = new.value != 0 }
    return use
  }
}

/// Parameters for readings, by area.
struct AreaUses: ~Copyable, StateComponent {
  private let rows: Table<AreaUse>

  init(capacity: Capacity) { rows = Table(capacity: Int(capacity.areas) + 1) }

  subscript(area: UInt32) -> AreaUse {
    get { rows[area] }
    nonmutating set { rows[area] = newValue }
  }

  static func add(to layout: inout StateLayout) { layout.add(AreaUse.self) }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.areaUses.rows.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.areaUses.rows.read(from: source)
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    for number in stride(from: 1, through: exchange.capacity.areas, by: 1) {
      let row = exchange.areaUses[number]
      if row.ownUse == AreaUse.usualOwnUse, !row.isLocalFirst { continue }
      hash.fold(UInt64(number) << 1 | (row.isLocalFirst ? 1 : 0))
      hash.fold(row.ownUse)
    }
  }

  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {
    for number in stride(from: 1, through: exchange.capacity.areas, by: 1)
    where !AreaUse.ownUses.contains(exchange.areaUses[number].ownUse) {
      violations.append("area \(number): an own use of \(exchange.areaUses[number].ownUse) s")
    }
  }
}

extension Exchange {
  /// The parameters of an area's readings for those who do not compute with them.
  func describedReadings(_ area: UInt32) -> AreaReadings {
    AreaReadings(
      ownUse: UInt16(clamping: areaUses[area].ownUse), isLocalFirst: areaUses[area].isLocalFirst,
      readingWindow: UInt32(clamping: tariffs[area].readingWindow),
      mintedQuality: ReadingQuality(rawValue: UInt8(clamping: tariffs[area].mintedQuality))
        ?? .estimated)
  }
}

extension Parameter {
  /// Whether it is one of an area's readings; nothing else follows from a change.
  var isOfReadings: Bool { self == .ownUse || self == .localFirst }
}

// What an area's default cap follows from (section 3): the target storage cost per user and the
// storage price.

import MarketModel

/// Storage cost and price of an area, 1e-8. Both are unknown where the area was created before
/// version 4 of the rules, until the operator sets them.
struct AreaCost: BitwiseCopyable {
  /// Cu.
  var cost: Int64
  /// P; 0: unknown.
  var price: Int64
  var isCostKnown: Bool

  var isKnown: Bool { isCostKnown && price > 0 }
}

/// Costs by area.
struct AreaCosts: ~Copyable, StateComponent {
  private let rows: Table<AreaCost>

  init(capacity: Capacity) { rows = Table(capacity: Int(capacity.areas) + 1) }

  subscript(area: UInt32) -> AreaCost {
    get { rows[area] }
    nonmutating set { rows[area] = newValue }
  }

  static func add(to layout: inout StateLayout) { layout.add(AreaCost.self) }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.areaCosts.rows.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.areaCosts.rows.read(from: source)
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    for number in stride(from: 1, through: exchange.capacity.areas, by: 1) {
      let row = exchange.areaCosts[number]
      if !row.isCostKnown, row.price == 0 { continue }
      hash.fold(UInt64(number) << 8 | UInt64(row.isCostKnown ? 1 : 0))
      hash.fold(row.cost)
      hash.fold(row.price)
    }
  }
}

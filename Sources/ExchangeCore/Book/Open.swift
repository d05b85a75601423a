// Finding an order with every row that a rule needs of it.

import MarketModel

extension Exchange {
  /// The order in a slot with all its rows.
  @inline(__always) func open(_ slot: UInt32) -> OpenOrder { open(orders.address(of: slot), slot) }

  /// The order in a row with all its rows.
  @inline(__always) func open(_ row: OrderRow, _ slot: UInt32) -> OpenOrder {
    let owner = positions.address(of: row.pointee.position)
    return OpenOrder(
      row: row, slot: slot, place: orders.places.address(of: slot),
      instrument: instruments.address(of: row.pointee.instrument), owner: owner,
      holding: holdings.address(of: owner.pointee.holding),
      owned: owned(row.pointee.position, row.pointee.side))
  }

  /// The open order with an id.
  /// - Returns: `nil` when `id` is of no open order.
  @inline(__always) func find(_ id: OrderId) -> OpenOrder? {
    orders.find(id).map { open($0, id.slot) }
  }
}

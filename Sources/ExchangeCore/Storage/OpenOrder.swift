// An order and every row that a rule needs with it, looked up once: what the rules hand to one another.

import MarketModel

/// An open order with its instrument and its owner's balances. A handle: it stays right as long as the
/// order is open.
struct OpenOrder {
  let row: OrderRow
  let slot: UInt32
  let place: PlaceRow
  let instrument: InstrumentRow
  /// Its owner in the instrument's area.
  let owner: PositionRow
  let holding: HoldingRow
  /// All its owner's orders of its side.
  let owned: OwnedRow

  /// The order's own fields.
  var pointee: Order {
    @inline(__always) unsafeAddress { UnsafePointer(row) }
    @inline(__always) nonmutating unsafeMutableAddress { row }
  }

  /// What clients call it.
  @inline(__always) var id: OrderId { OrderId(slot: slot, generation: pointee.generation) }
  /// Limit, 1e-5 per kWh.
  @inline(__always) var price: Int64 { place.pointee.price }
  /// Whose it is.
  @inline(__always) var account: UInt32 { owner.pointee.account }
}

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

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

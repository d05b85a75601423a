// A handle of an open order with all rows that rules need, looked up once and passed between the
// rules.

import MarketModel

/// A handle of an open order, its instrument and its owner's balances. Valid while the order is
/// open.
@dynamicMemberLookup
struct OpenOrder {
  let row: OrderRow
  let slot: UInt32
  let links: QueueLinksRow
  let instrument: InstrumentRow
  /// The owner's position in the instrument's asset.
  let owner: PositionRow
  let holding: HoldingRow
  /// The owner's orders on the side of this order.
  let owned: PositionSideRow

  /// The order's own fields.
  @inline(__always) subscript<Value>(dynamicMember field: WritableKeyPath<Order, Value>) -> Value {
    @inline(__always) get { row[dynamicMember: field] }
    @inline(__always) nonmutating _modify { yield &row.address.pointee[keyPath: field] }
  }

  /// A field that only Order.swift writes, or a computed value.
  @inline(__always) subscript<Value>(dynamicMember field: KeyPath<Order, Value>) -> Value {
    @inline(__always) get { row[dynamicMember: field] }
  }

  /// The id that clients use.
  @inline(__always) var id: OrderId { OrderId(slot: slot, generation: row.generation) }
  /// Limit price, 1e-5 per kWh.
  @inline(__always) var price: Int64 { links.price }
  /// The owner's account.
  @inline(__always) var account: UInt32 { owner.account }
}

extension Exchange {
  /// The open order in a slot.
  @inline(__always) func open(_ slot: UInt32) -> OpenOrder { open(orders.row(slot), slot) }

  /// The open order in a slot whose row the caller has.
  @inline(__always) func open(_ row: OrderRow, _ slot: UInt32) -> OpenOrder {
    let owner = balances.positions.row(row.position)
    return OpenOrder(
      row: row, slot: slot, links: orders.links.row(slot),
      instrument: products.instruments.row(row.instrument), owner: owner,
      holding: balances.holdings.row(owner.holding),
      owned: owned(row.position, row.side))
  }

  /// The open order with an id.
  /// - Returns: `nil` when no open order has that id.
  @inline(__always) func find(_ id: OrderId) -> OpenOrder? {
    orders.find(id).map { open($0, id.slot) }
  }

  /// Whether the prevention of self-trades of `entering` applies to another order of its
  /// instrument. Both are of one instrument, so an equal position means an equal account.
  @inline(__always) func isOwn(_ other: OpenOrder, of entering: OpenOrder) -> Bool {
    other.position == entering.position
      || entering.marks.spansParticipant
        && other.owner.participant == entering.owner.participant
  }

  // MARK: Its reservation (section 6)

  /// Moves the reservation of `lots` lots out of the owner's free cash.
  @inline(__always) func reserve(_ order: OpenOrder, lots: Int64) {
    order.holding.reserve(order.reservePerLot * lots)
  }

  /// Moves the reservation of `lots` lots back into the owner's free cash.
  @inline(__always) func release(_ order: OpenOrder, lots: Int64) {
    order.holding.release(order.reservePerLot * lots)
  }

  @inline(__always) func isHalted(_ order: OpenOrder) -> Bool {
    order.instrument.isHalted
  }

  /// Touches the position that an order joined or left. The call does nothing when the position is
  /// fully covered and the queue is empty, since the drain would change nothing.
  @inline(__always) mutating func touchUnlessFullyCovered(_ order: OpenOrder) {
    if touched.head != 0 || !isFullyCovered(order.owner, order.owned, order.side) {
      touch(order.position)
    }
  }
}

// An order and every row that a rule needs with it, looked up once: what the rules hand to one another.

import MarketModel

/// An open order with its instrument and its owner's balances. A handle: it stays right as long as the
/// order is open.
@dynamicMemberLookup
struct OpenOrder {
  let row: OrderRow
  let slot: UInt32
  let links: QueueLinksRow
  let instrument: InstrumentRow
  /// Its owner in the instrument's area.
  let owner: PositionRow
  let holding: HoldingRow
  /// All its owner's orders of its side.
  let owned: PositionSideRow

  /// The order's own fields.
  @inline(__always) subscript<Value>(dynamicMember field: WritableKeyPath<Order, Value>) -> Value {
    @inline(__always) get { row[dynamicMember: field] }
    @inline(__always) nonmutating _modify { yield &row.address.pointee[keyPath: field] }
  }

  /// What only the order's own file writes, or is computed.
  @inline(__always) subscript<Value>(dynamicMember field: KeyPath<Order, Value>) -> Value {
    @inline(__always) get { row[dynamicMember: field] }
  }

  /// What clients call it.
  @inline(__always) var id: OrderId { OrderId(slot: slot, generation: row.generation) }
  /// Limit, 1e-5 per kWh.
  @inline(__always) var price: Int64 { links.price }
  /// Whose it is.
  @inline(__always) var account: UInt32 { owner.account }
}

extension Exchange {
  /// The order in a slot with all its rows.
  @inline(__always) func open(_ slot: UInt32) -> OpenOrder { open(orders.row(slot), slot) }

  /// The order in a row with all its rows.
  @inline(__always) func open(_ row: OrderRow, _ slot: UInt32) -> OpenOrder {
    let owner = balances.positions.row(row.position)
    return OpenOrder(
      row: row, slot: slot, links: orders.links.row(slot),
      instrument: products.instruments.row(row.instrument), owner: owner,
      holding: balances.holdings.row(owner.holding),
      owned: owned(row.position, row.side))
  }

  /// The open order with an id.
  /// - Returns: `nil` when `id` is of no open order.
  @inline(__always) func find(_ id: OrderId) -> OpenOrder? {
    orders.find(id).map { open($0, id.slot) }
  }

  // MARK: Its reservation (section 6)

  /// Takes `lots` of an order's reservation from the free cash.
  @inline(__always) func reserve(_ order: OpenOrder, lots: Int64) {
    order.holding.reserve(order.reservePerLot * lots)
  }

  /// Gives `lots` of an order's reservation back to the free cash.
  @inline(__always) func release(_ order: OpenOrder, lots: Int64) {
    order.holding.release(order.reservePerLot * lots)
  }

  @inline(__always) func isHalted(_ order: OpenOrder) -> Bool {
    order.instrument.isHalted
  }

  /// Touches the position that an order joined or left. Where that leaves it settled and nobody waits
  /// in the queue, its turn would do nothing.
  @inline(__always) mutating func touchUnlessFullyCovered(_ order: OpenOrder) {
    if touched.head != 0 || !isFullyCovered(order.owner, order.owned, order.side) {
      touch(order.position)
    }
  }
}

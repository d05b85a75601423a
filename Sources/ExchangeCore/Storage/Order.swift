// An open order: two cache lines. Its places in the three lists it can stand in are kept apart, 16
// bytes an order: cancelling an order then touches its neighbours' links, not its neighbours.

import MarketModel

/// An order in the pool. Slot 0 is never used: a link of 0 is "none".
struct Order: BitwiseCopyable {
  // First cache line: matching.
  /// Open quantity, Wh.
  var leaves: Int64
  /// Part of `leaves` that can execute, Wh.
  var covered: Int64
  /// Limit, 1e-5 per kWh.
  var price: Int64
  /// Total quantity = executed + leaves, Wh.
  var quantity: Int64
  var clientOrderId: UInt64
  /// Its level; 0 while it is entering.
  var level: UInt32
  var position: UInt32
  var instrument: UInt32
  var account: UInt32
  /// The session that entered it.
  var session: UInt32
  /// Its own slot.
  var slot: UInt32
  // Second cache line.
  /// How often the slot was used.
  var generation: UInt32
  var side: Side
  var type: OrderType
  var timeInForce: TimeInForce
  var selfTradePrevention: SelfTradePrevention
  var postOnly: Bool
  var isOpen: Bool
  /// What each lot reserves, 1e-8 (market rules 6).
  var reservePerLot: Int64
  /// Time priority within its owner's orders: entry, or the replace that lost the place.
  var arrival: UInt64
  /// When it expires; `.max`: never.
  var expireTime: UInt64
  /// Place in the expiry heap; 0: not in it.
  var expiryIndex: UInt32
  /// Fills the second line.
  private var unused: (UInt32, UInt64, UInt64)
}

/// An order in its place: what the rules hand to one another.
typealias OrderRow = UnsafeMutablePointer<Order>

/// An order's neighbours.
struct Links: BitwiseCopyable {
  /// In its level's live queue or waiting list.
  var next: UInt32
  var previous: UInt32
  /// In its owner's list.
  var ownerNext: UInt32
  var ownerPrevious: UInt32
}

/// The pool of orders, with a last-in first-out free list through `next`.
struct OrderPool: ~Copyable {
  private let table: Table<Order>
  /// Where each order stands.
  let links: Table<Links>
  private var free: UInt32 = 0
  /// Slots 1 ... used have been used at least once.
  private(set) var used: UInt32 = 0
  /// Open orders.
  private(set) var count: UInt32 = 0
  let capacity: UInt32

  init(capacity: UInt32) {
    precondition(capacity <= 1 << 24, "at most 2^24 orders")
    table = Table(capacity: Int(capacity) + 1)
    links = Table(capacity: Int(capacity) + 1)
    self.capacity = capacity
  }

  subscript(slot: UInt32) -> Order {
    @inline(__always) unsafeAddress { UnsafePointer(table.address(of: slot)) }
    @inline(__always) nonmutating unsafeMutableAddress { table.address(of: slot) }
  }

  /// Where the order in `slot` is.
  @inline(__always) func address(of slot: UInt32) -> OrderRow { table.address(of: slot) }

  var isFull: Bool { count == capacity }

  /// Takes a slot; the caller fills every field but `slot`, `generation` and `isOpen`.
  @inline(__always) mutating func take() -> OrderRow {
    precondition(!isFull, "the caller checks isFull first")
    let slot: UInt32
    if free != 0 {
      slot = free
      free = links[slot].next
    } else {
      used &+= 1  // At most the capacity.
      slot = used
    }
    let order = table.address(of: slot)
    order.pointee.slot = slot
    order.pointee.generation &+= 1  // Wraps after 4 billion uses; an id that old is gone.
    order.pointee.isOpen = true
    count &+= 1
    return order
  }

  /// Gives a slot back.
  @inline(__always) mutating func release(_ order: OrderRow) {
    assert(order.pointee.isOpen)
    order.pointee.isOpen = false
    links[order.pointee.slot].next = free
    free = order.pointee.slot
    count &-= 1
  }

  /// The open order with an id.
  /// - Returns: `nil` when `id` is of no open order.
  @inline(__always) func find(_ id: OrderId) -> OrderRow? {
    let slot = id.slot
    guard slot >= 1, slot <= used else { return nil }
    let order = table.address(of: slot)
    return order.pointee.isOpen && order.pointee.generation == id.generation ? order : nil
  }
}

extension UnsafeMutablePointer<Order> {
  /// The id of the order in this row.
  @inline(__always) var id: OrderId {
    OrderId(slot: pointee.slot, generation: pointee.generation)
  }
}

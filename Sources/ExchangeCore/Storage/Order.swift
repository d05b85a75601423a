// An open order: two cache lines, the first of which is all that matching touches.

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
  /// Neighbours in its level's live queue or waiting list.
  var next: UInt32
  var previous: UInt32
  /// Its level; 0 while it is entering.
  var level: UInt32
  var position: UInt32
  var instrument: UInt32
  var account: UInt32
  var side: Side
  var type: OrderType
  var timeInForce: TimeInForce
  var selfTradePrevention: SelfTradePrevention
  var postOnly: Bool
  var isOpen: Bool
  /// How often the slot was used.
  var generation: UInt32
  /// The session that entered it.
  var session: UInt32
  // Second cache line: its owner.
  /// Neighbours in its owner's list.
  var ownerNext: UInt32
  var ownerPrevious: UInt32
  var clientOrderId: UInt64
  /// Total quantity = executed + leaves, Wh.
  var quantity: Int64
  /// What each lot reserves, 1e-8 (market rules 6).
  var reservePerLot: Int64
  /// Time priority within its owner's orders: entry, or the replace that lost the place.
  var arrival: UInt64
  /// When it expires; `.max`: never.
  var expireTime: UInt64
  /// Place in the expiry heap; 0: not in it.
  var expiryIndex: UInt32
}

/// The pool of orders, with a last-in first-out free list through `next`.
struct OrderPool: ~Copyable {
  private let table: Table<Order>
  private var free: UInt32 = 0
  /// Slots 1 ... used have been used at least once.
  private(set) var used: UInt32 = 0
  /// Open orders.
  private(set) var count: UInt32 = 0
  let capacity: UInt32

  init(capacity: UInt32) {
    precondition(capacity <= 1 << 24, "at most 2^24 orders")
    table = Table(capacity: Int(capacity) + 1)
    self.capacity = capacity
  }

  subscript(slot: UInt32) -> Order {
    @inline(__always) unsafeAddress { UnsafePointer(table.address(of: slot)) }
    @inline(__always) nonmutating unsafeMutableAddress { table.address(of: slot) }
  }

  /// Where the order in `slot` is.
  @inline(__always) func address(of slot: UInt32) -> UnsafeMutablePointer<Order> {
    table.address(of: slot)
  }

  var isFull: Bool { count == capacity }

  /// Takes a slot; the caller fills every field but `generation` and `isOpen`.
  @inline(__always) mutating func take() -> UInt32 {
    precondition(!isFull, "the caller checks isFull first")
    let slot: UInt32
    if free != 0 {
      slot = free
      free = table[slot].next
    } else {
      used += 1
      slot = used
    }
    table[slot].generation &+= 1  // Wraps after 4 billion uses of a slot; an id that old is gone.
    table[slot].isOpen = true
    count += 1
    return slot
  }

  /// Gives a slot back.
  @inline(__always) mutating func release(_ slot: UInt32) {
    assert(table[slot].isOpen)
    table[slot].isOpen = false
    table[slot].next = free
    free = slot
    count -= 1
  }

  /// The slot of an open order.
  /// - Returns: `nil` when `id` is of no open order.
  @inline(__always) func slot(of id: OrderId) -> UInt32? {
    let slot = id.slot
    guard slot >= 1, slot <= used, table[slot].isOpen, table[slot].generation == id.generation
    else { return nil }
    return slot
  }

  /// The id of the order in `slot`.
  @inline(__always) func id(_ slot: UInt32) -> OrderId {
    OrderId(slot: slot, generation: table[slot].generation)
  }
}

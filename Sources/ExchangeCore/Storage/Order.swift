// An open order: one cache line. What walks along a list needs of it (its neighbours and its priority)
// stands apart, 32 bytes an order, so that a cancel touches its neighbours' places, not its neighbours,
// and putting an account's orders in order never touches the orders.

import MarketModel

/// An order in the pool. Slot 0 is never used: a link of 0 is "none".
struct Order: BitwiseCopyable {
  /// Open quantity, Wh.
  var leaves: Int64
  /// Part of `leaves` that can execute, Wh.
  var covered: Int64
  /// Total quantity = executed + leaves, Wh.
  var quantity: Int64
  var clientOrderId: UInt64
  /// What each lot reserves, 1e-8 (market rules 6).
  var reservePerLot: Int64
  /// Its owner, in the area of its instrument.
  var position: UInt32
  var instrument: UInt32
  /// The session that entered it.
  var session: UInt32
  /// How often the slot was used.
  var generation: UInt32
  /// Its level; 0 while it is entering.
  var level: UInt32
  var side: Side
  var timeInForce: TimeInForce
  var selfTradePrevention: SelfTradePrevention
  var marks: OrderMarks
}

/// What is true or false of an order.
struct OrderMarks: BitwiseCopyable {
  private var bits: UInt8

  /// The marks of an open order.
  @inline(__always) init(type: OrderType, postOnly: Bool, isIceberg: Bool = false) {
    bits = 1 | (postOnly ? 2 : 0) | (type == .market ? 4 : 0) | (isIceberg ? 8 : 0)
  }

  /// The marks of a slot without an order.
  private init() { bits = 0 }
  static var gone: OrderMarks { OrderMarks() }

  @inline(__always) var isOpen: Bool { bits & 1 != 0 }
  var isPostOnly: Bool { bits & 2 != 0 }
  var type: OrderType { bits & 4 != 0 ? .market : .limit }
  /// Whether the market sees it in parts: `OrderPool.icebergs` has how much.
  @inline(__always) var isIceberg: Bool { bits & 8 != 0 }
}

/// An order in its row.
typealias OrderRow = UnsafeMutablePointer<Order>

/// Where an order stands, in its book and among its owner's.
struct Place: BitwiseCopyable {
  /// Limit, 1e-5 per kWh.
  var price: Int64
  /// Time priority within its owner's orders: entry, or the replace that lost the place.
  var arrival: UInt64
  /// In its level's live queue or waiting list.
  var next: UInt32
  var previous: UInt32
  /// In its owner's list.
  var ownerNext: UInt32
  var ownerPrevious: UInt32
}

/// Where an order stands, in its row.
typealias PlaceRow = UnsafeMutablePointer<Place>

/// What the market sees of an iceberg. Apart from its order: others neither have nor touch it.
struct Iceberg: BitwiseCopyable {
  /// Most that is seen of it at a time, Wh.
  var display: Int64
  /// What is left of the part that is seen, Wh; more than its leaves when those are less.
  var part: Int64
}

/// The pool of orders, with a last-in first-out free list through `next`.
struct OrderPool: ~Copyable {
  private let table: Table<Order>
  /// Where each order stands.
  let places: Table<Place>
  /// By slot; of icebergs only.
  let icebergs: Table<Iceberg>
  /// The highest slot that ever held an iceberg; 0: none did.
  private(set) var highestIceberg: UInt32 = 0
  private var free: UInt32 = 0
  /// Slots 1 ... used have been used at least once.
  private(set) var used: UInt32 = 0
  /// Open orders.
  private(set) var count: UInt32 = 0
  let capacity: UInt32

  init(capacity: UInt32) {
    precondition(capacity <= 1 << 24, "at most 2^24 orders")
    table = Table(capacity: Int(capacity) + 1)
    places = Table(capacity: Int(capacity) + 1)
    icebergs = Table(capacity: Int(capacity) + 1)
    self.capacity = capacity
  }

  subscript(slot: UInt32) -> Order {
    @inline(__always) unsafeAddress { UnsafePointer(table.address(of: slot)) }
    @inline(__always) nonmutating unsafeMutableAddress { table.address(of: slot) }
  }

  /// The row of a slot.
  @inline(__always) func address(of slot: UInt32) -> OrderRow { table.address(of: slot) }

  /// The id of the order in a slot.
  func id(_ slot: UInt32) -> OrderId {
    OrderId(slot: slot, generation: table[slot].generation)
  }

  var isFull: Bool { count == capacity }

  /// Takes a slot; the caller fills every field but `generation`.
  @inline(__always) mutating func take() -> (OrderRow, slot: UInt32) {
    precondition(!isFull, "the caller checks isFull first")
    let slot: UInt32
    if free != 0 {
      slot = free
      free = places[slot].next
    } else {
      used &+= 1  // At most the capacity.
      slot = used
    }
    let order = table.address(of: slot)
    order.pointee.generation &+= 1  // Wraps after 4 billion uses; an id that old is gone.
    count &+= 1
    return (order, slot)
  }

  /// Notes how much of the order in a slot is seen at a time.
  mutating func makeIceberg(_ slot: UInt32, display: Int64) {
    invariant(display > 0 && slot <= used, "an iceberg shows something")
    icebergs[slot] = Iceberg(display: display, part: display)
    highestIceberg = max(highestIceberg, slot)
    invariant(highestIceberg <= used, "an iceberg is an order")
  }

  /// Gives a slot back.
  @inline(__always) mutating func release(_ order: OrderRow, _ place: PlaceRow, _ slot: UInt32) {
    invariant(order.pointee.marks.isOpen, "an order leaves once")
    order.pointee.marks = .gone
    place.pointee.next = free
    free = slot
    count &-= 1
  }

  /// The open order with an id.
  /// - Returns: `nil` when `id` is of no open order.
  @inline(__always) func find(_ id: OrderId) -> OrderRow? {
    let slot = id.slot
    guard slot >= 1, slot <= used else { return nil }
    let order = table.address(of: slot)
    return order.pointee.marks.isOpen && order.pointee.generation == id.generation ? order : nil
  }
}

// MARK: - Its image (Storage/Image.swift)

extension OrderPool {
  private struct Counters: BitwiseCopyable {
    var free, used, count, highestIceberg: UInt32
  }

  /// What rows its image holds.
  static func add(to layout: inout StateLayout) {
    layout.add(Counters.self)
    layout.add(Order.self)
    layout.add(Place.self)
    layout.add(Iceberg.self)
  }

  func write(to sink: any StateSink) {
    invariant(
      count <= used && free <= used && highestIceberg <= used, "orders within their table")
    sink.put(
      Counters(free: free, used: used, count: count, highestIceberg: highestIceberg))
    table.write(to: sink, used: Int(used) + 1)
    places.write(to: sink, used: Int(used) + 1)
    icebergs.write(to: sink, used: Int(highestIceberg) + 1)
  }

  mutating func read(from source: any StateSource) {
    let counters = source.get(Counters.self)
    (free, used, count) = (counters.free, counters.used, counters.count)
    highestIceberg = counters.highestIceberg
    table.read(from: source)
    places.read(from: source)
    icebergs.read(from: source)
  }
}

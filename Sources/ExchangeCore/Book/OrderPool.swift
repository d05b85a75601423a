// The memory of open orders. Benchmarks compile this file too, so it does not use `Exchange`.

import MarketModel

/// The pool of orders. Freed slots form a last-in, first-out list through `QueueLinks.next`.
struct OrderPool: ~Copyable {
  private let table: Table<Order>
  /// Links and priority of each order, by slot.
  let links: Table<QueueLinks>
  /// Displayed quantities, by slot; valid for icebergs only.
  let icebergs: Table<Iceberg>
  /// The highest slot that ever held an iceberg; 0 when there was none.
  private(set) var highestIceberg: UInt32 = 0
  private var firstFree: UInt32 = 0
  /// The highest slot that was ever used.
  private(set) var used: UInt32 = 0
  /// Number of open orders.
  private(set) var count: UInt32 = 0
  let capacity: UInt32

  init(capacity: UInt32) {
    precondition(capacity <= 1 << 24, "at most 2^24 orders")
    table = Table(capacity: Int(capacity) + 1)
    links = Table(capacity: Int(capacity) + 1)
    icebergs = Table(capacity: Int(capacity) + 1)
    self.capacity = capacity
  }

  subscript(slot: UInt32) -> Order {
    @inline(__always) unsafeAddress { UnsafePointer(table.address(of: slot)) }
    @inline(__always) nonmutating unsafeMutableAddress { table.address(of: slot) }
  }

  /// The row of a slot.
  @inline(__always) func row(_ slot: UInt32) -> OrderRow { table.row(slot) }

  /// The id of the order in a slot.
  func id(_ slot: UInt32) -> OrderId {
    OrderId(slot: slot, generation: table[slot].generation)
  }

  var isFull: Bool { count == capacity }

  /// Takes a slot; the caller fills every field but `generation`.
  @inline(__always) mutating func take() -> (OrderRow, slot: UInt32) {
    precondition(!isFull, "the caller checks isFull first")
    let slot: UInt32
    if firstFree != 0 {
      slot = firstFree
      firstFree = links[slot].next
    } else {
      used &+= 1  // At most the capacity.
      slot = used
    }
    let order = table.row(slot)
    order.generation &+= 1  // Wraps after 2^32 uses, when no client still refers to such an old id.
    count &+= 1
    return (order, slot)
  }

  /// Makes the order in a slot an iceberg with slices of `display` Wh.
  mutating func makeIceberg(_ slot: UInt32, display: Int64) {
    invariant(display > 0 && slot <= used, "an iceberg displays a positive quantity")
    icebergs[slot] = Iceberg(display: display, displayedSlice: display)
    highestIceberg = max(highestIceberg, slot)
    invariant(highestIceberg <= used, "the slot of an iceberg is in use")
  }

  /// Frees a slot.
  @inline(__always) mutating func free(_ order: OrderRow, _ links: QueueLinksRow, _ slot: UInt32) {
    invariant(order.marks.isOpen, "a slot is freed once")
    order.marks = .gone
    links.next = firstFree
    firstFree = slot
    count &-= 1
  }

  /// The open order with an id.
  /// - Returns: `nil` when no open order has that id.
  @inline(__always) func find(_ id: OrderId) -> OrderRow? {
    let slot = id.slot
    guard slot >= 1, slot <= used else { return nil }
    let order = table.row(slot)
    return order.marks.isOpen && order.generation == id.generation ? order : nil
  }
}

// MARK: - Its image (Inspection/Image.swift)

extension OrderPool {
  private struct Counters: BitwiseCopyable {
    var free, used, count, highestIceberg: UInt32
  }

  /// Adds the row types of the pool's image.
  static func add(to layout: inout StateLayout) {
    layout.add(Counters.self)
    layout.add(Order.self)
    layout.add(QueueLinks.self)
    layout.add(Iceberg.self)
  }

  func write(to sink: any StateSink) {
    invariant(
      count <= used && firstFree <= used && highestIceberg <= used, "orders are within their table")
    sink.put(
      Counters(free: firstFree, used: used, count: count, highestIceberg: highestIceberg))
    table.write(to: sink, used: Int(used) + 1)
    links.write(to: sink, used: Int(used) + 1)
    icebergs.write(to: sink, used: Int(highestIceberg) + 1)
  }

  mutating func read(from source: any StateSource) {
    let counters = source.get(Counters.self)
    (firstFree, used, count) = (counters.free, counters.used, counters.count)
    highestIceberg = counters.highestIceberg
    table.read(from: source)
    links.read(from: source)
    icebergs.read(from: source)
  }
}

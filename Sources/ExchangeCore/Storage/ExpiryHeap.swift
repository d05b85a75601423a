// Good-till-time orders by expire time: a binary heap whose entries know their place, so that a
// cancelled order leaves it at once.

/// The orders that expire, soonest first; equal times by arrival. Place 0 is unused.
struct ExpiryHeap: ~Copyable {
  private let slots: Table<UInt32>
  private(set) var count: UInt32 = 0

  init(capacity: UInt32) { slots = Table(capacity: Int(capacity) + 1) }

  /// The order that expires next; 0 when none does.
  var first: UInt32 { count == 0 ? 0 : slots[1] }

  mutating func insert(_ slot: UInt32, _ orders: borrowing OrderPool) {
    count += 1
    place(slot, at: count, orders)
    siftUp(count, orders)
  }

  mutating func remove(_ slot: UInt32, _ orders: borrowing OrderPool) {
    let index = orders[slot].expiryIndex
    orders[slot].expiryIndex = 0
    let last = slots[count]
    count -= 1
    if index > count { return }
    place(last, at: index, orders)
    siftUp(index, orders)
    siftDown(orders[last].expiryIndex, orders)
  }

  private func place(_ slot: UInt32, at index: UInt32, _ orders: borrowing OrderPool) {
    slots[index] = slot
    orders[slot].expiryIndex = index
  }

  private func isBefore(_ a: UInt32, _ b: UInt32, _ orders: borrowing OrderPool) -> Bool {
    (orders[a].expireTime, orders[a].arrival) < (orders[b].expireTime, orders[b].arrival)
  }

  private func siftUp(_ start: UInt32, _ orders: borrowing OrderPool) {
    var index = start
    let slot = slots[index]
    while index > 1, isBefore(slot, slots[index / 2], orders) {
      place(slots[index / 2], at: index, orders)
      index /= 2
    }
    place(slot, at: index, orders)
  }

  private func siftDown(_ start: UInt32, _ orders: borrowing OrderPool) {
    var index = start
    let slot = slots[index]
    while index * 2 <= count {
      var child = index * 2
      if child < count, isBefore(slots[child + 1], slots[child], orders) { child += 1 }
      if !isBefore(slots[child], slot, orders) { break }
      place(slots[child], at: index, orders)
      index = child
    }
    place(slot, at: index, orders)
  }
}

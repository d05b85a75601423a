// Good-till-time orders by expire time: a binary heap whose entries know their place, so that a
// cancelled order leaves it at once.

import MarketModel

/// When an order expires, and where it is in the heap.
struct Expiry: BitwiseCopyable {
  var time: UInt64
  var index: UInt32
}

/// The orders that expire, soonest first; equal times by arrival. Place 0 is unused.
struct ExpiryHeap: ~Copyable {
  private let slots: Table<UInt32>
  /// By slot; only those of good-till-time orders are ever touched.
  private let expiries: Table<Expiry>
  private(set) var count: UInt32 = 0

  init(capacity: UInt32) {
    slots = Table(capacity: Int(capacity) + 1)
    expiries = Table(capacity: Int(capacity) + 1)
  }

  /// The order that expires next; 0 when none does.
  var first: UInt32 { count == 0 ? 0 : slots[1] }
  /// When it does.
  var firstTime: UInt64 { expiries[slots[1]].time }

  /// When a good-till-time order expires.
  func time(of slot: UInt32) -> UInt64 { expiries[slot].time }

  mutating func insert(_ slot: UInt32, _ time: UInt64, _ orders: borrowing OrderPool) {
    expiries[slot].time = time
    count += 1
    invariant(Int(count) < slots.capacity, "no more orders expire than there are")
    place(slot, at: count)
    siftUp(count, orders)
    invariant(slots[expiries[slot].index] == slot, "an order knows its place in the heap")
    invariant(firstTime <= time, "nothing expires before the first")
  }

  mutating func remove(_ slot: UInt32, _ orders: borrowing OrderPool) {
    let index = expiries[slot].index
    invariant(count > 0 && index <= count && slots[index] == slot, "an order that is in the heap")
    let last = slots[count]
    invariant(expiries[last].index == count, "an order knows its place in the heap")
    count -= 1
    if index > count { return }
    place(last, at: index)
    siftUp(index, orders)
    siftDown(expiries[last].index, orders)
    invariant(slots[expiries[last].index] == last, "the last knows its new place")
  }

  private func place(_ slot: UInt32, at index: UInt32) {
    slots[index] = slot
    expiries[slot].index = index
  }

  private func isBefore(_ a: UInt32, _ b: UInt32, _ orders: borrowing OrderPool) -> Bool {
    (expiries[a].time, orders.places[a].arrival) < (expiries[b].time, orders.places[b].arrival)
  }

  private func siftUp(_ start: UInt32, _ orders: borrowing OrderPool) {
    var index = start
    let slot = slots[index]
    while index > 1, isBefore(slot, slots[index / 2], orders) {
      place(slots[index / 2], at: index)
      index /= 2
    }
    invariant(index >= 1 && index <= start, "no order sinks by rising")
    place(slot, at: index)
  }

  private func siftDown(_ start: UInt32, _ orders: borrowing OrderPool) {
    var index = start
    let slot = slots[index]
    while index * 2 <= count {
      var child = index * 2
      if child < count, isBefore(slots[child + 1], slots[child], orders) { child += 1 }
      if !isBefore(slots[child], slot, orders) { break }
      place(slots[child], at: index)
      index = child
    }
    invariant(index >= start && index <= count, "no order rises by sinking")
    place(slot, at: index)
  }
}

// MARK: - Its image (Storage/Image.swift)

extension ExpiryHeap {
  /// What rows its image holds.
  static func add(to layout: inout StateLayout) { layout.add(Expiry.self) }

  /// - Parameter orders: The highest slot of an order.
  func write(to sink: any StateSink, orders: UInt32) {
    invariant(count <= orders, "only orders expire")
    sink.put(count)
    slots.write(to: sink, used: Int(count) + 1)
    expiries.write(to: sink, used: count == 0 ? 0 : Int(orders) + 1)
  }

  mutating func read(from source: any StateSource) {
    count = source.get(UInt32.self)
    slots.read(from: source)
    expiries.read(from: source)
  }
}

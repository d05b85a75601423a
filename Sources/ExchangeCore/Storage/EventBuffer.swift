// Where a command's events are written, in place, before their reader takes them. Rules write events
// without knowing who reads; so none of them is generic and none is copied on the way.

import MarketModel

/// The events of the command being applied, in order.
///
/// Holds 4,096 without allocating; a command with more (a mass cancel of ten thousand orders) doubles
/// it, once and for good.
struct EventBuffer: ~Copyable {
  private var base: UnsafeMutablePointer<Event>
  private var capacity = 4_096
  /// How many events there are.
  private(set) var count = 0

  init() { base = .allocate(capacity: capacity) }

  deinit { base.deallocate() }

  /// All of them, until the next `append` or `clear`.
  var all: UnsafeBufferPointer<Event> { UnsafeBufferPointer(start: base, count: count) }

  mutating func clear() { count = 0 }

  @inline(__always) mutating func append(_ event: Event) {
    if count == capacity { grow() }
    (base + count).initialize(to: event)
    count += 1
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<Event>.allocate(capacity: capacity * 2)
    larger.moveInitialize(from: base, count: count)
    base.deallocate()
    base = larger
    capacity *= 2
  }
}

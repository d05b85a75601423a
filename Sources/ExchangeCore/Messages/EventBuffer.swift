// Where a command's events are written, in place, before their reader takes them. Rules write events
// without knowing who reads; so none of them is generic and none is copied on the way.
//
// An order makes an event of 110 bytes, a trade one of 140 and two balances. Building such a value
// and then storing it costs a copy of it, and the copy waits for the bytes that were just written. So
// the frequent events are written field by field where they belong (`EventKind`).

import MarketModel

/// Which event an order's state goes into: its tag in the hash of the history.
enum OrderStateEvent: UInt64 {
  case accepted = 1
  case replaced = 2
  case restated = 3
}

/// The events of the command being applied, in order.
///
/// A command with more events than it holds (a mass cancel of ten thousand orders) doubles it, once and
/// for good.
struct EventBuffer: ~Copyable {
  private var base: UnsafeMutablePointer<Event>
  private var capacity: Int
  /// How many events there are.
  private(set) var count = 0

  /// Room for what commands cause in an exchange with so many orders: for 4,096 events at most.
  init(orders: UInt32) {
    EventKind.check()
    capacity = min(4_096, max(64, Int(orders) * 4))
    base = .allocate(capacity: capacity)
  }

  deinit { base.deallocate() }

  /// All of them, until the next `append` or `clear`.
  var all: UnsafeBufferPointer<Event> { UnsafeBufferPointer(start: base, count: count) }

  @inline(__always) mutating func clear() { count = 0 }

  mutating func append(_ event: Event) {
    if count == capacity { grow() }
    invariant(count < capacity, "events within their memory")
    (base + count).initialize(to: event)
    count &+= 1
  }

  // MARK: In place. The caller writes every field of what it gets.

  @inline(__always) mutating func state(_ kind: OrderStateEvent) -> Row<OrderState> {
    switch kind {
    case .accepted: place(.accepted)
    case .replaced: place(.replaced)
    case .restated: place(.restated)
    }
  }

  @inline(__always) mutating func canceled() -> Row<OrderCanceled> {
    place(.canceled)
  }

  @inline(__always) mutating func trade() -> Row<Trade> { place(.trade) }

  @inline(__always) mutating func balance() -> Row<Balance> {
    place(.balance)
  }

  @inline(__always) private mutating func place<Payload: BitwiseCopyable>(
    _ kind: EventKind
  ) -> Row<Payload> {
    if count == capacity { grow() }
    let payload: UnsafeMutablePointer<Payload> = kind.begin(at: base + count)
    count &+= 1
    return Row(payload)
  }

  @inline(never) private mutating func grow() {
    invariant(count == capacity, "memory grows when it is full")
    let larger = UnsafeMutablePointer<Event>.allocate(capacity: capacity * 2)
    larger.moveInitialize(from: base, count: count)
    base.deallocate()
    base = larger
    capacity *= 2
    invariant(capacity > count, "room for the next event")
  }
}

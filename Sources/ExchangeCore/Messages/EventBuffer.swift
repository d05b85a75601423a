// The buffer of the events of one command. Rules write into it without knowing the reader, so the
// rules are not generic and events are not copied.
//
// An order event has 110 bytes; a trade has one event of 140 bytes and two balances. Building such
// a value and then storing it costs a copy, which stalls on the bytes that were just written.
// Therefore the frequent events are written field by field in place (`EventKind`).

import MarketModel

/// The events that carry an order's state. The raw value is the tag in the event hash.
enum OrderStateEvent: UInt64 {
  case accepted = 1
  case replaced = 2
  case restated = 3
}

/// The events of the command being applied, in order. Owned by the exchange's thread.
///
/// A command with more events than the buffer holds (a mass cancel of ten thousand orders, say)
/// doubles its capacity. What a very large command needed is given back with the next command.
struct EventBuffer: ~Copyable {
  private var base: UnsafeMutablePointer<Event>
  private var capacity: Int
  /// The capacity that is kept, events; a larger buffer is given back.
  private let kept: Int
  /// Number of events.
  private(set) var count = 0

  /// A buffer for the usual commands of an exchange with `orders` orders: 64 to 4,096 events.
  init(orders: UInt32) {
    EventKind.check()
    capacity = min(4_096, max(64, Int(orders) * 4))
    kept = capacity * 16
    base = .allocate(capacity: capacity)
  }

  deinit { base.deallocate() }

  /// All events; valid until the next `append` or `clear`.
  var all: UnsafeBufferPointer<Event> { UnsafeBufferPointer(start: base, count: count) }

  @inline(__always) mutating func clear() {
    if capacity > kept { shrink() }
    count = 0
  }

  mutating func append(_ event: Event) {
    if count == capacity { grow() }
    invariant(count < capacity, "events are within their memory")
    (base + count).initialize(to: event)
    count &+= 1
  }

  // MARK: Events written in place: the caller writes every field of the returned payload

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

  @inline(never) private mutating func shrink() {
    base.deallocate()
    capacity = kept
    base = .allocate(capacity: kept)
  }

  @inline(never) private mutating func grow() {
    invariant(count == capacity, "the buffer grows when it is full")
    let larger = UnsafeMutablePointer<Event>.allocate(capacity: capacity * 2)
    larger.moveInitialize(from: base, count: count)
    base.deallocate()
    base = larger
    capacity *= 2
    invariant(capacity > count, "the next event fits")
  }
}

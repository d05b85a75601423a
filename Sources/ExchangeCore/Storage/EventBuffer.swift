// Where a command's events are written, in place, before their reader takes them. Rules write events
// without knowing who reads; so none of them is generic and none is copied on the way.
//
// An order makes an event of 110 bytes, a trade one of 140 and two balances. Building such a value
// and then storing it costs a copy of it, and the copy waits for the bytes that were just written. So
// the frequent events are written field by field where they belong:
//
//     | payload, from byte 0 ............ | case |      an Event in memory: its last byte names the case
//
// The compiler chooses that layout. It is not assumed: `EventLayout` reads it off from events made
// the usual way, and an exchange does not start when what it writes is not what it would have made.

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
  private let layout: EventLayout

  init() {
    base = .allocate(capacity: capacity)
    layout = EventLayout(scratch: base)
  }

  deinit { base.deallocate() }

  /// All of them, until the next `append` or `clear`.
  var all: UnsafeBufferPointer<Event> { UnsafeBufferPointer(start: base, count: count) }

  @inline(__always) mutating func clear() { count = 0 }

  mutating func append(_ event: Event) {
    if count == capacity { grow() }
    (base + count).initialize(to: event)
    count &+= 1
  }

  // MARK: In place. The caller writes every field of what it gets.

  @inline(__always) mutating func state(
    _ kind: Exchange.StateEvent
  ) -> UnsafeMutablePointer<OrderState> {
    switch kind {
    case .accepted: place(layout.accepted)
    case .replaced: place(layout.replaced)
    case .restated: place(layout.restated)
    }
  }

  @inline(__always) mutating func canceled() -> UnsafeMutablePointer<OrderCanceled> {
    place(layout.canceled)
  }

  @inline(__always) mutating func trade() -> UnsafeMutablePointer<Trade> { place(layout.trade) }

  @inline(__always) mutating func balance() -> UnsafeMutablePointer<Balance> {
    place(layout.balance)
  }

  @inline(__always) private mutating func place<Payload: BitwiseCopyable>(
    _ tag: UInt8
  ) -> UnsafeMutablePointer<Payload> {
    if count == capacity { grow() }
    let payload: UnsafeMutablePointer<Payload> = EventLayout.place(tag, at: base + count)
    count &+= 1
    return payload
  }

  @inline(never) private mutating func grow() {
    invariant(count == capacity, "memory grows when it is full")
    let larger = UnsafeMutablePointer<Event>.allocate(capacity: capacity * 2)
    larger.moveInitialize(from: base, count: count)
    base.deallocate()
    base = larger
    capacity *= 2
  }
}

/// The byte that names each frequent case.
struct EventLayout {
  let accepted: UInt8
  let replaced: UInt8
  let restated: UInt8
  let canceled: UInt8
  let trade: UInt8
  let balance: UInt8

  /// Reads the layout off from sample events and checks that writing in place gives the same.
  init(scratch: UnsafeMutablePointer<Event>) {
    let state = Sample.state
    accepted = EventLayout.tag(.accepted(state), state, scratch)
    replaced = EventLayout.tag(.replaced(state), state, scratch)
    restated = EventLayout.tag(.restated(state), state, scratch)
    canceled = EventLayout.tag(.canceled(Sample.canceled), Sample.canceled, scratch)
    trade = EventLayout.tag(.trade(Sample.trade), Sample.trade, scratch)
    balance = EventLayout.tag(.balance(Sample.balance), Sample.balance, scratch)
  }

  /// Makes the event with `tag` at `event`, its payload still to be written.
  @inline(__always) static func place<Payload: BitwiseCopyable>(
    _ tag: UInt8, at event: UnsafeMutablePointer<Event>
  ) -> UnsafeMutablePointer<Payload> {
    let raw = UnsafeMutableRawPointer(event)
    raw.storeBytes(of: tag, toByteOffset: MemoryLayout<Event>.size - 1, as: UInt8.self)
    return raw.assumingMemoryBound(to: Payload.self)
  }

  private static func tag<Payload: BitwiseCopyable>(
    _ event: Event, _ payload: Payload, _ scratch: UnsafeMutablePointer<Event>
  ) -> UInt8 {
    scratch.initialize(to: event)
    let tag = UnsafeRawPointer(scratch).load(
      fromByteOffset: MemoryLayout<Event>.size - 1, as: UInt8.self)
    let written: UnsafeMutablePointer<Payload> = place(tag, at: scratch)
    written.pointee = payload
    precondition(scratch.pointee == event, "events are not laid out as this build expects")
    return tag
  }
}

/// Events with every field set.
private enum Sample {
  static let state = OrderState(
    order: OrderId(slot: 1, generation: 2), account: AccountId(3), instrument: InstrumentId(4),
    session: SessionId(5), clientOrderId: ClientOrderId(6), side: .sell, type: .market,
    timeInForce: .fillOrKill, waitReason: .halted, price: Price(ticks: 7),
    quantity: Energy(wattHours: 8), leaves: Energy(wattHours: 9), covered: Energy(wattHours: 10))

  static let canceled = OrderCanceled(
    state: state, quantity: Energy(wattHours: 11), reason: .selfTrade)

  static let trade = Trade(
    trade: TradeId(12), instrument: InstrumentId(13), aggressor: .sell, price: Price(ticks: 14),
    quantity: Energy(wattHours: 15), notional: Money(units: 16), buyer: party(17),
    seller: party(18))

  private static func party(_ number: UInt32) -> TradeParty {
    TradeParty(
      order: OrderId(slot: number, generation: 1), account: AccountId(number),
      session: SessionId(number), clientOrderId: ClientOrderId(19), fee: Money(units: 20),
      leaves: Energy(wattHours: 21), covered: Energy(wattHours: 22))
  }

  static let balance = Balance(
    account: AccountId(23), area: AreaId(24), currency: Currency(25), free: Money(units: 26),
    reserved: Money(units: 27), energy: Energy(wattHours: 28), cap: Energy(wattHours: 29),
    coveredAsks: Energy(wattHours: 30), coveredBids: Energy(wattHours: 31),
    openAsks: Energy(wattHours: 32), openBids: Energy(wattHours: 33))
}

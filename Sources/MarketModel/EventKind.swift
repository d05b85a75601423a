// Access to the frequent events in place, in the exchange's memory or in a queue: the kind and the
// payload of an event without a copy.
//
//     | payload, from byte 0 ............ | case |      an Event in memory: its last byte names the case
//
// The compiler chooses this layout. `EventKind.check` verifies it with sample events, and an
// exchange or a gateway does not start when the layout differs.

/// The frequent events, by the tag of their case.
public enum EventKind: UInt8, Sendable {
  case accepted = 0
  case replaced = 1
  case restated = 2
  case canceled = 3
  case trade = 4
  case balance = 5
  /// Any infrequent event.
  case other = 255

  /// The offset of the tag in an event, bytes.
  @usableFromInline static var tagOffset: Int { MemoryLayout<Event>.size - 1 }

  /// Starts an event of this kind at `event`. The caller writes the returned payload.
  @inlinable @inline(__always) package func begin<Payload: BitwiseCopyable>(
    at event: UnsafeMutablePointer<Event>
  ) -> UnsafeMutablePointer<Payload> {
    let raw = UnsafeMutableRawPointer(event)
    raw.storeBytes(of: rawValue, toByteOffset: EventKind.tagOffset, as: UInt8.self)
    return raw.assumingMemoryBound(to: Payload.self)
  }
}

extension UnsafePointer<Event> {
  /// The kind of the event.
  @inlinable @inline(__always) public var kind: EventKind {
    let number = UnsafeRawPointer(self).load(fromByteOffset: EventKind.tagOffset, as: UInt8.self)
    return EventKind(rawValue: number) ?? .other
  }

  /// The payload of the event.
  /// - Precondition: `kind` is one whose payload has that type.
  @inlinable @inline(__always) public func payload<Payload: BitwiseCopyable>(
    _ type: Payload.Type = Payload.self
  ) -> UnsafePointer<Payload> {
    UnsafeRawPointer(self).assumingMemoryBound(to: Payload.self)
  }
}

// MARK: - The check

extension EventKind {
  /// Ends the process when the memory layout of events differs from the one in this file.
  package static func check() { _ = isChecked }

  private static let isChecked: Bool = {
    check(.accepted, .accepted(Sample.state), Sample.state)
    check(.replaced, .replaced(Sample.state), Sample.state)
    check(.restated, .restated(Sample.state), Sample.state)
    check(.canceled, .canceled(Sample.canceled), Sample.canceled)
    check(.trade, .trade(Sample.trade), Sample.trade)
    check(.balance, .balance(Sample.balance), Sample.balance)
    check(.other, .control(.alarm(Alarm(kind: .cascadeBound, value: 34))))
    return true
  }()

  private static func check<Payload: BitwiseCopyable>(
    _ kind: EventKind, _ event: Event, _ payload: Payload
  ) {
    check(kind, event)
    withUnsafeTemporaryAllocation(of: Event.self, capacity: 1) { memory in
      guard let place = memory.baseAddress else { return }
      // The memory holds another event before, so that the comparison shows a byte that was not
      // written.
      place.initialize(to: .control(.alarm(Alarm(kind: .cascadeBound, value: -1))))
      let written: UnsafeMutablePointer<Payload> = kind.begin(at: place)
      written.pointee = payload
      precondition(place.pointee == event, "events are not laid out as this build expects")
    }
  }

  private static func check(_ kind: EventKind, _ event: Event) {
    withUnsafePointer(to: event) {
      precondition($0.kind == kind, "events are not numbered as this build expects")
    }
  }
}

/// Payloads in which every field is set.
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

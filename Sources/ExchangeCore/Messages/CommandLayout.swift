// Where the frequent commands keep their payload, so that rules read it where the command stands.
//
//     Command.Body in memory:   | payload, from byte 0 ............ | case |
//
// Taking a payload out of its case copies it, a field at a time, to the stack, and on to every rule
// that wants it: a quarter of the instructions of an order. The compiler chooses the layout. It is not
// assumed: `CommandLayout` reads it off from commands made the usual way.

import MarketModel

/// A new order, where its command stands.
typealias NewOrderRow = ReadOnlyRow<NewOrder>
/// A replace, where its command stands.
typealias ReplaceOrderRow = ReadOnlyRow<ReplaceOrder>
/// A cancel, where its command stands.
typealias CancelOrderRow = ReadOnlyRow<CancelOrder>

/// Which rows a command names.
enum NamedRows: Int {
  /// An account and an instrument.
  case enter = 0
  /// An account and an order.
  case change = 1
  /// A meter.
  case reading = 2
  case other = 3
}

/// The byte that names each frequent case.
struct CommandLayout {
  let enter: UInt8
  let replace: UInt8
  let cancel: UInt8
  /// What kind of rows a command names, by its tag (LookAhead/LookAhead.swift).
  private let kinds: InlineArray<256, UInt8>

  /// Read off once a process.
  static let ofThisBuild = CommandLayout()

  /// Reads the layout off from sample commands and checks that payloads stand where they are expected.
  private init() {
    enter = CommandLayout.tag(.enter(Sample.newOrder), Sample.newOrder)
    replace = CommandLayout.tag(.replace(Sample.replace), Sample.replace)
    cancel = CommandLayout.tag(.cancel(Sample.cancel), Sample.cancel)
    let reading = CommandLayout.tag(.meterReading(Sample.reading), Sample.reading)
    var kinds = InlineArray<256, UInt8>(repeating: UInt8(NamedRows.other.rawValue))
    kinds[Int(enter)] = UInt8(NamedRows.enter.rawValue)
    kinds[Int(cancel)] = UInt8(NamedRows.change.rawValue)
    kinds[Int(replace)] = UInt8(NamedRows.change.rawValue)
    kinds[Int(reading)] = UInt8(NamedRows.reading.rawValue)
    self.kinds = kinds
    // The tag is a byte of its own behind the largest payload: no other case has one of these.
    precondition(
      MemoryLayout<Command.Body>.size > Command.Body.largestPayload
        && enter != replace && replace != cancel && cancel != enter,
      "commands are not laid out as this build expects")
  }

  /// Where the payload of a command starts.
  @inline(__always) static func payload(_ command: UnsafePointer<Command>) -> UnsafeRawPointer {
    UnsafeRawPointer(command) + CommandLayout.offset
  }

  /// The byte that names the case.
  @inline(__always) static func tag(_ payload: UnsafeRawPointer) -> UInt8 {
    payload.load(fromByteOffset: MemoryLayout<Command.Body>.size - 1, as: UInt8.self)
  }

  /// What kind of rows a command with a tag names.
  @inline(__always) func kind(_ tag: UInt8) -> UInt8 { kinds[Int(tag)] }

  /// Bytes of a command before its body; the body is the last of its fields.
  @inline(__always) private static var offset: Int {
    MemoryLayout<Command>.size - MemoryLayout<Command.Body>.size
  }

  private static func tag<Payload: Hashable>(_ body: Command.Body, _ sample: Payload) -> UInt8 {
    let command = Command(session: .exchange, body: body)
    return withUnsafePointer(to: command) { command in
      let place = payload(command)
      precondition(
        offset == MemoryLayout<Command>.offset(of: \.body)
          && place.assumingMemoryBound(to: Payload.self).pointee == sample,
        "commands are not laid out as this build expects")
      return tag(place)
    }
  }
}

/// Commands with every field set.
private enum Sample {
  static let newOrder = NewOrder(
    account: AccountId(1), instrument: InstrumentId(2), side: .sell, type: .market,
    timeInForce: .fillOrKill, selfTradePrevention: .decrementBoth, postOnly: true,
    clientOrderId: ClientOrderId(3), price: Price(ticks: 4), quantity: Energy(wattHours: 5),
    minimumQuantity: Energy(wattHours: 6), expireTime: Timestamp(nanoseconds: 7),
    displayQuantity: Energy(wattHours: 8), onBehalfOf: SessionId(9))

  static let replace = ReplaceOrder(
    account: AccountId(1), order: OrderId(slot: 2, generation: 3),
    clientOrderId: ClientOrderId(4), price: Price(ticks: 5), quantity: Energy(wattHours: 6))

  static let cancel = CancelOrder(
    account: AccountId(1), order: OrderId(slot: 2, generation: 3),
    clientOrderId: ClientOrderId(4))

  static let reading = MeterReading(
    meter: MeterId(1), registerSequence: 2, intervalStart: Timestamp(nanoseconds: 3),
    intervalEnd: Timestamp(nanoseconds: 4), produced: Energy(wattHours: 5),
    consumed: Energy(wattHours: 6))
}

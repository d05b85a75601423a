// The memory layout of the frequent commands, so that rules read a payload in place.
//
//     Command.Body in memory:   | payload, from byte 0 ............ | case |
//
// Extracting a payload from its enum case copies it field by field to the stack and again to every
// rule that takes it, which is a quarter of the instructions of an order. The compiler chooses the
// layout, so `CommandLayout` determines it at the start from sample commands instead of assuming
// it.

import MarketModel

/// The payload of a new order, in place in its command.
typealias NewOrderRow = ReadOnlyRow<NewOrder>
/// The payload of a replace, in place in its command.
typealias ReplaceOrderRow = ReadOnlyRow<ReplaceOrder>
/// The payload of a cancel, in place in its command.
typealias CancelOrderRow = ReadOnlyRow<CancelOrder>

/// The kinds of rows that a command names, for prefetching.
enum NamedRows: Int {
  /// An account and an instrument.
  case enter = 0
  /// An account and an order.
  case change = 1
  /// A meter.
  case reading = 2
  case other = 3
}

/// The tag byte of each frequent case of `Command.Body`.
struct CommandLayout {
  let enter: UInt8
  let replace: UInt8
  let cancel: UInt8
  /// The kind of rows that a command names (`NamedRows`), by the command's tag.
  private let kinds: InlineArray<256, UInt8>

  /// The layout of this build, determined once in each process.
  static let ofThisBuild = CommandLayout()

  /// Determines the layout from sample commands. Ends the process when a payload is not at byte 0.
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
    // The tag is a separate byte behind the largest payload, so no other case has one of these
    // tags.
    precondition(
      MemoryLayout<Command.Body>.size > Command.Body.largestPayload
        && enter != replace && replace != cancel && cancel != enter,
      "commands are not laid out as this build expects")
  }

  /// The address of a command's payload.
  @inline(__always) static func payload(_ command: UnsafePointer<Command>) -> UnsafeRawPointer {
    UnsafeRawPointer(command) + CommandLayout.offset
  }

  /// The tag of the case that has the payload.
  @inline(__always) static func tag(_ payload: UnsafeRawPointer) -> UInt8 {
    payload.load(fromByteOffset: MemoryLayout<Command.Body>.size - 1, as: UInt8.self)
  }

  /// The kind of rows that a command with a tag names (`NamedRows`).
  @inline(__always) func kind(_ tag: UInt8) -> UInt8 { kinds[Int(tag)] }

  /// Bytes of a command before its body, which is the last field.
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

/// Payloads in which every field is set.
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

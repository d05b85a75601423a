import MarketModel
import Wire

/// A command that a client sends, again on each new connection, until it is answered.
struct Request {
  /// The command that is sent.
  var body: Command.Body
  /// The meter's signature if the command is a reading.
  var signature = Signature.zero
  /// Whether the reading is a deliberate replay: it must be rejected, unless the first one was
  /// lost.
  var isReplay = false
  /// Whether the exchange may reject it as repeated or overlapping because of another request: a reading
  /// of an interval with several versions, or a decision about one.
  var mayBeContradicted = false
  /// Number of times it was sent.
  var sendings = 0
  /// Whether the gateway rejected it before the exchange saw it. It is sent again after later
  /// requests.
  var wasRefused = false

  init(_ body: Command.Body) { self.body = body }

  /// The effect that its acknowledgement claims; `nil` when it may occur several times.
  var claim: Claim? {
    switch body {
    case .enter(let order): .order(order.account, order.clientOrderId)
    case .replace(let change): .change(change.account, change.clientOrderId)
    case .cash(.transfer(let transfer)): .transfer(transfer.from, transfer.clientOrderId)
    case .cash(.deposit(let movement)): .deposit(movement.account, movement.reference)
    case .cash(.withdraw(let movement)): .withdrawal(movement.account, movement.reference)
    case .meterReading(let reading): .reading(reading.meter, reading.registerSequence)
    default: nil
    }
  }

  /// The frame of the command.
  func frame(_ sequence: UInt64, _ now: Timestamp) -> [UInt8] {
    guard let length = CommandFrame.length(of: body) else {
      preconditionFailure("the command has no client frame")
    }
    var bytes = [UInt8](repeating: 0, count: length)
    bytes.withUnsafeMutableBytes { buffer in
      guard let base = buffer.baseAddress else { return }
      CommandFrame.write(
        body, into: base, seqNo: sequence, sendingTime: now, signature: signature)
    }
    return bytes
  }
}

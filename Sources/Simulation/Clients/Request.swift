import MarketModel
import Wire

/// Something a client asks for until it is answered, however often it must send it again.
struct Request {
  /// What is asked.
  var body: Command.Body
  /// A meter's signature of a reading.
  var signature = Signature.zero
  /// A reading that was sent before on purpose: it must be refused, or was lost.
  var isReplay = false
  /// How often it was sent.
  var sendings = 0
  /// Whether the gateway refused it unseen: later ones may have passed it.
  var wasRefused = false

  init(_ body: Command.Body) { self.body = body }

  /// What its acknowledgement claims; `nil`: nothing that happens once only.
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

  /// The frame that asks for it.
  func frame(_ sequence: UInt64, _ now: Timestamp) -> [UInt8] {
    guard let length = CommandFrame.length(of: body) else {
      preconditionFailure("no client asks for this")
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

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
    var bytes: [UInt8] = []
    func write(_ length: Int, _ encode: (UnsafeMutableRawPointer) -> Void) {
      bytes = [UInt8](repeating: 0, count: length)
      bytes.withUnsafeMutableBytes { if let base = $0.baseAddress { encode(base) } }
    }
    switch body {
    case .enter(let order):
      write(NewOrderExtendedEncoder.frameLength) { order.write($0, sequence, now) }
    case .replace(let change):
      write(ReplaceEncoder.frameLength) {
        ReplaceEncoder(
          into: $0, seqNo: sequence, sendingTime: now, orderId: change.order,
          clientOrderId: change.clientOrderId, price: change.price, quantity: change.quantity,
          account: change.account)
      }
    case .cancel(let order):
      write(CancelEncoder.frameLength) {
        CancelEncoder(
          into: $0, seqNo: sequence, sendingTime: now, orderId: order.order,
          clientOrderId: order.clientOrderId, account: order.account)
      }
    case .order(.massCancel(let filter)):
      write(MassCancelEncoder.frameLength) {
        MassCancelEncoder(
          into: $0, seqNo: sequence, sendingTime: now, account: filter.account,
          instrument: filter.instrument, sides: filter.sides)
      }
    case .order(.setAgent(let agent)):
      write(SetAgentEncoder.frameLength) { agent.write($0, sequence, now) }
    case .cash(.transfer(let transfer)):
      write(TransferEncoder.frameLength) {
        TransferEncoder(
          into: $0, seqNo: sequence, sendingTime: now, clientOrderId: transfer.clientOrderId,
          amount: transfer.amount, fromAccount: transfer.from, toAccount: transfer.to,
          asset: transfer.asset, currency: transfer.currency, area: transfer.area)
      }
    case .meterReading(let reading):
      write(MeterReadingEncoder.frameLength) {
        MeterReadingEncoder(
          into: $0, seqNo: sequence, sendingTime: now, meter: reading.meter,
          registerSequence: reading.registerSequence, intervalStart: reading.intervalStart,
          intervalEnd: reading.intervalEnd, produced: reading.produced,
          consumed: reading.consumed, signature: signature)
      }
    default: OperatorFrame.write(body, sequence, now, write)
    }
    return bytes
  }
}

extension NewOrder {
  fileprivate func write(
    _ frame: UnsafeMutableRawPointer, _ sequence: UInt64, _ now: Timestamp
  ) {
    var flags: OrderFlags = postOnly ? .postOnly : []
    if type == .market { flags.insert(.market) }
    NewOrderExtendedEncoder(
      into: frame, seqNo: sequence, sendingTime: now, clientOrderId: clientOrderId, price: price,
      quantity: quantity, account: account, instrument: instrument, side: side,
      timeInForce: timeInForce, selfTradePrevention: selfTradePrevention, flags: flags,
      minimumQuantity: minimumQuantity, expireTime: expireTime, displayQuantity: displayQuantity,
      onBehalfOf: onBehalfOf)
  }
}

extension SetAgent {
  fileprivate func write(
    _ frame: UnsafeMutableRawPointer, _ sequence: UInt64, _ now: Timestamp
  ) {
    var flags: AgentFlags = sells ? .sells : []
    if buys { flags.insert(.buys) }
    SetAgentEncoder(
      into: frame, seqNo: sequence, sendingTime: now, sellPrice: sellPrice, sellAbove: sellAbove,
      buyPrice: buyPrice, buyBelow: buyBelow, target: target, account: account,
      instrument: instrument, flags: flags)
  }
}

import Crypto
import MarketModel
import Wire

// Each returns the message's sequence number, which a reject names as its reference, and throws
// `.sendBufferFull` (nothing was written: poll, then again), `.connectionLost` or `.closed`.

extension Client {
  /// Enters an order. Answered with `accepted` and what follows from it, or `rejected`. On behalf of another
  /// session it is answered with `acknowledged`, and the reports go there.
  @discardableResult public func enter(_ order: NewOrder) throws(ClientError) -> UInt64 {
    var flags: OrderFlags = order.postOnly ? .postOnly : []
    if order.type == .market { flags.insert(.market) }
    let isPlain =
      order.minimumQuantity == .zero && order.expireTime == .never
      && order.displayQuantity == .zero && order.onBehalfOf == .exchange
    if isPlain {
      return try write(NewOrderEncoder.frameLength) { frame, sequence, now in
        NewOrderEncoder(
          into: frame, seqNo: sequence, sendingTime: now, clientOrderId: order.clientOrderId,
          price: order.price, quantity: order.quantity, account: order.account,
          instrument: order.instrument, side: order.side, timeInForce: order.timeInForce,
          selfTradePrevention: order.selfTradePrevention, flags: flags)
      }
    }
    return try write(NewOrderExtendedEncoder.frameLength) { frame, sequence, now in
      NewOrderExtendedEncoder(
        into: frame, seqNo: sequence, sendingTime: now, clientOrderId: order.clientOrderId,
        price: order.price, quantity: order.quantity, account: order.account,
        instrument: order.instrument, side: order.side, timeInForce: order.timeInForce,
        selfTradePrevention: order.selfTradePrevention, flags: flags,
        minimumQuantity: order.minimumQuantity, expireTime: order.expireTime,
        displayQuantity: order.displayQuantity, onBehalfOf: order.onBehalfOf)
    }
  }

  /// Changes an open order. Answered with `replaced` or `rejected`.
  @discardableResult public func replace(_ change: ReplaceOrder) throws(ClientError) -> UInt64 {
    try write(ReplaceEncoder.frameLength) { frame, sequence, now in
      ReplaceEncoder(
        into: frame, seqNo: sequence, sendingTime: now, orderId: change.order,
        clientOrderId: change.clientOrderId, price: change.price, quantity: change.quantity,
        account: change.account)
    }
  }

  /// Cancels an open order. Answered with `canceled` or `rejected`.
  @discardableResult public func cancel(_ order: CancelOrder) throws(ClientError) -> UInt64 {
    try write(CancelEncoder.frameLength) { frame, sequence, now in
      CancelEncoder(
        into: frame, seqNo: sequence, sendingTime: now, orderId: order.order,
        clientOrderId: order.clientOrderId, account: order.account)
    }
  }

  /// Cancels many orders. Answered with a `canceled` each, then `massCanceled`; or `rejected`.
  @discardableResult public func massCancel(_ filter: MassCancel) throws(ClientError) -> UInt64 {
    try write(MassCancelEncoder.frameLength) { frame, sequence, now in
      MassCancelEncoder(
        into: frame, seqNo: sequence, sendingTime: now, account: filter.account,
        instrument: filter.instrument, sides: filter.sides)
    }
  }

  /// Leaves or removes a standing instruction. Answered with `agentSet` or `rejected`.
  @discardableResult public func setAgent(_ agent: SetAgent) throws(ClientError) -> UInt64 {
    var flags: AgentFlags = agent.sells ? .sells : []
    if agent.buys { flags.insert(.buys) }
    return try write(SetAgentEncoder.frameLength) { frame, sequence, now in
      SetAgentEncoder(
        into: frame, seqNo: sequence, sendingTime: now, sellPrice: agent.sellPrice,
        sellAbove: agent.sellAbove, buyPrice: agent.buyPrice, buyBelow: agent.buyBelow,
        target: agent.target, account: agent.account, instrument: agent.instrument, flags: flags)
    }
  }

  /// Moves cash or energy. Answered with `transferred` or `rejected`.
  @discardableResult public func transfer(_ transfer: Transfer) throws(ClientError) -> UInt64 {
    try write(TransferEncoder.frameLength) { frame, sequence, now in
      TransferEncoder(
        into: frame, seqNo: sequence, sendingTime: now, clientOrderId: transfer.clientOrderId,
        amount: transfer.amount, fromAccount: transfer.from, toAccount: transfer.to,
        asset: transfer.asset, currency: transfer.currency, area: transfer.area)
    }
  }

  /// Passes on a meter's reading, signed here with the meter's key (about 60 us). Answered with
  /// `metered` or `rejected`.
  /// - Throws: Also `.badCredentials` when the key does not sign.
  @discardableResult public func send(
    _ reading: MeterReading, key: Curve25519.Signing.PrivateKey
  ) throws(ClientError) -> UInt64 {
    try send(reading, signature: try reading.signature(key))
  }

  /// Passes on a meter's reading that the meter has signed. Answered with `metered` or `rejected`.
  @discardableResult public func send(
    _ reading: MeterReading, signature: Signature
  ) throws(ClientError) -> UInt64 {
    try write(MeterReadingEncoder.frameLength) { frame, sequence, now in
      reading.encode(into: frame, sequence, now, signature)
    }
  }
}

extension MeterReading {
  /// What a meter does: signs its reading with its key.
  /// - Throws: `.badCredentials` when the key does not sign.
  public func signature(
    _ key: Curve25519.Signing.PrivateKey
  ) throws(ClientError) -> Signature {
    let length = MeterReadingEncoder.frameLength
    let frame = UnsafeMutableRawPointer.allocate(byteCount: length, alignment: 8)
    defer { frame.deallocate() }
    encode(into: frame, 0, .never, .zero)
    return try key.sign(SigningPurpose.reading.message(of: Frame(start: frame, length: length)))
  }

  fileprivate func encode(
    into frame: UnsafeMutableRawPointer, _ sequence: UInt64, _ now: Timestamp,
    _ signature: Signature
  ) {
    MeterReadingEncoder(
      into: frame, seqNo: sequence, sendingTime: now, meter: meter,
      registerSequence: registerSequence, intervalStart: intervalStart, intervalEnd: intervalEnd,
      produced: produced, consumed: consumed, signature: signature)
  }
}

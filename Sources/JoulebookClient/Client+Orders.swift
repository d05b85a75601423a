import Crypto
import MarketModel
import Wire

// Each returns the message's sequence number, which a reject names as its reference, and throws
// `.sendBufferFull` (nothing was written: poll, then again), `.connectionLost` or `.closed`.

extension Client {
  /// Enters an order. Answered with `accepted` and what follows from it, or `rejected`. On behalf of another
  /// session it is answered with `acknowledged`, and the reports go there.
  @discardableResult public func enter(_ order: NewOrder) throws(ClientError) -> UInt64 {
    try submit(.enter(order))
  }

  /// Changes an open order. Answered with `replaced` or `rejected`.
  @discardableResult public func replace(_ change: ReplaceOrder) throws(ClientError) -> UInt64 {
    try submit(.replace(change))
  }

  /// Cancels an open order. Answered with `canceled` or `rejected`.
  @discardableResult public func cancel(_ order: CancelOrder) throws(ClientError) -> UInt64 {
    try submit(.cancel(order))
  }

  /// Cancels many orders. Answered with a `canceled` each, then `massCanceled`; or `rejected`.
  @discardableResult public func massCancel(_ filter: MassCancel) throws(ClientError) -> UInt64 {
    try submit(.order(.massCancel(filter)))
  }

  /// Leaves or removes a standing instruction. Answered with `agentSet` or `rejected`.
  @discardableResult public func setAgent(_ agent: SetAgent) throws(ClientError) -> UInt64 {
    try submit(.order(.setAgent(agent)))
  }

  /// Moves cash or energy. Answered with `transferred` or `rejected`.
  @discardableResult public func transfer(_ transfer: Transfer) throws(ClientError) -> UInt64 {
    try submit(.cash(.transfer(transfer)))
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
    try submit(.meterReading(reading), time: Timestamp(nanoseconds: 0), signature: signature)
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
    CommandFrame.write(.meterReading(self), into: frame, seqNo: 0, sendingTime: .never)
    return try key.sign(SigningPurpose.reading.message(of: Frame(start: frame, length: length)))
  }
}

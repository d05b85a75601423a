import Crypto
import MarketModel
import Wire

// Each method returns the sequence number of the message, which answers and rejects name as their
// reference. Errors: `.sendBufferFull` (nothing was written; poll, then retry), `.connectionLost`,
// `.closed`.

extension Client {
  /// Enters an order. Answered with `accepted` and its consequences, or `rejected`. An order on
  /// behalf of another session is answered with `acknowledged`, and its reports go to that session.
  @discardableResult public func enter(_ order: NewOrder) throws(ClientError) -> UInt64 {
    try submit(.enter(order))
  }

  /// Replaces an open order. Answered with `replaced` or `rejected`.
  @discardableResult public func replace(_ change: ReplaceOrder) throws(ClientError) -> UInt64 {
    try submit(.replace(change))
  }

  /// Cancels an open order. Answered with `canceled` or `rejected`.
  @discardableResult public func cancel(_ order: CancelOrder) throws(ClientError) -> UInt64 {
    try submit(.cancel(order))
  }

  /// Cancels all orders that match `filter`. Answered with one `canceled` each, then
  /// `massCanceled`; or `rejected`.
  @discardableResult public func massCancel(_ filter: MassCancel) throws(ClientError) -> UInt64 {
    try submit(.order(.massCancel(filter)))
  }

  /// Enters an order with a note about it: a `noted` comes before its `accepted`, also in drop
  /// copies, and the ledger keeps it. Both messages leave together.
  /// - Returns: The sequence number of the order.
  @discardableResult public func enter(
    _ order: NewOrder, note: NoteText
  ) throws(ClientError) -> UInt64 {
    try submit(.order(.note(Note(clientOrderId: order.clientOrderId, text: note))))
    return try enter(order)
  }

  /// Replaces an order, with a note about it: a `noted` comes before its `replaced`.
  /// - Returns: The sequence number of the replace.
  @discardableResult public func replace(
    _ change: ReplaceOrder, note: NoteText
  ) throws(ClientError) -> UInt64 {
    try submit(.order(.note(Note(clientOrderId: change.clientOrderId, text: note))))
    return try replace(change)
  }

  /// Sets or removes a standing instruction. Answered with `agentSet` or `rejected`.
  @discardableResult public func setAgent(_ agent: SetAgent) throws(ClientError) -> UInt64 {
    try submit(.order(.setAgent(agent)))
  }

  /// Transfers cash or energy. Answered with `transferred` or `rejected`.
  @discardableResult public func transfer(_ transfer: Transfer) throws(ClientError) -> UInt64 {
    try submit(.cash(.transfer(transfer)))
  }

  /// Sends a meter reading and signs it with the meter's key (about 60 us). Answered with `metered`
  /// or `rejected`.
  /// - Throws: also `.badCredentials` if signing fails.
  @discardableResult public func send(
    _ reading: MeterReading, key: Curve25519.Signing.PrivateKey
  ) throws(ClientError) -> UInt64 {
    try send(reading, signature: try reading.signature(key, for: market))
  }

  /// Sends a reading that the meter has signed. Answered with `metered` or `rejected`.
  @discardableResult public func send(
    _ reading: MeterReading, signature: Signature
  ) throws(ClientError) -> UInt64 {
    try submit(.meterReading(reading), time: Timestamp(nanoseconds: 0), signature: signature)
  }
}

extension MeterReading {
  /// Signs a reading with a meter's key, as a meter does.
  /// - Parameter market: The market that is to accept it (`Client.market`); no other one does.
  /// - Throws: `.badCredentials` if signing fails.
  public func signature(
    _ key: Curve25519.Signing.PrivateKey, for market: MarketId
  ) throws(ClientError) -> Signature {
    let length = MeterReadingEncoder.frameLength
    let frame = UnsafeMutableRawPointer.allocate(byteCount: length, alignment: 8)
    defer { frame.deallocate() }
    CommandFrame.write(.meterReading(self), into: frame, seqNo: 0, sendingTime: .never)
    return try key.sign(
      SigningPurpose.reading(market).message(of: Frame(start: frame, length: length)))
  }
}

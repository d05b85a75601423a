import MarketModel
import Wire

// Commands without a method of their own, including administrative commands.

extension Client {
  /// Sends any command that clients may send. An administrative command is answered with
  /// `acknowledged` or `rejected`, which name the returned sequence number as their reference.
  /// - Precondition: `body` has a message. Readings and ticks have their own methods, because
  ///   they need more than the fields of the body.
  /// - Throws: `.sendBufferFull` (nothing was written; poll, then retry), `.connectionLost`,
  ///   `.closed`.
  @discardableResult public func submit(_ body: Command.Body) throws(ClientError) -> UInt64 {
    try submit(body, time: Timestamp(nanoseconds: 0), signature: .zero)
  }

  /// Advances the clock of an exchange with a driven clock.
  /// - Throws: as `submit`.
  @discardableResult public func tick(to time: Timestamp) throws(ClientError) -> UInt64 {
    try submit(.control(.tick), time: time, signature: .zero)
  }

  func submit(
    _ body: Command.Body, time: Timestamp, signature: Signature
  ) throws(ClientError) -> UInt64 {
    guard let length = CommandFrame.length(of: body) else {
      preconditionFailure("no client asks for it")
    }
    return try write(length) { frame, sequence, now in
      CommandFrame.write(
        body, into: frame, seqNo: sequence, sendingTime: now, time: time, signature: signature)
    }
  }
}

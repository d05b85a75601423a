import MarketModel
import Wire

// What is not asked often enough for a method of its own, an operator's commands among it (role administration).

extension Client {
  /// Sends any command that a client may ask for. An operator's is answered with `acknowledged`, or `rejected`;
  /// both name the returned sequence number as their reference.
  /// - Precondition: `body` has a message; readings and ticks, which are more than their fields, have methods of
  ///   their own.
  /// - Throws: `.sendBufferFull` (nothing was written: poll, then again), `.connectionLost` or `.closed`.
  @discardableResult public func submit(_ body: Command.Body) throws(ClientError) -> UInt64 {
    try submit(body, time: Timestamp(nanoseconds: 0), signature: .zero)
  }

  /// Moves the clock of an exchange that runs on driven time, and lets time do its work.
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

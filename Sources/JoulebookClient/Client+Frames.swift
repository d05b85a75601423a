// The lowest-level interface, for load generators and latency-critical clients: frames in place.
//
//     client.writeFrame(NewOrderEncoder.frameLength) { frame, number in NewOrderEncoder(into: ...) }
//     client.flush()
//     client.pollFrames { frame, template in ... AcceptedDecoder(frame) ... }
//
// It copies and allocates nothing; encoders and decoders are those of `Wire`. One thread can serve
// thousands of sessions in this way: wait for their `descriptor`s with one epoll, poll those that
// are ready, and call `keepAlive` for all of them a few times per keep-alive interval.

import MarketModel
import Wire

extension Client {
  /// The socket's descriptor, for poll and epoll; the client reads and writes it.
  public var descriptor: Int32 { socket.descriptor }

  /// Whether bytes remain that the socket did not accept; flush again when it is writable.
  public var hasUnsent: Bool { socket.hasUnsent }

  /// Number of bytes that can be written before the next flush.
  public var freeSendBytes: Int { socket.freeBytes }

  /// Writes a sequenced message, encoded by the caller, to the send buffer.
  /// - Parameters:
  ///   - length: Length of the frame: the encoder's `frameLength`.
  ///   - encode: Receives the address of the frame and the sequence number, and encodes the
  ///     frame.
  /// - Returns: the sequence number, which a reject names as its reference.
  /// - Throws: `.sendBufferFull` (nothing was written), `.connectionLost`, `.closed`.
  @discardableResult @inline(__always)
  public func writeFrame(
    _ length: Int, _ encode: (UnsafeMutableRawPointer, UInt64) -> Void
  ) throws(ClientError) -> UInt64 {
    if isClosed { throw .closed }
    let frame = try socket.reserve(length)
    let sequence = takeSequence()
    encode(frame, sequence)
    return sequence
  }

  /// Reads what has arrived, once and without waiting, and calls `body` for each message that is
  /// not a session message. `lastReceived` is the time of arrival.
  /// - Parameter body: Receives a frame that is valid during the call; it may write to this
  ///   client.
  /// - Returns: the number of calls.
  /// - Throws: `.terminated`, `.connectionLost`, `.protocolViolation`, `.closed`: the session is
  ///   over.
  @discardableResult
  public func pollFrames(
    _ body: (Frame, Template) throws(ClientError) -> Void
  ) throws(ClientError) -> Int {
    if isClosed { throw .closed }
    guard try receive() else { return 0 }
    var shown = 0
    while let (frame, template) = try nextFrame() {
      if try admit(frame, template) != .session {
        try body(frame, template)
        shown += 1
      }
      socket.consume(frame.length)
    }
    return shown
  }

  /// Sends a keep-alive if one is due. Must be called a few times per keep-alive interval by
  /// callers that do not use `poll`.
  /// - Throws: `.connectionLost` if the server has been silent for two intervals.
  public func keepAlive() throws(ClientError) {
    if isClosed { throw .closed }
    try keepSessionAlive(Self.monotonicNow())
  }
}

// The lowest level, for load and for bots that count nanoseconds: frames where they stand.
//
//     client.writeFrame(NewOrderEncoder.frameLength) { frame, sequence in NewOrderEncoder(into: ...) }
//     client.flush()
//     client.pollFrames { frame, template in ... AcceptedDecoder(frame) ... }
//
// Nothing is copied and nothing is allocated; encoders and decoders are those of `Wire`. One thread can
// serve thousands of sessions so: wait for their `descriptor`s with one epoll, poll those that are ready,
// and call `keepAlive` on all of them a few times per keep-alive interval.

import MarketModel
import Wire

extension Client {
  /// The socket, for poll and epoll. Reading and writing it is the client's business.
  public var descriptor: Int32 { socket.descriptor }

  /// Whether bytes wait that the socket did not take: flush again when it is writable.
  public var hasUnsent: Bool { socket.hasUnsent }

  /// Bytes that can be written before the next flush.
  public var sendRoom: Int { socket.room }

  /// Writes a sequenced message of the caller's own making to the send buffer.
  /// - Parameters:
  ///   - length: Bytes of the frame: the encoder's `frameLength`.
  ///   - encode: Gets the place of the frame and the message's sequence number, and fills the frame in.
  /// - Returns: The sequence number: a reject names it as its reference.
  /// - Throws: `.sendBufferFull`, then nothing was written; `.connectionLost`; `.closed`.
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

  /// Reads what has arrived, once and without waiting, and shows each message but the session's own
  /// where it stands. `lastReceived` is when.
  /// - Parameter body: The frame is valid during the call only; it may write to this client.
  /// - Returns: How many messages were shown.
  /// - Throws: `.terminated`, `.connectionLost`, `.protocolViolation`, `.closed`: the session is over.
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

  /// Says that this side lives, when it is time to; to be called a few times per keep-alive interval by
  /// whoever does not call `poll`.
  /// - Throws: `.connectionLost` when the server has been silent for two intervals.
  public func keepAlive() throws(ClientError) {
    if isClosed { throw .closed }
    try keepSessionAlive(Self.monotonicNow())
  }
}

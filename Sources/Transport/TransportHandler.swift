/// What a gateway does with connections. Every call is made on the thread that runs the loop.
///
/// One existential call per read, not per message: the handler walks the messages of a read itself.
public protocol ConnectionHandler: AnyObject {
  /// A client connected.
  func connected(_ connection: ConnectionId)

  /// Bytes arrived, behind those that an earlier call left over.
  /// - Parameter bytes: valid during the call only.
  /// - Returns: How many of them are done with. The rest is shown again, in front of the next bytes;
  ///   it must be a part of one message, unless the handler has paused the connection.
  func received(_ connection: ConnectionId, _ bytes: UnsafeRawBufferPointer) -> Int

  /// The client does not read: its queue has reached its bound and the connection ends. A last message
  /// of at most `Transport.lastWord` bytes may be sent now; nothing after it.
  func overflowed(_ connection: ConnectionId)

  /// The connection is gone; its id is never valid again.
  func closed(_ connection: ConnectionId, _ reason: CloseReason)
}

extension ConnectionHandler {
  /// Has no last word.
  public func overflowed(_ connection: ConnectionId) {}
}

/// What is done in a turn of the loop, whichever connections it serves. Every call is made on the thread that
/// runs it.
public protocol LoopHandler: AnyObject {
  /// A handler of connections was shown the bytes of one read.
  func readEnds()

  /// Another thread called `WakeHandle.wake`; several calls may have become one.
  func woken()

  /// A timer is due.
  func timerFired(_ timer: TimerToken)

  /// All that this turn of the loop brought has been handled; what is sent now is flushed with it.
  func turnEnds()
}

extension LoopHandler {
  /// Waits for the turn's end.
  public func readEnds() {}
}

/// Why a connection was closed.
public enum CloseReason: Equatable, Sendable {
  /// The client closed its side.
  case peerClosed
  /// The socket failed, with libuv's (negative) error number.
  case failed(Int32)
  /// The client does not read: its queue reached its bound.
  case slowReader
  /// The handler left more unread than a message may have.
  case unreadOverflow
  /// The handler asked for it.
  case local
  /// It does not speak TLS as it must here.
  case notSecured
  /// The transport shut down.
  case shutdown
}

/// Names a timer of the loop's handler.
public struct TimerToken: Hashable, Sendable, BitwiseCopyable {
  /// Any number, chosen by it.
  public let rawValue: Int
  /// The timer with that number.
  public init(_ rawValue: Int) { self.rawValue = rawValue }
}

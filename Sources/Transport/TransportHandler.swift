/// Receives the events of a gateway's connections. All methods are called on the thread that runs
/// the loop.
///
/// The transport makes one existential call per read, not per message: the handler iterates over
/// the messages of a read.
public protocol ConnectionHandler: AnyObject {
  /// A client has connected.
  func connected(_ connection: ConnectionId)

  /// Bytes have arrived. They start with those that an earlier call left over.
  /// - Parameter bytes: Valid during the call only.
  /// - Returns: the number of bytes handled. The rest is presented again, before the next bytes;
  ///   it must be part of one message, unless the handler has paused the connection.
  func received(_ connection: ConnectionId, _ bytes: UnsafeRawBufferPointer) -> Int

  /// The client reads too slowly for what waits for it, and the connection is being closed. The handler may now send a last message of at most `Transport.lastWord` bytes.
  func overflowed(_ connection: ConnectionId)

  /// The connection is closed; its id is never used again.
  func closed(_ connection: ConnectionId, _ reason: CloseReason)
}

extension ConnectionHandler {
  /// The default: sends no last message.
  public func overflowed(_ connection: ConnectionId) {}
}

/// Receives the events of the loop itself. All methods are called on the thread that runs it.
public protocol LoopHandler: AnyObject {
  /// The bytes of one read were presented to a connection's handler.
  func readEnds()

  /// Another thread has called `WakeHandle.wake`; several calls may be merged into one.
  func woken()

  /// A timer has fired.
  func timerFired(_ timer: TimerToken)

  /// All events of this turn were handled; what is sent now is flushed with the turn.
  func turnEnds()

  /// A connection was refused. Called for each one; the handler bounds what it makes of it.
  func refused(_ address: PeerAddress, _ reason: Transport.Refusal)
}

extension LoopHandler {
  /// The default: does nothing until the turn ends.
  public func readEnds() {}
  /// The default: does nothing.
  public func refused(_ address: PeerAddress, _ reason: Transport.Refusal) {}
}

extension Transport {
  /// The reason why a connection was refused.
  public enum Refusal: Sendable {
    /// Every connection that is allowed has an established session, or is younger than a second.
    case full
    /// Its address has the maximum number of connections of one address.
    case addressIsFull
  }
}

/// The reason why a connection was closed.
public enum CloseReason: Equatable, Sendable {
  /// The client closed its side.
  case peerClosed
  /// The socket failed, with libuv's (negative) error code.
  case failed(Int32)
  /// The client does not read, or too slowly for what it asks.
  case slowReader
  /// It had no established session, and its place was needed for a newcomer.
  case replaced
  /// The handler left more bytes unhandled than a message can have.
  case unreadOverflow
  /// The handler closed it.
  case local
  /// The TLS handshake failed, or TLS was violated.
  case notSecured
  /// The transport shut down.
  case shutdown
}

/// Identifies a timer of the loop's handler.
public struct TimerToken: Hashable, Sendable, BitwiseCopyable {
  /// A number chosen by the handler.
  public let rawValue: Int
  /// The timer with the given number.
  public init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// The operations on connections that a gateway needs: implemented by `Transport` over sockets and
/// by the simulated network. All of them are called on the loop's thread.
public protocol Network: AnyObject {
  /// Maximum number of simultaneous connections.
  var maximumConnections: Int { get }
  /// Appends `bytes` bytes to the send queue of `connection`, to be filled in before the next call.
  /// - Returns: `nil` if the connection is closed, finishing, or has just exceeded its bound.
  func reserve(_ connection: ConnectionId, _ bytes: Int) -> UnsafeMutableRawPointer?
  /// Number of bytes queued for sending on `connection`.
  func queued(_ connection: ConnectionId) -> Int
  /// Number of bytes queued for sending on all connections.
  var waiting: Int { get }
  /// Number of bytes of memory that all send queues take, with what is kept for later.
  var queueMemory: Int { get }
  /// Activity counters since the start.
  var counts: Transport.Counts { get }
  /// Number of bytes that a client may leave unread for a time; see `Transport.Configuration`.
  var sendBound: Int { get }
  /// The network address of a client; `.unknown` if the connection is closed.
  func address(of connection: ConnectionId) -> PeerAddress
  /// Whether the client waits for the first step of its TLS handshake, which is the server's.
  func isHeldBack(_ connection: ConnectionId) -> Bool
  /// The client of `connection` has an established session: the connection keeps its place in a
  /// full table and may leave more bytes unread than one without.
  func promote(_ connection: ConnectionId)
  /// The client of `connection` has proved to be an administrator: the connection keeps its place in
  /// a full table until its log-on is complete or its time is over.
  func keepPlace(_ connection: ConnectionId)
  /// Flushes the connections that were read in this turn, before the turn ends. May be called
  /// within `received`.
  func sendNow()
  /// Stops reading from `connection`. Bytes that the handler leaves are presented again on
  /// `resume`.
  func pause(_ connection: ConnectionId)
  /// Resumes reading. Not to be called within `received`.
  func resume(_ connection: ConnectionId)
  /// Sends what is queued, then closes the connection; bytes that arrive in between are discarded.
  func finish(_ connection: ConnectionId)
  /// Calls `timerFired` after `milliseconds`, then every `interval` ms; 0 means once.
  func startTimer(_ token: TimerToken, after milliseconds: UInt64, every interval: UInt64)
  /// Stops a timer; has no effect if it does not run.
  func stopTimer(_ token: TimerToken)
  /// Makes the loop turn once more without waiting for an event: pending bytes are read, and
  /// `turnEnds` is called.
  func turnAgain()
  /// Closes the listeners; existing connections continue.
  func stopListening()
  /// Closes everything without sending what is queued; the loop ends.
  func shutDown()
}

extension Network {
  /// The default, for a network without send queues.
  public func queued(_ connection: ConnectionId) -> Int { 0 }
  /// The default, for a network without send queues.
  public var waiting: Int { 0 }
  /// The default, for a network without send queues.
  public var queueMemory: Int { 0 }
  /// The default: nothing is counted.
  public var counts: Transport.Counts { Transport.Counts() }
  /// The default, for a network that turns anyway.
  public func turnAgain() {}
  /// The default: everything is sent at the end of the turn.
  public func sendNow() {}
  /// The default: there is no bound.
  public var sendBound: Int { .max }
  /// The default: every client runs on this machine.
  public func address(of connection: ConnectionId) -> PeerAddress { .loopback }
  /// The default, for a network without TLS.
  public func isHeldBack(_ connection: ConnectionId) -> Bool { false }
  /// The default: every connection keeps its place.
  public func promote(_ connection: ConnectionId) {}
  /// The default: every connection keeps its place.
  public func keepPlace(_ connection: ConnectionId) {}
}

extension Transport: Network {
  /// Wakes the transport's own loop.
  public func turnAgain() { wakeHandle.wake() }

  /// The configured bound.
  public var sendBound: Int { configuration.sendBound }

  /// The configured limit.
  public var maximumConnections: Int { configuration.maximumConnections }
}

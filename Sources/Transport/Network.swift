/// What a gateway asks of its connections: `Transport` over sockets, or a network of the simulation.
/// The loop's thread.
public protocol Network: AnyObject {
  /// Connections at a time.
  var maximumConnections: Int { get }
  /// Room for `bytes` bytes behind what `connection` is sent, to be filled in before the next call.
  /// - Returns: `nil` when the connection is closed, finishing, or has just been cut.
  func reserve(_ connection: ConnectionId, _ bytes: Int) -> UnsafeMutableRawPointer?
  /// Bytes that wait to be sent on `connection`.
  func queued(_ connection: ConnectionId) -> Int
  /// Bytes that wait to be sent, on all connections.
  var waiting: Int { get }
  /// What happened so far.
  var counts: Transport.Counts { get }
  /// Bytes that may wait on one connection before it is cut.
  var sendBound: Int { get }
  /// Sends what waits now on connections that were read, and not only when the turn ends; may be called
  /// within `received`.
  func sendNow()
  /// Stops reading from `connection`; what the handler leaves unread is shown again on `resume`.
  func pause(_ connection: ConnectionId)
  /// Reads again. Not within `received`.
  func resume(_ connection: ConnectionId)
  /// Sends what is queued, then closes; what arrives meanwhile is discarded.
  func finish(_ connection: ConnectionId)
  /// Calls `timerFired` after `milliseconds`, then every `interval` ms (0: once).
  func startTimer(_ token: TimerToken, after milliseconds: UInt64, every interval: UInt64)
  /// Stops a timer; one that does not run is fine.
  func stopTimer(_ token: TimerToken)
  /// The loop turns once more without waiting for something to happen: what has come is read, and
  /// `turnEnds` called.
  func turnAgain()
  /// Connections go on, none is added.
  func stopListening()
  /// Closes everything without sending what is queued; the loop ends.
  func shutDown()
}

extension Network {
  /// Nothing ever waits.
  public func queued(_ connection: ConnectionId) -> Int { 0 }
  /// Nothing ever waits.
  public var waiting: Int { 0 }
  /// Nothing is counted.
  public var counts: Transport.Counts { Transport.Counts() }
  /// It turns anyway.
  public func turnAgain() {}
  /// It leaves with the turn.
  public func sendNow() {}
  /// No bound.
  public var sendBound: Int { .max }
}

extension Transport: Network {
  /// Wakes its own loop.
  public func turnAgain() { wakeHandle.wake() }

  /// The configured bound.
  public var sendBound: Int { configuration.sendBound }

  /// The configured limit.
  public var maximumConnections: Int { configuration.maximumConnections }
}

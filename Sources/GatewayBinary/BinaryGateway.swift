// Rooms 1, 2 and 8 of the house on one thread:
//
//     bytes ─> frames ─> FixpSession ─> OrderReader ─> Command ──submit──> server
//     bytes <─ reports <─ ReportWriter <─ Event <──deliver, endCommand── server (what is durable)
//                         MarketFeed
//
// Reports go to the session that the event names. To one that is not connected nothing is sent, and no
// number is used: a session's sequence numbers count what its connection was sent.

import MarketModel
import Transport

/// The binary gateway: FIXP sessions over SBE frames on one transport. Owned by the I/O thread: every
/// method is called there.
public final class BinaryGateway: TransportHandler {
  /// Limits and the clock.
  public struct Configuration: Sendable {
    /// Limits of sessions.
    public var session = FixpSession.Limits()
    /// Session versions must be above it; see `SessionIdentities`. Usually the start time in ns.
    public var versionFloor: UInt64
    /// How often silence is looked for, in ms.
    public var tickMilliseconds: UInt64 = 250
    /// The clock that judges timestamps of Negotiate and Establish: always the real one, also for a
    /// server whose exchange runs on driven time.
    public var clock: @Sendable () -> Timestamp = { SystemClock.now() }

    /// The defaults; the version floor is now.
    public init() { versionFloor = SystemClock.now().nanoseconds }
  }

  /// Running counts since the start.
  public struct Counts: Sendable, Equatable {
    /// Sessions established.
    public var sessions = 0
    /// Commands submitted.
    public var commands = 0
    /// Messages answered with a reject here.
    public var rejects = 0
    /// Sessions ended by us with a code.
    public var terminations = 0
    /// Reports sent.
    public var reports = 0
    /// Market-data messages sent.
    public var marketData = 0
    /// Times that reading paused, since the intake was full.
    public var pauses = 0
  }

  private enum OwnTimer {
    static let tick = TimerToken(-1)
  }

  /// What happened so far.
  public internal(set) var counts = Counts()
  /// Who is who, as the events tell.
  public internal(set) var directory = Directory()
  /// Established sessions.
  public var connectionCount: Int { peers.establishedCount }

  let transport: any Network
  unowned let server: any GatewayServer
  let configuration: Configuration
  var identities: SessionIdentities
  var peers: PeerTable
  var feed = MarketFeed()
  /// The real clock, read when the loop calls.
  var now: Timestamp
  /// Time of the last command delivered: the time of answers.
  var exchangeTime: Timestamp?
  var isDraining = false
  private var pausedSlots: [Int] = []

  /// A gateway without clients. `run` the transport with it as the handler.
  /// - Parameter server: Not retained: it owns the gateway.
  public init(
    transport: any Network, server: any GatewayServer,
    configuration: Configuration = Configuration()
  ) {
    self.transport = transport
    self.server = server
    self.configuration = configuration
    identities = SessionIdentities(versionFloor: configuration.versionFloor)
    peers = PeerTable(capacity: transport.maximumConnections)
    now = configuration.clock()
    transport.startTimer(
      OwnTimer.tick, after: configuration.tickMilliseconds, every: configuration.tickMilliseconds)
  }

  // MARK: From the server

  /// Takes an event of a durable command (or, while recovering, of a replayed one). The events of a
  /// command are delivered together, in order, and followed by `endCommand`.
  public func deliver(_ event: borrowing Event, sequence: SequenceNumber, time: Timestamp) {
    exchangeTime = time
    feed.note(event)
    report(event, time)
    directory.note(event)
  }

  /// The command `sequence` is complete: its market data are published.
  public func endCommand(_ sequence: SequenceNumber) {
    var broadcast = FeedBroadcast(gateway: self, time: answerTime)
    feed.endCommand(into: &broadcast)
  }

  /// Ends every session with code 1012 and lets the transport's loop return when the last connection
  /// is gone. Call when the last report has been delivered.
  public func drain() {
    isDraining = true
    transport.stopListening()
    for slot in peers.occupied { terminate(slot, Refusal(.shuttingDown)) }
    shutDownWhenEmpty()
  }

  // MARK: From the transport

  /// A client connected.
  public func connected(_ connection: ConnectionId) {
    now = configuration.clock()
    peers[connection.slot] = Peer(
      connection: connection, session: FixpSession(now: now, limits: configuration.session))
  }

  /// Bytes arrived: walks the frames.
  public func received(_ connection: ConnectionId, _ bytes: UnsafeRawBufferPointer) -> Int {
    now = configuration.clock()
    return readFrames(connection.slot, bytes)
  }

  /// A connection is gone.
  public func closed(_ connection: ConnectionId, _ reason: CloseReason) {
    if let identity = peers.ended(connection.slot) { identities.release(identity) }
    peers[connection.slot] = nil
    shutDownWhenEmpty()
  }

  /// Another thread woke the loop.
  public func woken() {
    now = configuration.clock()
    server.woken()
  }

  /// A timer is due.
  public func timerFired(_ timer: TimerToken) {
    now = configuration.clock()
    guard timer == OwnTimer.tick else { return server.timerFired(timer) }
    for slot in peers.occupied {
      guard let action = peers[slot]?.session.tick(now: now) else { continue }
      perform(action, slot)
    }
  }

  /// The turn ends: the server delivers, then paused clients are shown again what they had sent.
  public func turnEnds() {
    server.turnEnds()
    if pausedSlots.isEmpty { return }
    let slots = pausedSlots
    pausedSlots.removeAll(keepingCapacity: true)
    for slot in slots {
      guard let peer = peers[slot], peer.isPaused else { continue }
      peers[slot]?.isPaused = false
      transport.resume(peer.connection)
    }
  }

  // MARK: Within

  /// The time that an answer carries.
  var answerTime: Timestamp { exchangeTime ?? now }

  /// Stops reading from a client until the intake has room.
  func pause(_ slot: Int) {
    guard let connection = peers[slot]?.connection else { return }
    peers[slot]?.isPaused = true
    pausedSlots.append(slot)
    counts.pauses += 1
    transport.pause(connection)
  }

  private func shutDownWhenEmpty() {
    if isDraining && peers.occupied.isEmpty { transport.shutDown() }
  }
}

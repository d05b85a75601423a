// Rooms 1, 2 and 8 of the house on one thread:
//
//     bytes ─> frames ─> FixpSession ─> OrderReader ─> Command ──submit──> server
//     bytes <─ reports <─ ReportRouter <─ Event <──deliver, endCommand── server (what is durable)
//                         MarketFeed
//
// Every report is numbered and kept for a while, whether or not its session is connected: a client that
// comes back asks for what it missed, and older reports are read from the journal again.

import MarketModel
import Transport
import Wire

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
    /// The clock of every interval: silence, cancel on disconnect, throttles, locked keys.
    public var steady: @Sendable () -> SteadyTime = { SystemClock.steady() }

    /// Whether a signature is that of a key's owner on a purpose's part of a frame. The simulation, which
    /// signs everything itself, remembers what it has signed.
    package var verify: @Sendable (Signature, Frame, SigningPurpose, PublicKey) -> Bool = {
      SignatureCheck.isValid($0, on: $1, $2, key: $3)
    }

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
    /// Reports sent again.
    public var retransmitted = 0
    /// Market-data messages sent.
    public var marketData = 0
    /// Established sessions whose connection went without a farewell of either side.
    public var lost = 0
    /// Times that reading paused, since the intake was full.
    public var pauses = 0

    /// Nothing happened.
    public init() {}
  }

  private enum OwnTimer {
    static let tick = TimerToken(-1)
  }

  /// What happened so far.
  public internal(set) var counts = Counts()
  /// Who is who, as the events tell.
  public var directory: Directory { router.directory }
  /// Clients that are not read, since the intake was full.
  public var pausedCount: Int { pausedSlots.count }
  /// Established sessions.
  public var connectionCount: Int { peers.establishedCount }

  let transport: any Network
  let server: any GatewayServer
  let configuration: Configuration
  var identities: SessionIdentities
  var peers: PeerTable
  var feed = MarketFeed()
  var router = ReportRouter()
  var recent = RecentTable()
  /// Sessions whose connection is gone, since when, and how many ns later their orders are cancelled.
  var lost: [SessionId: (version: UInt64, since: SteadyTime, window: UInt64)] = [:]
  /// Marks of sessions in the journal that were submitted and have not come back.
  var begins: [SessionId: Int] = [:]
  /// Commands of the gateway's own that the intake had no room for.
  var ownCommands: [Command] = []
  /// Slots that were cut as slow readers in this turn.
  var cutSlots: [Int] = []
  /// Retransmissions that wait for their client to read.
  var heldAnswers: [HeldAnswer] = []
  /// Answers to questions that wait until what they say is durable.
  var waiting = WaitingAnswers()
  /// Every command up to here is durable, and its events were delivered.
  var deliveredThrough = SequenceNumber.none
  /// The time of intervals, read when the loop calls.
  private(set) var now: SteadyTime
  private var serving: ServingClock
  /// When silence was last looked for, and how many more turns read what had come by then.
  private var judgement: (now: SteadyTime, turns: Int)?
  /// Time of the last command delivered: the time of answers.
  var exchangeTime: Timestamp?
  var isDraining = false
  /// A message for several.
  let draft = UnsafeMutableRawPointer.allocate(
    byteCount: ReportRouter.longestReport, alignment: 8)
  private var pausedSlots: [Int] = []
  /// Messages taken in, commands and questions.
  var taken = 0
  /// Commands that had been submitted when something was delivered last.
  private var deliveredAt = 0
  /// Commands in a turn after which what they led to is delivered early.
  private static let longTurn = 256
  /// Turns in which what had come when silence is looked for is read: in the first, connections are
  /// accepted and known ones read; in the second, those that were accepted.
  private static let readingTurns = 2

  /// A gateway without clients. `run` the transport with it as the handler.
  /// - Parameter server: Is kept as long as the gateway; it must not keep the gateway in turn.
  public init(
    transport: any Network, server: any GatewayServer,
    configuration: Configuration = Configuration()
  ) {
    self.transport = transport
    self.server = server
    self.configuration = configuration
    identities = SessionIdentities(versionFloor: configuration.versionFloor)
    peers = PeerTable(capacity: transport.maximumConnections)
    now = configuration.steady()
    // The tick comes four times a second, so that more between two looks is time that we were held up.
    serving = ServingClock(now, longest: 2 * configuration.tickMilliseconds * 1_000_000)
    EventKind.check()
    transport.startTimer(
      OwnTimer.tick, after: configuration.tickMilliseconds, every: configuration.tickMilliseconds)
  }

  deinit { draft.deallocate() }

  // MARK: From the server

  /// Takes an event of a durable command (or, while recovering, of a replayed one). The events of a
  /// command are delivered together, in order, and followed by `endCommand`.
  public func deliver(_ event: borrowing Event, sequence: SequenceNumber, time: Timestamp) {
    withUnsafePointer(to: event) { deliver($0, sequence: sequence, time: time) }
  }

  /// As above: an event that stays where it is meanwhile.
  public func deliver(_ event: UnsafePointer<Event>, sequence: SequenceNumber, time: Timestamp) {
    // An answer keeps its place: behind the reports of what came before it, before all others.
    if waiting.first < sequence {
      releaseAnswers(through: SequenceNumber(sequence.rawValue - 1))
    }
    exchangeTime = time
    feed.note(event)
    if event.kind == .other { note(event.pointee) }
    var delivery = ReportDelivery(self)
    router.route(event, time, into: &delivery)
  }

  /// Asks for the memory that an event will be delivered to; see `MarketFeed.anticipate`.
  package func anticipate(_ event: UnsafePointer<Event>) { feed.anticipate(event) }

  /// The command `sequence` is complete: its market data are published.
  public func endCommand(_ sequence: SequenceNumber) {
    var broadcast = FeedBroadcast(self, answerTime)
    feed.endCommand(at: answerTime, into: &broadcast)
  }

  /// Every command up to `sequence` is durable, and all its events were delivered: the answers to
  /// questions that were asked by then leave.
  public func delivered(through sequence: SequenceNumber) {
    deliveredThrough = max(deliveredThrough, sequence)
    if waiting.first <= deliveredThrough { releaseAnswers(through: deliveredThrough) }
  }

  /// A command that is being replayed while the server recovers, before its events.
  public func recover(_ command: borrowing Command) {
    guard command.session != .exchange, command.clientSequence > 0 else { return }
    identities.applied(command.session, sequence: command.clientSequence)
  }

  /// Goes on behind a history, before the first command of a recovery.
  public func restore(_ history: consuming GatewayHistory) {
    identities.restore(history.identities.rows)
    exchangeTime = history.time
    feed = history.feed
    router = history.router
  }

  /// Whether the gateway knows from the journal what `history` does.
  package func isSame(as history: borrowing GatewayHistory) -> Bool {
    identities.rows == history.identities.rows && feed.isSame(as: history.feed)
      && router.isSame(as: history.router)
  }

  /// The recovery is over: to every session the restart is the loss of its connection. Call when the server
  /// takes commands: what is to be cancelled at once is submitted here.
  public func recovered() {
    look()
    for session in router.exposed {
      let flow = router.flow(of: session)
      expectReturn(of: session, version: flow.version, cancelAfter: flow.cancelAfter)
    }
  }

  /// Ends every session with code 1012 and lets the transport's loop return when the last connection
  /// is gone. Call when the last report has been delivered.
  public func drain() {
    isDraining = true
    // Everything is durable by now: what waits are answers behind commands that caused no event.
    releaseAnswers(through: SequenceNumber(.max - 1))
    transport.stopListening()
    for slot in peers.occupied { terminate(slot, Refusal(.shuttingDown)) }
    shutDownWhenEmpty()
  }

  // MARK: From the transport

  /// A client connected.
  public func connected(_ connection: ConnectionId) {
    look()
    peers[connection.slot] = Peer(
      connection: connection, session: FixpSession(now: now, limits: configuration.session))
  }

  /// Bytes arrived: walks the frames.
  public func received(_ connection: ConnectionId, _ bytes: UnsafeRawBufferPointer) -> Int {
    look()
    let used = readFrames(connection.slot, bytes)
    // In a long turn the first clients have their answers while the last are still read: so clients and
    // server work side by side, not in turns.
    if counts.commands - deliveredAt >= Self.longTurn {
      server.deliverEarly()
      transport.sendNow()
      deliveredAt = counts.commands
    }
    return used
  }

  /// A client does not read: it is told so, and its session is over.
  public func overflowed(_ connection: ConnectionId) {
    guard let session = peers[connection.slot]?.session else { return }
    server.note(.slowReader(session.identity, bytes: transport.queued(connection)))
    let refusal = Refusal(.slowReader, limit: Int64(clamping: transport.sendBound))
    counts.terminations += 1
    ReportWriter(transport: transport, connection: connection)
      .terminate(version: session.version, refusal)
    _ = peers[connection.slot]?.session.terminate(refusal)
    cutSlots.append(connection.slot)
  }

  /// A connection is gone.
  public func closed(_ connection: ConnectionId, _ reason: CloseReason) {
    look()
    if peers[connection.slot]?.session.state == .established, reason != .shutdown {
      counts.lost += 1
    }
    release(connection.slot)
    peers[connection.slot] = nil
    shutDownWhenEmpty()
  }

  /// Another thread woke the loop.
  public func woken() {
    look()
    server.woken()
  }

  /// A timer is due.
  public func timerFired(_ timer: TimerToken) {
    look()
    guard timer == OwnTimer.tick else { return server.timerFired(timer) }
    if judgement == nil {
      judgement = (now, Self.readingTurns)
      transport.turnAgain()
    }
    sendHeldAnswers()
    publishTops()
  }

  /// The turn ends: the server delivers, then paused clients are shown again what they had sent.
  public func turnEnds() {
    if !ownCommands.isEmpty { submitOwnCommands() }
    server.turnEnds()
    deliveredAt = counts.commands
    sendHeldAnswers()
    if !cutSlots.isEmpty { releaseCutSlots() }
    if judgement != nil { judgeSilence() }
    if !pausedSlots.isEmpty { resumePaused() }
  }

  private func resumePaused() {
    let before = taken
    let slots = pausedSlots
    pausedSlots.removeAll(keepingCapacity: true)
    for slot in slots {
      guard let peer = peers[slot], peer.isPaused else { continue }
      peers[slot]?.isPaused = false
      transport.resume(peer.connection)
    }
    // What they had sent is applied now, not when somebody else speaks.
    if taken != before { transport.turnAgain() }
  }

  /// Who has been silent for too long, and whose orders go: judged by the moment at which it was looked for,
  /// when everything that had come by then was read. However long we were held up, nobody was silent whose
  /// bytes lay in a buffer.
  private func judgeSilence() {
    guard let (moment, turns) = judgement else { return }
    if turns > 1 {
      judgement = (moment, turns - 1)
      return transport.turnAgain()
    }
    judgement = nil
    for slot in peers.occupied {
      if peers[slot]?.isPaused == true { peers[slot]?.session.noteUnread(now: moment) }
      guard let action = peers[slot]?.session.tick(now: moment) else { continue }
      perform(action, slot)
    }
    cancelOrdersOfLostSessions(at: moment)
  }

  // MARK: Within

  /// The time that an answer carries.
  var answerTime: Timestamp { exchangeTime ?? configuration.clock() }

  /// Reads the clock of intervals.
  @inline(__always) private func look() { now = serving.look(configuration.steady()) }

  /// Stops reading from a client until the intake has room.
  func pause(_ slot: Int) {
    guard let connection = peers[slot]?.connection else { return }
    peers[slot]?.isPaused = true
    pausedSlots.append(slot)
    counts.pauses += 1
    transport.pause(connection)
  }

  private func releaseCutSlots() {
    let slots = cutSlots
    cutSlots.removeAll(keepingCapacity: true)
    for slot in slots { release(slot) }
  }

  private func shutDownWhenEmpty() {
    if isDraining && peers.occupied.isEmpty { transport.shutDown() }
  }
}

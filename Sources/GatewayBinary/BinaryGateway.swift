// Stages 2 and 8 of the binary protocol:
//
//     bytes ─> frames ─> FixpSession ─> OrderReader ─> Command ──submit──> exchange
//     bytes <─ frames <─ ReportWriter <─ reports, market data <──deliver, endCommand── server (what is durable)
//
// Every report is kept for a while, whether or not its session is connected: a client that
// comes back asks for what it missed, and older reports are read from the journal again.

import GatewayKit
import MarketModel
import Transport
import Wire

/// The binary gateway: FIXP sessions over SBE frames on one transport. Owned by the I/O thread: every
/// method is called there.
public final class BinaryGateway: Gateway, ConnectionHandler {
  /// Limits and the clock.
  public struct Configuration: Sendable {
    /// Limits of sessions.
    public var session = FixpSession.Limits()
    /// The clock that judges timestamps of Negotiate and Establish: always the real one, also for a
    /// server whose exchange runs on driven time.
    public var clock: @Sendable () -> Timestamp = { SystemClock.now() }

    /// Whether a signature is that of a key's owner on a purpose's part of a frame. The simulation, which
    /// signs everything itself, remembers what it has signed.
    package var verify: @Sendable (Signature, Frame, SigningPurpose, PublicKey) -> Bool = {
      SignatureCheck.isValid($0, on: $1, $2, key: $3)
    }

    /// The defaults.
    public init() {}
  }

  /// What happened so far.
  public internal(set) var counts = GatewayCounts()
  /// Clients that are not read, since the intake was full.
  public var pausedCount: Int { pausedSlots.count }
  /// Established sessions.
  public var connectionCount: Int { peers.establishedCount }
  /// Whether a client is connected.
  public var hasConnections: Bool { !peers.occupied.isEmpty }

  let transport: any Network
  let exchange: any ExchangePort
  let number: GatewayNumber
  let view: DurableView
  let lost: LostSessions
  let clock: ServingClock
  let configuration: Configuration
  var peers: PeerTable
  var recent = RecentTable()
  /// Marks of sessions in the journal that were submitted and have not come back.
  var begins: [SessionId: Int] = [:]
  /// Slots whose session ended while something was sent to it: it is given up when the turn ends.
  var cutSlots: [Int] = []
  /// Retransmissions that wait for their client to read.
  var heldAnswers: [HeldAnswer] = []
  /// Answers to questions that wait until what they say is durable.
  var waiting = HeldAnswers<WaitingAnswer>()
  /// Every command up to here is durable, and its events were delivered.
  var deliveredThrough = SequenceNumber.none
  var isDraining = false
  /// A message for several.
  let draft = UnsafeMutableRawPointer.allocate(
    byteCount: RecentReports.longestReport, alignment: 8)
  private var pausedSlots: [Int] = []
  /// Messages taken in, commands and questions.
  var taken = 0

  /// A gateway without clients, to be given the connections of `transport`.
  /// - Parameter seat: Is kept as long as the gateway; what it leads to must not keep the gateway in turn.
  public init(
    _ seat: GatewaySeat, transport: any Network, configuration: Configuration = Configuration()
  ) {
    self.transport = transport
    (number, exchange, view) = (seat.number, seat.exchange, seat.view)
    (lost, clock) = (seat.lost, seat.clock)
    self.configuration = configuration
    peers = PeerTable(capacity: transport.maximumConnections)
    EventKind.check()
  }

  deinit { draft.deallocate() }

  // MARK: From the server

  /// An answer keeps its place: behind the reports of what came before it, before all others.
  public func begin(_ sequence: SequenceNumber) {
    if waiting.first < sequence {
      releaseAnswers(through: SequenceNumber(sequence.rawValue - 1))
    }
  }

  /// Tells the sessions that an event concerns; what it means for sessions themselves follows from it.
  public func deliver(
    _ event: UnsafePointer<Event>, _ reports: UnsafeBufferPointer<Report>, _ time: Timestamp
  ) {
    if event.kind == .other { note(event.pointee) }
    for index in reports.indices { send(reports[index], event, time) }
  }

  /// Sends what a command published to those who follow it.
  public func endCommand(_ messages: UnsafeBufferPointer<FeedMessage>, _ time: Timestamp) {
    for index in messages.indices { publish(messages[index], time) }
  }

  /// The answers to questions that were asked by then leave.
  public func delivered(through sequence: SequenceNumber) {
    deliveredThrough = max(deliveredThrough, sequence)
    if waiting.first <= deliveredThrough { releaseAnswers(through: deliveredThrough) }
  }

  /// Ends every session with code 1012.
  public func drain() {
    isDraining = true
    // Everything is durable by now: what waits are answers behind commands that caused no event.
    releaseAnswers(through: SequenceNumber(.max - 1))
    for slot in peers.occupied { terminate(slot, Refusal(.shuttingDown)) }
  }

  // MARK: From the transport

  /// A client connected.
  public func connected(_ connection: ConnectionId) {
    clock.look()
    peers[connection.slot] = Peer(
      connection: connection, session: FixpSession(now: now, limits: configuration.session))
  }

  /// Bytes arrived: walks the frames.
  public func received(_ connection: ConnectionId, _ bytes: UnsafeRawBufferPointer) -> Int {
    clock.look()
    return readFrames(connection.slot, bytes)
  }

  /// A client does not read: it is told so, and its session is over.
  public func overflowed(_ connection: ConnectionId) {
    guard let session = peers[connection.slot]?.session else { return }
    exchange.note(.slowReader(session.identity, bytes: transport.queued(connection)))
    let refusal = Refusal(.slowReader, limit: Int64(clamping: transport.sendBound))
    counts.terminations += 1
    ReportWriter(transport: transport, connection: connection)
      .terminate(version: session.version, refusal)
    _ = peers[connection.slot]?.session.terminate(refusal)
    cutSlots.append(connection.slot)
  }

  /// A connection is gone.
  public func closed(_ connection: ConnectionId, _ reason: CloseReason) {
    clock.look()
    if peers[connection.slot]?.session.state == .established, reason != .shutdown {
      counts.lost += 1
    }
    release(connection.slot)
    peers[connection.slot] = nil
  }

  // MARK: In a turn of the loop

  /// Sends what is conflated, and what clients have room for again.
  public func tick() {
    sendHeldAnswers()
    publishTops()
  }

  /// Gives up who was cut.
  public func turnEnds() {
    sendHeldAnswers()
    if !cutSlots.isEmpty { releaseCutSlots() }
  }

  /// Paused clients are shown again what they had sent.
  public func resumeReading() {
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

  /// Nobody was silent whose bytes lay in a buffer: all that had come by `moment` was read.
  public func judgeSilence(at moment: SteadyTime) {
    for slot in peers.occupied {
      if peers[slot]?.isPaused == true { peers[slot]?.session.noteUnread(now: moment) }
      guard let action = peers[slot]?.session.tick(now: moment) else { continue }
      perform(action, slot)
    }
  }

  // MARK: Within

  /// The time that an answer carries.
  var answerTime: Timestamp { view.time ?? configuration.clock() }

  /// The time of intervals.
  var now: SteadyTime { clock.now }

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
}

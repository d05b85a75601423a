// Stages 2 and 8 for the binary protocol:
//
//     bytes ─> frames ─> FixpSession ─> OrderReader ─> Command ──submit──> exchange
//     bytes <─ frames <─ ReportWriter <─ reports, market data <──deliver, endCommand── server
//
// Recent reports are cached whether or not their session is connected. A client that returns
// requests the reports it missed; older ones are read from the journal.

import GatewayKit
import MarketModel
import Transport
import Wire

/// The binary gateway: FIXP sessions with SBE messages on one transport. Owned by the I/O thread;
/// all methods are called there.
public final class BinaryGateway: Gateway, ConnectionHandler {
  /// Limits, clock and signature verification.
  public struct Configuration: Sendable {
    /// Limits of sessions.
    public var session = FixpSession.Limits()
    /// Clock that checks timestamps of Negotiate and Establish. It is the real clock even if the
    /// exchange's clock is driven.
    public var clock: @Sendable () -> Timestamp = { SystemClock.now() }

    /// The market, which signatures name.
    public var market = MarketId(0, 0)
    /// Whether readings are accepted too that were signed without naming a market, as until schema
    /// version 6. Such a reading is valid on every market that has registered the meter's key.
    public var acceptsUnboundReadings = false
    /// Makes the nonce of a connection. The simulation replaces it by numbers of its seed.
    public var nonce: @Sendable () -> Nonce = { Nonce.random() }
    /// The address of a connection's client; `nil` where the network does not tell.
    public var address: @Sendable (any Network, ConnectionId) -> LogOnAddress? = {
      let address = $0.address(of: $1)
      return address == .unknown
        ? nil : LogOnAddress("\(address)", isLoopback: address.isLoopback)
    }

    /// Verifies a signature over the part of a frame that belongs to a purpose. The simulation
    /// replaces it by a table of the signatures it made.
    package var verify: @Sendable (Signature, Frame, SigningPurpose, PublicKey) -> Bool = {
      SignatureCheck.isValid($0, on: $1, $2, key: $3)
    }

    /// Creates the default configuration.
    public init() {}
  }

  /// Activity counters since the start.
  public internal(set) var counts = GatewayCounts()
  /// Number of clients that are not read because the intake was full.
  public var pausedCount: Int { pausedSlots.count }
  /// Number of established sessions.
  public var connectionCount: Int { peers.establishedCount }
  /// Whether any client is connected.
  public var hasConnections: Bool { !peers.occupied.isEmpty }

  let transport: any Network
  let exchange: any ExchangePort
  let number: GatewayNumber
  let view: DurableView
  let lost: LostSessions
  let clock: ServingClock
  let seat: GatewaySeat
  let configuration: Configuration
  var peers: PeerTable
  var recent = RecentTable()
  /// The work that participants may still ask for.
  var budgets: WorkBudgets
  /// Number of submitted beginSession commands per session that were not yet delivered.
  var begins: [SessionId: Int] = [:]
  /// Slots whose session ended while messages were being written to it; released at the end of the
  /// turn.
  var cutSlots: [Int] = []
  /// Retransmissions that wait until their client reads.
  var queuedRetransmissions: [QueuedRetransmission] = []
  /// Answers that wait until the state they describe is durable.
  var waiting = HeldAnswers<WaitingAnswer>()
  /// Every command up to here is durable and its events were delivered.
  var deliveredThrough = SequenceNumber.none
  /// Answers that are made in pieces.
  var long = LongAnswers()
  /// How many steps of long answers may still be made while requests are read in this turn.
  var stepsOfReading = Bounds.stepsOfTurn
  /// Whether pieces of unfinished long answers were made while requests were read in this turn.
  var hasUnflushedPiece = false
  var isDraining = false
  /// Buffer in which a message for several clients is encoded once.
  let draft = UnsafeMutableRawPointer.allocate(
    byteCount: RecentReports.longestReport, alignment: 8)
  private var pausedSlots: [Int] = []
  /// Number of the present turn, for the budgets of work.
  private(set) var turn: UInt64 = 0
  /// Number of commands and queries accepted.
  var taken = 0

  /// A gateway without clients that will serve the connections of `transport`.
  /// - Parameter seat: Retained by the gateway; none of its objects may retain the gateway.
  public init(
    _ seat: GatewaySeat, transport: any Network, configuration: Configuration = Configuration()
  ) {
    self.transport = transport
    (number, exchange, view) = (seat.number, seat.exchange, seat.view)
    (lost, clock, self.seat) = (seat.lost, seat.clock, seat)
    self.configuration = configuration
    peers = PeerTable(capacity: transport.maximumConnections)
    budgets = WorkBudgets(configuration.session.work)
    EventKind.check()
  }

  deinit { draft.deallocate() }

  // MARK: Called by the server

  /// Sends waiting answers of earlier commands, so that they precede the reports of this command.
  public func begin(_ sequence: SequenceNumber) {
    if waiting.first < sequence {
      releaseAnswers(through: SequenceNumber(sequence.rawValue - 1))
    }
  }

  /// Sends the reports of an event and applies its effects on sessions.
  public func deliver(
    _ event: UnsafePointer<Event>, _ reports: UnsafeBufferPointer<Report>, _ time: Timestamp
  ) {
    if event.kind == .other {
      note(event.pointee, time)
      charge(for: event.pointee)
    }
    for index in reports.indices { send(reports[index], event, time) }
  }

  /// Sends a command's market data to the subscribers.
  public func endCommand(_ messages: UnsafeBufferPointer<FeedMessage>, _ time: Timestamp) {
    for index in messages.indices { publish(messages[index], time) }
    if !long.isEmpty { correct(messages, time) }
  }

  /// Sends the waiting answers up to `sequence`.
  public func delivered(through sequence: SequenceNumber) {
    deliveredThrough = max(deliveredThrough, sequence)
    if waiting.first <= deliveredThrough { releaseAnswers(through: deliveredThrough) }
  }

  /// Terminates every session with code 1012.
  public func drain() {
    isDraining = true
    // Everything is durable by now; the remaining answers wait for commands without events.
    releaseAnswers(through: SequenceNumber(.max - 1))
    for slot in peers.occupied { terminate(slot, Refusal(.shuttingDown)) }
  }

  // MARK: Called by the transport

  /// A client connected: it is sent the challenge that its log-on must be signed over.
  public func connected(_ connection: ConnectionId) {
    clock.look()
    let challenge = LogOnChallenge(market: configuration.market, nonce: configuration.nonce())
    peers[connection.slot] = Peer(
      connection: connection, challenge: challenge,
      session: FixpSession(now: now, limits: configuration.session))
    writer(connection.slot)?.challenge(challenge, now: configuration.clock())
  }

  /// Bytes arrived: handles the frames in them.
  public func received(_ connection: ConnectionId, _ bytes: UnsafeRawBufferPointer) -> Int {
    clock.look()
    return readFrames(connection.slot, bytes)
  }

  /// A client does not read its messages: its session is terminated.
  public func overflowed(_ connection: ConnectionId) {
    guard let session = peers[connection.slot]?.session else { return }
    let writer = writer(connection.slot)
    exchange.note(.slowReader(session.identity, bytes: transport.queued(connection)))
    let refusal = Refusal(.slowReader, limit: Int64(clamping: transport.sendBound))
    counts.terminations += 1
    writer?.terminate(version: session.version, refusal)
    _ = peers[connection.slot]?.session.terminate(refusal)
    cutSlots.append(connection.slot)
  }

  /// A connection was closed.
  public func closed(_ connection: ConnectionId, _ reason: CloseReason) {
    clock.look()
    if peers[connection.slot]?.session.state == .established, reason != .shutdown {
      counts.lost += 1
    }
    release(connection.slot)
    peers[connection.slot] = nil
  }

  // MARK: In a turn of the loop

  /// Sends retransmissions for which clients have space again, and conflated tops.
  public func tick() {
    sendQueuedRetransmissions()
    publishTops()
    releaseLevels()
  }

  /// Releases the slots whose session ended during the turn, and continues long answers.
  public func turnEnds() {
    turn &+= 1
    sendQueuedRetransmissions()
    if !cutSlots.isEmpty { releaseCutSlots() }
    continueLongAnswers()
  }

  /// Resumes reading from paused clients.
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
    // Pending commands of these clients are applied now rather than when another client sends.
    if taken != before { transport.turnAgain() }
  }

  /// Ends sessions without traffic as of `moment`, by which all arrived bytes were read.
  public func judgeSilence(at moment: SteadyTime) {
    for slot in peers.occupied {
      if peers[slot]?.isPaused == true || isHeldBack(slot) {
        peers[slot]?.session.noteUnread(now: moment)
      }
      guard let action = peers[slot]?.session.tick(now: moment) else { continue }
      perform(action, slot)
    }
  }

  /// Whether the client's first message cannot come yet, because its TLS handshake waits for the
  /// server.
  private func isHeldBack(_ slot: Int) -> Bool {
    guard let peer = peers[slot], peer.session.state == .connected else { return false }
    return transport.isHeldBack(peer.connection)
  }

  // MARK: Internal

  /// The time in answers.
  var answerTime: Timestamp { view.time ?? configuration.clock() }

  /// Present time of the interval clock.
  var now: SteadyTime { clock.now }

  /// Stops reading from a client until the intake has capacity.
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

// What the I/O thread does in a turn of the loop, and how it ends:
//
//     turn: read ─▶ submit ... ─▶ turnEnds: work, deliver ─▶ flush        (woken: the same)
//
//     running ──stop──▶ draining ──idle──▶ settling ──settled──▶ leaving ──idle──▶ closed
//              listener   checkpoint with   confirmations,        sessions end,
//              closed     state hash        checkpoint again      the loop returns

import ExchangeCore
import GatewayBinary
import Journaling
import Logging
import MarketModel
import Synchronization
import Transport

/// Raised once, by any thread, to stop the server.
final class StopFlag: Sendable {
  private let raised = Atomic<Bool>(false)
  /// Any thread.
  func raise() { raised.store(true, ordering: .relaxed) }
  /// The I/O thread; the wake that follows `raise` orders them.
  var isRaised: Bool { raised.load(ordering: .relaxed) }
}

/// The server that the gateway sees, on the I/O thread.
final class Assembly: GatewayServer {
  private enum Phase { case running, draining, settling, leaving, closed }

  /// How long a stopping server waits for the ledger; the rest is settled at the next start.
  private static let settlingNanoseconds: UInt64 = 20_000_000_000
  private static let stopTimer = TimerToken(1)
  private static let pictureTimer = TimerToken(2)
  /// How often a picture is taken, ms.
  private static let pictureInterval: UInt64 = 250
  private static let batchTimer = TimerToken(3)
  /// How often it is looked whether a settlement batch is due, ms.
  private static let batchInterval: UInt64 = 250
  /// How many looks pass before the market is asked although the wall clock says that nothing is due: it
  /// may be behind journaled time.
  private static let longestPatience = 8

  /// What stands behind; set before the loop runs.
  var rooms: Stages? {
    didSet { behind = rooms.map(Unmanaged.passUnretained) }
  }
  /// The same, and what stands in front: for what is called in every turn, where nothing is counted.
  private var behind: Unmanaged<Stages>?
  private var front: Unmanaged<BinaryGateway>?

  /// Pictures for those who look after the server; taken when `watch` was called.
  let vitals = ServerMetrics()

  private let transport: any Network
  private let time: any TimeSource
  private let flag: StopFlag
  private let log: Logger
  private var phase = Phase.running
  private var closing = SequenceNumber.none
  private var deadline: UInt64 = 0
  private var notices = NoticeCounts()
  private var durability = DurabilityWait()
  private let alarms: AlarmCount
  private var looksAtBatch = 0

  /// - Parameter alarms: Counts those that `log` gets.
  init(
    transport: any Network, flag: StopFlag, log: Logger, alarms: AlarmCount = AlarmCount(),
    time: any TimeSource = SystemTime()
  ) {
    (self.transport, self.flag, self.log, self.time) = (transport, flag, log, time)
    self.alarms = alarms
  }

  /// Makes the gateway, rooms 1, 2 and 8, which stands in front of this one and owns it. Once; whoever gets
  /// it keeps it as long as the loop runs.
  func makeGateway(_ configuration: BinaryGateway.Configuration) -> BinaryGateway {
    precondition(front == nil, "it has a gateway")
    let gateway = BinaryGateway(transport: transport, server: self, configuration: configuration)
    front = .passUnretained(gateway)
    return gateway
  }

  /// Whether the last client was told to go.
  var isClosed: Bool { phase == .closed }

  /// The recovery is over and everything stands: to every session the restart is the loss of its connection,
  /// and what follows from that at once is applied. Once, before the loop runs.
  func recovered() {
    withEveryone { rooms, gateway in
      gateway.recovered()
      if let pipeline = rooms.pipeline { return pipeline.show() }
      rooms.market.work()
      rooms.market.endTurn()
    }
  }

  // MARK: From the gateway

  func submit(_ command: Command) -> SubmitResult {
    guard phase == .running else { return .refused(Refusal(.shuttingDown)) }
    // Before everything stands there is no room: what is the gateway's own is kept and tried again.
    guard let behind else { return .full }
    return behind._withUnsafeGuaranteedRef { rooms in
      guard rooms.market.admits(command) else { return .refused(Refusal(.intakeFull)) }
      if let passage = rooms.passage {
        return passage._withUnsafeGuaranteedRef { $0.take(command) } ? .taken : .full
      }
      return rooms.market.take(command) ? .taken : .full
    }
  }

  func check(_ reading: SignedReading) -> ReadingCheck {
    behind?._withUnsafeGuaranteedRef { $0.readings?.check(reading) } ?? .here
  }

  func answer(_ question: Question) -> Answer? {
    guard let rooms else { return nil }
    if let pipeline = rooms.pipeline { return pipeline.answer(question) }
    rooms.market.work()
    return rooms.market.answer(question)
  }

  /// Asks the market, with everything applied that came before.
  private func ask<Answer>(_ body: (MatchingStage) -> Answer) -> Answer? {
    guard let rooms else { return nil }
    if let pipeline = rooms.pipeline { return pipeline.ask(body) }
    rooms.market.work()
    return body(rooms.market)
  }

  func retransmit(_ query: RetransmitQuery) {
    guard let history = rooms?.history else {
      front?._withUnsafeGuaranteedRef { $0.retransmit(query, nil) }
      return
    }
    history.ask(query)
  }

  func note(_ notice: GatewayNotice) {
    notices.count(notice)
    switch notice {
    case .slowReader(let session, let bytes):
      log.warning(
        "a client does not read: cut", metadata: ["session": session.field, "unread": "\(bytes)"])
    case .keyLocked(let session):
      log.warning("a key is locked after bad signatures", metadata: ["session": session.field])
    case .throttled(let session, let refusal):
      log.warning(
        "a client sends more messages a second than it may",
        metadata: ["session": session.field, "limit": "\(refusal.limit)"])
    case .disconnected(let session, let cancelAfter):
      log.info(
        "a connection is gone: its session's orders are cancelled if it does not come back",
        metadata: ["session": session.field, "afterMilliseconds": "\(cancelAfter)"])
    }
  }

  func woken() {
    if flag.isRaised, phase == .running { beginDraining() }
  }

  func timerFired(_ timer: TimerToken) {
    switch timer {
    case Self.pictureTimer: takePicture()
    case Self.batchTimer: closeDueBatch()
    default: break
    }
  }

  /// Has settlement batches closed on time from now on, though no command comes. Not with a driven clock:
  /// there only an operator's ticks make time pass.
  func watchBatches() {
    transport.startTimer(Self.batchTimer, after: Self.batchInterval, every: Self.batchInterval)
  }

  private func closeDueBatch() {
    guard phase == .running, let due = rooms?.follower?.due else {
      looksAtBatch = 0
      return
    }
    looksAtBatch += 1
    guard time.wall >= due.nanoseconds || looksAtBatch >= Self.longestPatience else { return }
    looksAtBatch = 0
    ask { $0.closeBatch(dueAt: due) }
  }

  /// Takes a picture now, and four a second from now on.
  func watch() {
    takePicture()
    transport.startTimer(
      Self.pictureTimer, after: Self.pictureInterval, every: Self.pictureInterval)
  }

  /// Takes a picture now.
  func takePicture() {
    var picture = ServerMetrics.Sample()
    ask { $0.record(into: &picture) }
    front?._withUnsafeGuaranteedRef { gateway in
      picture.gateway = gateway.counts
      picture.paused = gateway.pausedCount
      picture.status.connectionCount = UInt32(gateway.connectionCount)
    }
    picture.notices = notices
    (picture.network, picture.sending) = (transport.counts, transport.waiting)
    (picture.toExchange, picture.fromExchange) = rooms?.pipeline.map { $0.waiting } ?? (0, 0)
    picture.readings = rooms?.readings?.count ?? 0
    (picture.retransmissions, picture.retransmissionFailures) =
      rooms?.history.map { ($0.waiting, $0.failures) } ?? (0, 0)
    picture.settlementHasStopped = rooms?.follower?.hasStopped ?? false
    picture.settlementIsWaiting = rooms?.follower?.isWaiting ?? false
    picture.ledgerLogBytes = rooms?.follower?.ledgerLogBytes ?? 0
    picture.snapshot = rooms?.snapshots?.lastSequence ?? .none
    picture.snapshotFailures = rooms?.snapshots?.failures ?? 0
    picture.isServing = phase == .running
    picture.alarms = alarms.value
    picture.taken = time.steady
    picture.undurableSince = durability.look(
      last: picture.status.lastSequence, durable: picture.status.durableSequence,
      at: picture.taken)
    vitals.record(picture)
  }

  func deliverEarly() { withEveryone { serve($0, $1) } }

  func turnEnds() { withEveryone { endTurn($0, $1) } }

  private func endTurn(_ rooms: Stages, _ gateway: BinaryGateway) {
    rooms.readings?.deliver(to: gateway)
    serve(rooms, gateway)
    answerHistory(rooms, gateway)
    if rooms.pipeline == nil {
      // What the delivery made room for is applied now, not when the next client speaks.
      if rooms.market.hasIntake { rooms.market.work() }
      rooms.market.endTurn()
    }
    if phase != .running { advance(rooms, gateway) }
  }

  /// Has everything applied that was taken in, and delivers what is durable.
  private func serve(_ rooms: Stages, _ gateway: BinaryGateway) {
    if let pipeline = rooms.pipeline {
      pipeline.show()
      pipeline.deliver(to: gateway)
    } else {
      rooms.market.work()
      rooms.market.endTurn()
      rooms.market.deliver(to: gateway)
    }
  }

  /// With what stands behind and in front, once both are there.
  @inline(__always) private func withEveryone(_ body: (Stages, BinaryGateway) -> Void) {
    guard let behind, let front else { return }
    behind._withUnsafeGuaranteedRef { rooms in
      front._withUnsafeGuaranteedRef { body(rooms, $0) }
    }
  }

  private func answerHistory(_ rooms: Stages, _ gateway: BinaryGateway) {
    guard let history = rooms.history, history.hasAnswered else { return }
    for answer in history.takeAnswers() { gateway.retransmit(answer.query, answer.reports) }
  }

  // MARK: The end

  private func beginDraining() {
    phase = .draining
    transport.stopListening()
    transport.startTimer(Self.stopTimer, after: 1, every: 5)
    log.info("draining: no new connections, no new commands")
  }

  private func advance(_ rooms: Stages, _ gateway: BinaryGateway) {
    switch phase {
    case .draining:
      guard isIdle(rooms) else { return }
      close()
      deadline = time.steady + Self.settlingNanoseconds
      phase = .settling
    case .settling:
      guard isSettled(rooms) else { return }
      // Confirmations came behind the last checkpoint: it is taken again.
      if (ask { $0.lastSequence }) != closing { close() }
      phase = .leaving
    case .leaving:
      guard isIdle(rooms) else { return }
      rooms.follower?.end(behind: closing)
      transport.stopTimer(Self.stopTimer)
      transport.stopTimer(Self.pictureTimer)
      transport.stopTimer(Self.batchTimer)
      gateway.drain()
      phase = .closed
    case .running, .closed: break
    }
  }

  private func close() {
    closing =
      ask { market in
        market.checkpoint(withStateHash: true)
        market.endTurn()
        return market.lastSequence
      } ?? .none
  }

  private func isIdle(_ rooms: Stages) -> Bool { rooms.pipeline?.isIdle ?? rooms.market.isIdle }

  private func isSettled(_ rooms: Stages) -> Bool {
    guard isIdle(rooms) else { return false }
    // Without a journal there is nothing to settle from.
    guard let follower = rooms.follower else { return true }
    if follower.finished >= closing || follower.isOver { return true }
    guard time.steady > deadline else { return false }
    log.warning(
      "the ledger does not keep up; the rest is settled at the next start",
      metadata: ["settled": follower.finished.field, "last": closing.field])
    return true
  }
}

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

  /// Rooms 1, 2 and 8.
  private(set) lazy var gateway = BinaryGateway(
    transport: transport, server: self, configuration: gatewayConfiguration)
  /// Rooms 3 to 7; set before the loop runs.
  var market: MarketRoom? {
    didSet { intake = market.map(Unmanaged.passUnretained) }
  }
  /// The same, for what is called for every command: nothing is counted there.
  private var intake: Unmanaged<MarketRoom>?
  /// Has the market on a thread of its own; `nil`: it is on this one. Set before the loop runs.
  var pipeline: Pipeline?
  /// Set before the loop runs.
  var follower: Follower?
  /// Set before the loop runs.
  var history: HistoryDesk?

  /// Checks readings beside the loop; `nil`: the gateway checks them itself. Set before the loop runs.
  var readings: ReadingRoom?
  /// Set before the loop runs.
  var snapshots: SnapshotDesk?
  /// Pictures for those who look after the server; taken when `watch` was called.
  let vitals = Vitals()

  private let transport: any Network
  private let gatewayConfiguration: BinaryGateway.Configuration
  private let time: any TimeSource
  private let flag: StopFlag
  private let log: Logger
  private var phase = Phase.running
  private var closing = SequenceNumber.none
  private var deadline: UInt64 = 0

  init(
    transport: any Network, flag: StopFlag, log: Logger,
    gateway: BinaryGateway.Configuration = BinaryGateway.Configuration(),
    time: any TimeSource = SystemTime()
  ) {
    (self.transport, self.flag, self.log) = (transport, flag, log)
    (gatewayConfiguration, self.time) = (gateway, time)
  }

  /// Whether the last client was told to go.
  var isClosed: Bool { phase == .closed }

  // MARK: From the gateway

  func submit(_ command: Command) -> SubmitResult {
    guard phase == .running, let intake else { return .refused(Refusal(.shuttingDown)) }
    return intake._withUnsafeGuaranteedRef { market in
      guard market.admits(command) else { return .refused(Refusal(.intakeFull)) }
      if pipeline != nil { return pass(command) }
      return market.take(command) ? .taken : .full
    }
  }

  private func pass(_ command: Command) -> SubmitResult {
    pipeline?.take(command) == true ? .taken : .full
  }

  func check(_ reading: SignedReading) -> ReadingCheck { readings?.check(reading) ?? .here }

  func orderState(_ order: OrderId) -> OrderState? { ask { $0.exchange.orderState(order) } ?? nil }

  func explain(_ order: OrderId) -> OrderExplanation? {
    ask { $0.exchange.orderExplanation(order) } ?? nil
  }

  func balance(of account: AccountId, in area: AreaId) -> Balance? {
    ask { $0.exchange.balance(of: account, in: area) } ?? nil
  }

  /// Asks the market, with everything applied that came before.
  private func ask<Answer>(_ body: (MarketRoom) -> Answer) -> Answer? {
    if let pipeline { return pipeline.ask(body) }
    guard let market else { return nil }
    market.work()
    return body(market)
  }

  func retransmit(_ query: RetransmitQuery) {
    guard let history else { return gateway.retransmit(query, nil) }
    history.ask(query)
  }

  func note(_ notice: GatewayNotice) {
    switch notice {
    case .slowReader(let session, let bytes):
      log.warning("session \(session.rawValue) does not read: cut with \(bytes) bytes unread")
    case .keyLocked(let session):
      log.warning("session \(session.rawValue): key locked after bad signatures")
    case .throttled(let session, let refusal):
      log.warning("session \(session.rawValue) sends more than \(refusal.limit) messages a second")
    case .disconnected(let session, let cancelAfter):
      log.info("session \(session.rawValue) is gone: its orders are cancelled in \(cancelAfter) ms")
    }
  }

  func status(withStateHash: Bool) -> ServerStatus {
    ask { $0.status(withStateHash) } ?? ServerStatus()
  }

  func woken() {
    if flag.isRaised, phase == .running { beginDraining() }
  }

  func timerFired(_ timer: TimerToken) {
    if timer == Self.pictureTimer { takePicture() }
  }

  /// Takes a picture now, and four a second from now on.
  func watch() {
    takePicture()
    transport.startTimer(
      Self.pictureTimer, after: Self.pictureInterval, every: Self.pictureInterval)
  }

  private func takePicture() {
    var picture = Vitals.Picture()
    ask { $0.fill(&picture) }
    picture.gateway = gateway.counts
    picture.status.connectionCount = UInt32(gateway.connectionCount)
    picture.readings = readings?.count ?? 0
    (picture.retransmissions, picture.retransmissionFailures) =
      history.map { ($0.waiting, $0.failures) } ?? (0, 0)
    picture.settlementIsOver = follower?.isOver ?? false
    picture.settlementIsWaiting = follower?.isWaiting ?? false
    picture.snapshot = snapshots?.lastSequence ?? .none
    picture.snapshotFailures = snapshots?.failures ?? 0
    picture.isServing = phase == .running
    picture.taken = time.steady
    vitals.take(picture)
  }

  func deliverEarly() {
    guard let market else { return }
    if let pipeline { return exchange(with: pipeline) }
    market.work()
    market.endTurn()
    market.deliver(to: gateway)
  }

  func turnEnds() {
    guard let market else { return }
    readings?.deliver(to: gateway)
    if let pipeline {
      exchange(with: pipeline)
      answerHistory()
      if phase != .running { advance(market) }
      return
    }
    market.work()
    market.endTurn()
    market.deliver(to: gateway)
    answerHistory()
    // What the delivery made room for is applied now, not when the next client speaks.
    if market.hasIntake { market.work() }
    market.endTurn()
    if phase != .running { advance(market) }
  }

  private func exchange(with pipeline: Pipeline) {
    pipeline.show()
    pipeline.deliver(to: gateway)
  }

  private func answerHistory() {
    for answer in history?.takeAnswers() ?? [] { gateway.retransmit(answer.query, answer.reports) }
  }

  // MARK: The end

  private func beginDraining() {
    phase = .draining
    transport.stopListening()
    transport.startTimer(Self.stopTimer, after: 1, every: 5)
    log.info("draining: no new connections, no new commands")
  }

  private func advance(_ market: MarketRoom) {
    switch phase {
    case .draining where isIdle(market):
      close()
      deadline = time.steady + Self.settlingNanoseconds
      phase = .settling
    case .settling where isSettled(market):
      // Confirmations came behind the last checkpoint: it is taken again.
      if (ask { $0.sequencer.lastSequence }) != closing { close() }
      phase = .leaving
    case .leaving where isIdle(market):
      follower?.end(behind: closing)
      transport.stopTimer(Self.stopTimer)
      transport.stopTimer(Self.pictureTimer)
      gateway.drain()
      phase = .closed
    case .running, .draining, .settling, .leaving, .closed: break
    }
  }

  private func close() {
    closing =
      ask { market in
        market.checkpoint(withStateHash: true)
        market.endTurn()
        return market.sequencer.lastSequence
      } ?? .none
  }

  private func isIdle(_ market: MarketRoom) -> Bool { pipeline?.isIdle ?? market.isIdle }

  private func isSettled(_ market: MarketRoom) -> Bool {
    guard isIdle(market) else { return false }
    // Without a journal there is nothing to settle from.
    guard let follower else { return true }
    if follower.finished >= closing || follower.isOver { return true }
    guard time.steady > deadline else { return false }
    log.warning("the ledger does not keep up; the rest is settled at the next start")
    return true
  }
}

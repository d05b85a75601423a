// A gateway with a small exchange. A client must be able to read all frames that it sends. Readings with an odd
// sequence number are verified asynchronously, as on a server with a verifier thread.
//
// A long run creates a hundred million of them. So the exchange is created by the first command, a connection by
// its first bytes, and events are read in place.

import ExchangeCore
import GatewayBinary
import GatewayKit
import MarketModel
import Transport
import Wire

/// A gateway between a network and an exchange, all of which it owns.
final class SessionWorld: ExchangePort, LoopHandler {
  let network = FuzzNetwork()
  /// The market, created by the first command.
  private var market: FuzzMarket?
  private var gateway: BinaryGateway?
  private let view = DurableView()
  // One action advances the clock by up to half a minute, so a session may time out.
  private let clock = ServingClock(longest: 60_000_000_000) {
    SteadyTime(nanoseconds: SessionWorld.now)
  }
  private var lost: LostSessions?
  private var own = OwnCommands()
  private var judgesSilence = false
  private var outbox: [FuzzMarket.Told] = []
  private var intake: [Command] = []
  private var queries: [RetransmitQuery] = []
  private var unchecked: [SignedReading] = []
  private var nextSequence: InlineArray<4, UInt64> = [1, 1, 1, 1]
  /// Lanes that have had a connection.
  private var used: InlineArray<4, Bool> = [false, false, false, false]

  /// The wall clock. Inputs run one at a time on one thread.
  private nonisolated(unsafe) static var now = FuzzMarket.beginning
  /// Number of signed log-ons of this input.
  private nonisolated(unsafe) static var logOns: UInt64 = 0
  /// Every connection has the same, so that a script can sign without reading it.
  private static let challenge = LogOnChallenge(
    market: MarketId(0, 0), nonce: Nonce(1, 2, 3, 4))
  private static let configuration = {
    var configuration = BinaryGateway.Configuration()
    configuration.clock = { Timestamp(nanoseconds: SessionWorld.now) }
    configuration.nonce = { SessionWorld.challenge.nonce }
    configuration.verify = { FuzzSignature.isValid($0, $1, $2, $3) }
    return configuration
  }()
  private let checker = ReadingChecker(configuration)

  init() {
    (Self.now, Self.logOns) = (FuzzMarket.beginning, 0)
    let lost = LostSessions(self, clock)
    self.lost = lost
    let gateway = BinaryGateway(
      GatewaySeat(.first, self, view, lost, clock), transport: network,
      configuration: Self.configuration)
    self.gateway = gateway
    (network.handler, network.turn) = (gateway, self)
    network.sent = { _, bytes in Self.check(bytes) }
    deliver(FuzzMarket.founding())
    lost.recovered(view)
  }

  /// Connects the client of `lane` before its first action.
  func use(_ lane: Int) {
    if used[lane] { return }
    used[lane] = true
    network.connect(lane)
  }

  /// Disconnects the client of `lane`.
  func close(_ lane: Int) { network.close(lane, .peerClosed) }

  /// Disconnects all clients and checks the invariants of the exchange.
  func end() {
    for lane in 0..<4 { close(lane) }
    network.endTurn()
    market?.check()
    // Breaks the reference cycle between network and gateway.
    gateway = nil
  }

  func pass(milliseconds: UInt64, timer: Bool) {
    Self.now += milliseconds * 1_000_000
    clock.look()
    if timer {
      judgesSilence = true
      gateway?.tick()
    }
  }

  /// The time of a log-on, above the one before.
  private static func timestamp() -> UInt64 {
    logOns += 1
    return now + logOns
  }

  /// Sends a frame with the repairs that it asks for.
  func send(_ script: consuming FrameScript) {
    let session = script.isForTheOther ? 2 : script.lane + 1
    let key = FuzzMarket.keys[session - 1]
    switch script.template {
    case .negotiate where script.isSigned:
      script.block.set(UInt32(session), at: 12)
      script.block.set(Self.timestamp(), at: 24)
      FuzzSignature.sign(script.block, .negotiate(Self.challenge), key)
      nextSequence[script.lane] = 1
    case .establish where script.isSigned:
      script.block.set(UInt32(session), at: 12)
      script.block.set(Self.timestamp(), at: 24)
      FuzzSignature.sign(script.block, .establish(Self.challenge), key)
    case .meterReading where script.isSigned:
      FuzzSignature.sign(script.block, .reading(Self.challenge.market), key)
    default: break
    }
    if script.isInSequence, Self.isNumbered(script.template) {
      script.block.set(nextSequence[script.lane], at: 12)
      nextSequence[script.lane] += 1
    }
    let lane = script.lane
    deliver(script.block, on: lane)
  }

  /// Delivers bytes of the client of `lane`.
  func deliver(_ block: consuming ExactBlock, on lane: Int) {
    use(lane)
    network.deliver(block, on: lane)
  }

  private static func isNumbered(_ template: Template) -> Bool {
    switch template {
    case .negotiate, .establish, .sequence, .retransmitRequest, .terminate: false
    default: true
    }
  }

  /// Checks that a message of the gateway consists of frames that a client can read.
  private static func check(_ bytes: UnsafeRawBufferPointer) {
    var offset = 0
    while offset < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
      guard case .frame(let frame, let template) = FrameReader(from: .server).next(in: rest) else {
        fatalError("the gateway sent an invalid frame")
      }
      FrameTarget.readFields(frame, template)
      offset += frame.length
    }
  }

  private func deliver(_ told: [FuzzMarket.Told]) {
    guard let gateway else { return }
    let time = Timestamp(nanoseconds: market?.now ?? FuzzMarket.beginning)
    told.withUnsafeBufferPointer { told in
      for place in told.indices {
        let sequence = told[place].sequence
        if place == 0 || told[place - 1].sequence != sequence { gateway.begin(sequence) }
        FuzzMarket.withEvent(of: told, at: place) {
          gateway.deliver($0, view.take($0, at: time), time)
        }
        let next = place + 1
        if next == told.count || told[next].sequence != sequence {
          gateway.endCommand(view.endCommand(at: time), time)
        }
      }
    }
  }

  private func needMarket() {
    if market == nil { market = FuzzMarket() }
  }

  // MARK: ExchangePort

  func submit(_ command: Command) -> SubmitResult { own.isEmpty ? take(command) : .full }

  func submitOwn(_ body: Command.Body) {
    own.append(body)
    own.submit(take)
  }

  private func take(_ command: Command) -> SubmitResult {
    // A small capacity, so that the intake is sometimes full.
    guard intake.count < 6 else { return .full }
    intake.append(command)
    return .taken
  }

  func check(_ reading: SignedReading) -> ReadingCheck {
    guard reading.reading.registerSequence & 1 != 0 else { return .here }
    guard unchecked.count < 2 else { return .full }
    unchecked.append(reading)
    return .elsewhere
  }

  func turnEnds() {
    own.submit(take)
    while let first = unchecked.first,
      gateway?.checked(first, isValid: checker.isValid(first)) == true
    {
      unchecked.removeFirst()
    }
    if !intake.isEmpty { applyIntake() }
    if let last = market?.last { gateway?.delivered(through: last) }
    let asked = queries
    queries.removeAll()
    for query in asked { gateway?.retransmit(query, nil) }
    gateway?.turnEnds()
    if judgesSilence {
      judgesSilence = false
      gateway?.judgeSilence(at: clock.now)
      lost?.cancelOrders(dueAt: clock.now)
    }
    gateway?.resumeReading()
  }

  private func applyIntake() {
    needMarket()
    for command in intake { market?.apply(command) { outbox.append(FuzzMarket.Told($0, $1)) } }
    intake.removeAll(keepingCapacity: true)
    let told = outbox
    outbox.removeAll()
    deliver(told)
  }

  /// The commands of this turn count as applied, so that answers wait for them.
  func answer(_ question: Question) -> Answer? {
    guard intake.count < 5 else { return nil }
    needMarket()
    let finding: Answer.Finding
    switch question {
    case .orderState(let order, _): finding = .orderState(market?.exchange.orderState(order))
    case .explanation(let order, _):
      finding = .explanation(market?.exchange.explain(order))
    case .balance(let account, let area):
      finding = .balance(market?.exchange.balanceOrCash(of: account, in: area))
    case .status(let withStateHash):
      var status = ServerStatus()
      status.eventHash = market?.exchange.eventHash ?? 0
      status.stateHash = withStateHash ? market?.exchange.stateHash() ?? 0 : 0
      finding = .status(status)
    case .list(let query): finding = .list(market?.exchange.page(query) ?? ListPage())
    }
    let last = market?.last.rawValue ?? 0
    return Answer(finding, through: SequenceNumber(last + UInt64(intake.count)))
  }
  func retransmit(_ query: RetransmitQuery) { queries.append(query) }
  func readTrades(_ request: TradesRequest) {}
  func note(_ notice: GatewayNotice) {}
  func woken() {}
  func timerFired(_ timer: TimerToken) {}
}

import Crypto
import Foundation
import GatewayKit
import JoulebookClient
import MarketModel
import Synchronization
import Testing
import Transport

@testable import GatewayBinary

/// A gateway on a loopback port with a scripted exchange, which records the gateway's commands and
/// delivers the events that the test chooses.
final class GatewayWorld: Sendable {
  struct State: Sendable {
    var commands: [Command] = []
    var script: [SubmitResult] = []
    var outbox: [[Event]] = []
    var delivered = 0
    var drain = false
    var counts = GatewayCounts()
    var orders: [OrderId: OrderState] = [:]
    var balances: [AccountId: Balance] = [:]
    var explanations: [OrderId: OrderExplanation] = [:]
    var status = ServerStatus()
    /// The answer to every request for a list, and the requests.
    var page = ListPage()
    var lists: [ListQuery] = []
    var ended: [EndSession] = []
    var queries: [RetransmitQuery] = []
    var answers: [(RetransmitQuery, [PastReport]?)] = []
    /// Requests for trades, and the answers that the test gives.
    var tradesRequests: [TradesRequest] = []
    var tradesAnswers: [(TradesRequest, TradesAnswer)] = []
    var notices: [GatewayNotice] = []
    /// What clients broke the protocol with.
    var faults: [Refusal] {
      notices.compactMap { if case .brokeProtocol(_, let refusal, _) = $0 { refusal } else { nil } }
    }
    /// Questions are answered as of this command, so the answers wait until it is delivered; 0 lets
    /// them leave immediately.
    var appliedThrough: UInt64 = 0
    /// Whether questions are refused, as if earlier commands waited for capacity.
    var answersLater = false
    /// Number of questions answered.
    var answered = 0
    /// The last command delivered.
    var sequence: UInt64 = 0
    /// Difference of the steady clock from the system's, ns.
    var steadyError: UInt64 = 0
    /// Difference of the wall clock from the system's, ns.
    var wallError: Int64 = 0
    /// Whether readings are verified elsewhere, by the test.
    var holdsReadings = false
    var readings: [SignedReading] = []
    /// The test's verdicts on these readings, in order.
    var verdicts: [Bool] = []
  }

  static let bot = SessionId(1)
  static let meterBox = SessionId(2)
  static let operatorDesk = SessionId(3)
  static let otherBot = SessionId(4)
  static let secondBot = SessionId(5)
  static let market = MarketId(0x0102_0304_0506_0708, 0x1112_1314_1516_1718)
  static let firm = ParticipantId(1)
  static let otherFirm = ParticipantId(2)
  static let account = AccountId(11)
  static let otherAccount = AccountId(12)
  static let area = AreaId(1)
  static let instrument = InstrumentId(7)
  static let meter = MeterId(9)
  /// The time of every event.
  static let time = Timestamp(nanoseconds: 1_750_000_000_000_000_000)

  let state = Mutex(State())
  let port: UInt16
  let wake: WakeHandle
  let keys: [SessionId: Curve25519.Signing.PrivateKey]
  let meterKey = Curve25519.Signing.PrivateKey()
  private let settings: @Sendable (inout BinaryGateway.Configuration) -> Void
  private let done: DispatchSemaphore

  init(
    _ configure: @Sendable (inout Transport.Configuration) -> Void = { _ in },
    gateway settings: @escaping @Sendable (inout BinaryGateway.Configuration) -> Void = { _ in }
  ) throws {
    self.settings = settings
    keys = Dictionary(
      uniqueKeysWithValues: (1...5).map { (SessionId($0), Curve25519.Signing.PrivateKey()) })
    let started = Mutex<(UInt16, WakeHandle)?>(nil)
    let ready = DispatchSemaphore(value: 0)
    done = DispatchSemaphore(value: 0)
    var configuration = Transport.Configuration()
    configure(&configuration)
    let transport = try Transport(configuration)
    let chosen = try transport.listen(host: "127.0.0.1", port: 0)
    (port, wake) = (chosen, transport.wakeHandle)
    started.withLock { $0 = (chosen, transport.wakeHandle) }
    nonisolated(unsafe) let moved = transport
    let done = done
    let thread = Thread { [self] in
      let server = ScriptedServer(self, moved, steady: steady)
      let gateway = BinaryGateway(
        server.seat, transport: moved, configuration: gatewayConfiguration())
      server.gateway = gateway
      server.deliver(opening)
      ready.signal()
      moved.run(server, serving: [gateway])
      done.signal()
    }
    thread.start()
    ready.wait()
  }

  deinit { wake.wake() }

  /// A gateway configuration with clocks that the test sets.
  private func gatewayConfiguration() -> BinaryGateway.Configuration {
    var configuration = BinaryGateway.Configuration()
    configuration.market = Self.market
    settings(&configuration)
    configuration.clock = { [unowned self] in
      let error = state.withLock { $0.wallError }
      return Timestamp(nanoseconds: UInt64(Int64(SystemClock.now().nanoseconds) + error))
    }
    return configuration
  }

  private var steady: @Sendable () -> SteadyTime {
    { [unowned self] in
      SteadyTime(nanoseconds: SystemClock.steady().nanoseconds + state.withLock { $0.steadyError })
    }
  }

  /// The reference data at the beginning.
  var opening: [Event] {
    func session(_ id: SessionId, _ participant: ParticipantId, _ roles: Roles) -> Event {
      let key = keys[id].map { PublicKey($0.publicKey) } ?? PublicKey(0, 0, 0, 0)
      return .reference(
        .sessionRegistered(
          RegisterSession(session: id, participant: participant, roles: roles, publicKey: key)))
    }
    return [
      session(Self.bot, Self.firm, .trading), session(Self.meterBox, Self.firm, .metering),
      session(Self.operatorDesk, ParticipantId(3), .administration),
      session(Self.otherBot, Self.otherFirm, .trading),
      session(Self.secondBot, Self.firm, [.trading, .metering]),
      .reference(.accountCreated(CreateAccount(account: Self.account, participant: Self.firm))),
      .reference(
        .accountCreated(CreateAccount(account: Self.otherAccount, participant: Self.otherFirm))),
      .reference(
        .areaCreated(
          AreaState(definition: Sample.createArea, defaultCap: Energy(wattHours: 2000)))),
      .reference(.instrumentCreated(Sample.createInstrument)),
      .reference(
        .meterRegistered(
          RegisterMeter(
            meter: Self.meter, account: Self.account, area: Self.area,
            publicKey: PublicKey(meterKey.publicKey)))),
    ]
  }

  /// A client that is logged on.
  func client(
    _ session: SessionId = bot, keepAlive: UInt32 = 10_000, cancelAfter: UInt32 = 0
  ) throws -> Client {
    let key = try #require(keys[session])
    var options = Client.Options()
    options.keepAliveMilliseconds = keepAlive
    options.orders = .canceled(afterMilliseconds: cancelAfter)
    return try Client(
      host: "127.0.0.1", port: port,
      credentials: Credentials(session: session, privateKey: key), options: options)
  }

  /// Waits until a condition is met, for ten seconds at most.
  func waits(until holds: (State) -> Bool) -> Bool {
    for _ in 0..<10_000 {
      let now = state.withLock { $0 }
      if holds(now) { return true }
      usleep(1000)
    }
    return false
  }

  /// Delivers the events of one command.
  func emit(_ events: [Event]) {
    state.withLock { $0.outbox.append(events) }
    wake.wake()
  }

  /// The commands received, once there are `count`.
  func commands(_ count: Int) -> [Command] {
    for _ in 0..<2000 {
      let commands = state.withLock { $0.commands }
      if commands.count >= count { return commands }
      usleep(1000)
    }
    return state.withLock { $0.commands }
  }

  /// Delivers verdicts on the readings that are held, in order.
  func judge(_ verdicts: [Bool]) {
    state.withLock { $0.verdicts += verdicts }
    wake.wake()
  }

  /// Waits until `count` readings are held.
  func holds(_ count: Int) -> Bool {
    for _ in 0..<10_000 {
      if state.withLock({ $0.readings.count }) >= count { return true }
      usleep(1000)
    }
    return false
  }

  /// Shuts the gateway down in order and waits for the end of its loop.
  func drain() -> Bool {
    state.withLock { $0.drain = true }
    wake.wake()
    return done.wait(timeout: .now() + 5) == .success
  }
}

/// The exchange that the gateway sees, and the turns of its loop. On the I/O thread.
final class ScriptedServer: ExchangePort, LoopHandler {
  unowned let world: GatewayWorld
  weak var gateway: BinaryGateway?
  private let network: any Network
  private let view = DurableView(versionFloor: SystemClock.now().nanoseconds)
  private let clock: ServingClock
  private var lost: LostSessions?
  private var sequence: UInt64 = 0
  /// When silence is judged, and how many more turns read before.
  private var judgement: (SteadyTime, Int)?
  private var isDraining = false

  init(_ world: GatewayWorld, _ network: any Network, steady: @escaping @Sendable () -> SteadyTime)
  {
    (self.world, self.network) = (world, network)
    clock = ServingClock(longest: 500_000_000, steady)
    lost = LostSessions(self, clock)
    network.startTimer(TimerToken(-1), after: 250, every: 250)
  }

  /// The context that the gateway is given.
  var seat: GatewaySeat {
    guard let lost else { preconditionFailure("it was made") }
    return GatewaySeat(.first, self, view, lost, clock)
  }

  func submit(_ command: Command) -> SubmitResult {
    world.state.withLock { state in
      let result = state.script.isEmpty ? .taken : state.script.removeFirst()
      if result == .taken { state.commands.append(command) }
      return result
    }
  }

  func submitOwn(_ body: Command.Body) {
    switch body {
    case .session(.beginSession(let session)):
      world.state.withLock { $0.outbox.append([.session(.sessionBegan(session))]) }
    case .session(.endSession(let session)):
      world.state.withLock { state in
        state.outbox.append([.session(.sessionEnded(SessionEnded(request: session, count: 0)))])
        state.ended.append(session)
      }
    default: break
    }
    network.turnAgain()
  }

  func check(_ reading: SignedReading) -> ReadingCheck {
    world.state.withLock { state in
      guard state.holdsReadings else { return .here }
      state.readings.append(reading)
      return .elsewhere
    }
  }

  func answer(_ question: Question) -> Answer? {
    world.state.withLock { state in
      let finding: Answer.Finding
      switch question {
      case .orderState(let order, _): finding = .orderState(state.orders[order])
      case .explanation(let order, _): finding = .explanation(state.explanations[order])
      case .balance(let account, _): finding = .balance(state.balances[account])
      case .status(let withStateHash):
        var status = state.status
        if withStateHash { status.stateHash = 77 }
        finding = .status(status)
      case .list(let query):
        state.lists.append(query)
        finding = .list(state.page)
      }
      if state.answersLater { return nil }
      state.answered += 1
      return Answer(finding, through: SequenceNumber(state.appliedThrough))
    }
  }

  func retransmit(_ query: RetransmitQuery) {
    world.state.withLock { $0.queries.append(query) }
  }
  func readTrades(_ request: TradesRequest) {
    world.state.withLock { $0.tradesRequests.append(request) }
  }
  func note(_ notice: GatewayNotice) { world.state.withLock { $0.notices.append(notice) } }
  func woken() { clock.look() }

  func timerFired(_ timer: TimerToken) {
    clock.look()
    if judgement == nil {
      judgement = (clock.now, 2)
      network.turnAgain()
    }
    gateway?.tick()
  }

  func turnEnds() {
    judgeReadings()
    let (batches, drain) = world.state.withLock { state in
      defer { (state.outbox, state.drain) = ([], false) }
      return (state.outbox, state.drain)
    }
    for batch in batches { deliver(batch) }
    gateway?.delivered(through: SequenceNumber(sequence))
    let answers = world.state.withLock { state in
      defer { state.answers = [] }
      return state.answers
    }
    for (query, reports) in answers { gateway?.retransmit(query, reports) }
    let trades = world.state.withLock { state in
      defer { state.tradesAnswers = [] }
      return state.tradesAnswers
    }
    for (request, answer) in trades { gateway?.trades(request, answer) }
    if let counts = gateway?.counts { world.state.withLock { $0.counts = counts } }
    if drain { self.drain() }
    gateway?.turnEnds()
    judgeSilence()
    gateway?.resumeReading()
    if isDraining, gateway?.hasConnections == false { network.shutDown() }
  }

  private func drain() {
    isDraining = true
    lost?.end()
    network.stopListening()
    network.startTimer(TimerToken(1), after: 1, every: 5)
    gateway?.drain()
  }

  private func judgeSilence() {
    guard let (moment, turns) = judgement else { return }
    judgement = turns > 1 ? (moment, turns - 1) : nil
    if turns > 1 { return network.turnAgain() }
    gateway?.judgeSilence(at: moment)
    lost?.cancelOrders(dueAt: moment)
  }

  private func judgeReadings() {
    while let (reading, isValid) = world.state.withLock({ state -> (SignedReading, Bool)? in
      guard let reading = state.readings.first, let verdict = state.verdicts.first else {
        return nil
      }
      return (reading, verdict)
    }) {
      guard gateway?.checked(reading, isValid: isValid) == true else { return }
      world.state.withLock { state in
        state.readings.removeFirst()
        state.verdicts.removeFirst()
      }
    }
  }

  func deliver(_ events: [Event]) {
    sequence += 1
    let number = SequenceNumber(sequence)
    gateway?.begin(number)
    for event in events {
      withUnsafePointer(to: event) {
        gateway?.deliver($0, view.take($0, at: GatewayWorld.time), GatewayWorld.time)
      }
    }
    gateway?.endCommand(view.endCommand(at: GatewayWorld.time), GatewayWorld.time)
    world.state.withLock { $0.sequence = sequence }
    // The gateway's own commands do not concern the test.
    if case .session(.sessionBegan) = events.first { return }
    world.state.withLock { $0.delivered += 1 }
  }
}

extension Client {
  /// The next message; its absence is recorded as a failure.
  func expect() throws -> ClientMessage {
    try #require(try poll(timeoutMilliseconds: 3000), "nothing came")
  }

  /// Reads the definitions of the world's area and instrument, with which market data begin.
  func expectDefinitions() throws {
    guard case .area = try expect().event, case .instrument = try expect().event else {
      Issue.record("no definitions")
      return
    }
  }

  /// Whether no message arrives for 60 ms.
  func isQuiet() throws -> Bool { try poll(timeoutMilliseconds: 60) == nil }
}

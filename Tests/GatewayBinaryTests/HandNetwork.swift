import GatewayBinary
import GatewayKit
import MarketModel
import Transport

@testable import JoulebookClient
@testable import Wire

/// A network whose bytes stay in the send queue until the test reads them. For one thread.
final class HandNetwork: Network {
  let maximumConnections = 8
  let sendBound: Int
  private(set) var queues: [ConnectionId: [UInt8]] = [:]
  /// Connections whose TLS handshake waits for the server.
  var heldBack: Set<ConnectionId> = []
  /// Connections that the gateway has finished.
  private(set) var finished: Set<ConnectionId> = []
  /// How often another turn was requested.
  private(set) var turns = 0
  private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 8192, alignment: 64)
  private var reserved: (ConnectionId, Int)?

  init(sendBound: Int) { self.sendBound = sendBound }
  deinit { memory.deallocate() }

  func reserve(_ connection: ConnectionId, _ bytes: Int) -> UnsafeMutableRawPointer? {
    collect()
    reserved = (connection, bytes)
    return memory.baseAddress
  }

  func queued(_ connection: ConnectionId) -> Int {
    collect()
    return queues[connection]?.count ?? 0
  }

  /// Takes up to `limit` bytes out of a send queue.
  func read(_ connection: ConnectionId, _ limit: Int = .max) -> [UInt8] {
    collect()
    let bytes = Array(queues[connection, default: []].prefix(limit))
    queues[connection]?.removeFirst(bytes.count)
    return bytes
  }

  private func collect() {
    guard let (connection, count) = reserved else { return }
    reserved = nil
    queues[connection, default: []] += memory[..<count]
  }

  func turnAgain() { turns += 1 }
  func pause(_ connection: ConnectionId) {}
  func resume(_ connection: ConnectionId) {}
  func finish(_ connection: ConnectionId) { finished.insert(connection) }
  func isHeldBack(_ connection: ConnectionId) -> Bool { heldBack.contains(connection) }
  func startTimer(_ token: TimerToken, after milliseconds: UInt64, every interval: UInt64) {}
  func stopTimer(_ token: TimerToken) {}
  func stopListening() {}
  func shutDown() {}
}

/// A gateway on such a network, with two areas and an established session.
final class HandWorld: ExchangePort {
  static let connection = ConnectionId(rawValue: 1 << 32 | 3)
  let network: HandNetwork
  let view = DurableView()
  private(set) var gateway: BinaryGateway?
  private var lost: LostSessions?
  private var sequence: UInt64 = 0
  private var clientSequence: UInt64 = 0
  private var own: [Command.Body] = []
  private var unread: [UInt8] = []

  init(sendBound: Int) {
    network = HandNetwork(sendBound: sendBound)
    let clock = ServingClock(longest: .max) { SteadyTime(nanoseconds: 1) }
    let lost = LostSessions(self, clock)
    self.lost = lost
    var configuration = BinaryGateway.Configuration()
    configuration.verify = { _, _, _, _ in true }
    configuration.session.work = WorkBudget.Limits(perSecond: 1 << 30, perTurn: 1 << 30)
    gateway = BinaryGateway(
      GatewaySeat(.first, self, view, lost, clock), transport: network,
      configuration: configuration)
    deliver(opening)
    logOn()
  }

  private var opening: [Event] {
    var events: [Event] = [
      .reference(
        .sessionRegistered(
          RegisterSession(
            session: GatewayWorld.bot, participant: GatewayWorld.firm, roles: .trading,
            publicKey: PublicKey(1, 2, 3, 4))))
    ]
    for area in MarketFeedTests.areas {
      var definition = Sample.createArea
      definition.area = area
      events.append(
        .reference(.areaCreated(AreaState(definition: definition, defaultCap: .zero))))
    }
    for instrument in UInt32(1)...3 {
      var definition = Sample.createInstrument
      definition.instrument = InstrumentId(instrument)
      definition.area = MarketFeedTests.area(of: definition.instrument)
      events.append(.reference(.instrumentCreated(definition)))
    }
    return events
  }

  private func logOn() {
    gateway?.connected(Self.connection)
    let now = SystemClock.now()
    send(NegotiateEncoder.frameLength) {
      NegotiateEncoder(
        into: $0, sessionId: GatewayWorld.bot, sessionVersion: 1, timestamp: now, signature: .zero)
    }
    send(EstablishEncoder.frameLength) {
      EstablishEncoder(
        into: $0, sessionId: GatewayWorld.bot, sessionVersion: 1,
        timestamp: Timestamp(nanoseconds: now.nanoseconds + 1), nextSeqNo: 1,
        keepAliveInterval: 10_000, cancelAfter: .max, signature: .zero)
    }
    _ = network.read(Self.connection)
    deliverOwn()
  }

  func send(_ length: Int, _ encode: (UnsafeMutableRawPointer) -> Void) {
    let bytes = frameBytes(length, encode)
    let used = bytes.withUnsafeBytes { gateway?.received(Self.connection, $0) }
    if used != length { fatalError("the gateway reads every message") }
  }

  /// Sends a numbered message.
  /// - Returns: its number.
  @discardableResult func request(
    _ length: Int, _ encode: (UnsafeMutableRawPointer, UInt64) -> Void
  ) -> UInt64 {
    clientSequence += 1
    send(length) { encode($0, clientSequence) }
    return clientSequence
  }

  @discardableResult func subscribe(_ snapshot: SnapshotKind, to area: AreaId) -> UInt64 {
    request(MarketDataSubscribeEncoder.frameLength) {
      MarketDataSubscribeEncoder(
        into: $0, seqNo: $1, sendingTime: .never, area: area, snapshot: snapshot)
    }
  }

  /// Delivers the gateway's own commands.
  func deliverOwn() {
    let bodies = own
    own = []
    for body in bodies {
      guard case .session(.beginSession(let session)) = body else { continue }
      deliver([.session(.sessionBegan(session))])
    }
  }

  func deliver(_ events: [Event]) {
    sequence += 1
    gateway?.begin(SequenceNumber(sequence))
    for event in events {
      withUnsafePointer(to: event) {
        gateway?.deliver($0, view.take($0, at: GatewayWorld.time), GatewayWorld.time)
      }
    }
    gateway?.endCommand(view.endCommand(at: GatewayWorld.time), GatewayWorld.time)
  }

  /// The messages in the next bytes of the send queue.
  func messages(reading limit: Int = .max) throws -> [ClientMessage] {
    unread += network.read(Self.connection, limit)
    var (messages, used) = ([ClientMessage](), 0)
    try unread.withUnsafeBytes { bytes in
      while case .frame(let frame, let template) = FrameReader(from: .server).next(
        in: UnsafeRawBufferPointer(rebasing: bytes[used...]))
      {
        used += frame.length
        if template == .finishedSending || template == .finishedReceiving { continue }
        messages.append(try EventReader.read(frame, template, receivedAt: 0))
      }
    }
    unread.removeFirst(used)
    return messages
  }

  /// Reads everything, and ends turns as long as the gateway requests another one.
  func drain() throws -> [ClientMessage] {
    var all: [ClientMessage] = []
    var isRequested = true
    while isRequested {
      all += try messages()
      let turns = network.turns
      gateway?.turnEnds()
      isRequested = network.turns > turns
    }
    return all + (try messages())
  }

  // MARK: ExchangePort

  func submit(_ command: Command) -> SubmitResult { .taken }
  func submitOwn(_ body: Command.Body) { own.append(body) }
  func answer(_ question: Question) -> Answer? { nil }
  func retransmit(_ query: RetransmitQuery) {}
  func readTrades(_ request: TradesRequest) {}
  func note(_ notice: GatewayNotice) {}
}

// An input is what clients do on four connections:
//
//     how, bits 6-7 = 0      a frame that is nearly right (FrameScript.swift)
//                   = 1      [ bytes / 2 ] [ bytes ]   as they are, in one piece
//                   = 2      bit 0: the connection opens, else closes
//                   = 3      [ time: 100 ms each ]     the clocks move; bit 0: the timer is due
//       bit 3       the turn of the loop goes on: nothing is delivered yet
//
// Behind the gateway stands a small exchange; what it answers must be frames that a client reads.

import GatewayBinary
import JoulebookServer
import MarketModel
import Transport
import Wire

/// The gateway and its sessions, with an exchange behind them.
enum SessionTarget {
  static func run(_ input: UnsafeRawBufferPointer) {
    let world = SessionWorld()
    var reader = InputReader(input)
    while !reader.isAtEnd {
      let how = reader.byte()
      let lane = Int(how >> 4 & 3)
      switch how >> 6 {
      case 0:
        guard let script = FrameScript(how, from: &reader) else { return world.end() }
        world.send(script)
      case 1: world.network.deliver(reader.bytes(Int(reader.byte()) * 2), on: lane)
      case 2 where how & 1 != 0: world.network.connect(lane)
      case 2: world.network.close(lane, .peerClosed)
      default: world.pass(milliseconds: UInt64(reader.byte()) * 100, timer: how & 1 != 0)
      }
      if how & 8 == 0 { world.network.endTurn() }
    }
    world.end()
  }
}

/// A gateway between a network and an exchange. Everything is its own, and gone with it.
private final class SessionWorld: GatewayServer {
  let network = FuzzNetwork()
  private var market = FuzzMarket()
  private let clock = Clock()
  private var gateway: BinaryGateway?
  private var outbox: [(Event, SequenceNumber)] = []
  private var intake: [Command] = []
  private var queries: [RetransmitQuery] = []
  private var nextSequence: [UInt64] = [1, 1, 1, 1]

  final class Clock: @unchecked Sendable {
    // One input at a time, on one thread.
    var now = FuzzMarket.beginning
  }

  init() {
    var configuration = BinaryGateway.Configuration()
    configuration.versionFloor = 0
    let clock = clock
    configuration.clock = { Timestamp(nanoseconds: clock.now) }
    let gateway = BinaryGateway(transport: network, server: self, configuration: configuration)
    self.gateway = gateway
    network.handler = gateway
    network.sent = { _, bytes in Self.check(bytes) }
    var founded: [(Event, SequenceNumber)] = []
    market.found { founded.append(($0, $1)) }
    outbox = founded
    deliver()
    gateway.recovered()
    for lane in 0..<4 { network.connect(lane) }
  }

  /// Everyone leaves; the exchange must be sound.
  func end() {
    for lane in 0..<4 { network.close(lane, .peerClosed) }
    network.endTurn()
    market.check()
  }

  func pass(milliseconds: UInt64, timer: Bool) {
    clock.now += milliseconds * 1_000_000
    if timer { gateway?.timerFired(TimerToken(-1)) }
  }

  /// Sends a frame, repaired as it says.
  func send(_ script: FrameScript) {
    var script = script
    let session = script.isForTheOther ? 2 : script.lane + 1
    let key = FuzzMarket.keys[session - 1]
    switch script.template {
    case .negotiate where script.isSigned:
      script.set(UInt32(session), at: 12)
      script.set(clock.now, at: 24)
      script.sign(.negotiate, key, at: NegotiateEncoder.signatureOffset)
      nextSequence[script.lane] = 1
    case .establish where script.isSigned:
      script.set(UInt32(session), at: 12)
      script.set(clock.now, at: 24)
      script.sign(.establish, key, at: EstablishEncoder.signatureOffset)
    case .meterReading where script.isSigned:
      script.sign(.reading, key, at: MeterReadingEncoder.signatureOffset)
    default: break
    }
    if script.isInSequence, OrderReader.isCommand(script.template) || Self.asks(script.template) {
      script.set(nextSequence[script.lane], at: 12)
      nextSequence[script.lane] += 1
    }
    network.deliver(script.bytes, on: script.lane)
  }

  private static func asks(_ template: Template) -> Bool {
    switch template {
    case .negotiate, .establish, .sequence, .retransmitRequest, .terminate: false
    default: true
    }
  }

  /// Every message is one or more frames that a client reads.
  private static func check(_ bytes: UnsafeRawBufferPointer) {
    var offset = 0
    while offset < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
      guard case .frame(let frame, let template) = FrameReader(from: .server).next(in: rest) else {
        fatalError("the gateway sends what is no frame")
      }
      FrameTarget.readFields(frame, template)
      offset += frame.length
    }
  }

  // MARK: GatewayServer

  func submit(_ command: Command) -> SubmitResult {
    // Small, so that it is full now and then.
    guard intake.count < 6 else { return .full }
    intake.append(command)
    return .taken
  }

  func turnEnds() {
    let commands = intake
    intake.removeAll()
    for command in commands { market.apply(command) { outbox.append(($0, $1)) } }
    deliver()
    let asked = queries
    queries.removeAll()
    for query in asked { gateway?.retransmit(query, nil) }
  }

  private func deliver() {
    let events = outbox
    outbox.removeAll()
    var open: SequenceNumber?
    let time = Timestamp(nanoseconds: market.now)
    for (event, sequence) in events {
      if let open, open != sequence { gateway?.endCommand(open) }
      open = sequence
      gateway?.deliver(event, sequence: sequence, time: time)
    }
    if let open { gateway?.endCommand(open) }
  }

  func orderState(_ order: OrderId) -> OrderState? { market.exchange.orderState(order) }
  func explain(_ order: OrderId) -> OrderExplanation? { market.exchange.orderExplanation(order) }
  func balance(of account: AccountId, in area: AreaId) -> Balance? {
    market.exchange.balance(of: account, in: area)
  }
  func retransmit(_ query: RetransmitQuery) { queries.append(query) }
  func note(_ notice: GatewayNotice) {}
  func status(withStateHash: Bool) -> ServerStatus {
    var status = ServerStatus()
    status.eventHash = market.exchange.eventHash
    status.stateHash = withStateHash ? market.exchange.stateHash() : 0
    return status
  }
  func woken() {}
  func timerFired(_ timer: TimerToken) {}
}

import Crypto
import Foundation
import GatewayKit
import MarketModel
import Testing
import Wire

@testable import GatewayBinary
@testable import JoulebookClient

@Suite("The gateway on its socket")
struct BinaryGatewayTests {
  static let cancel = frameBytes(CancelEncoder.frameLength) {
    CancelEncoder(
      into: $0, seqNo: 1, sendingTime: .never, orderId: .null, clientOrderId: .engine,
      account: .null)
  }

  @Test("Every kind of malformed frame is answered with its code, and the connection closes.")
  func malformedFrames() throws {
    func changed(_ offset: Int, _ value: UInt16) -> [UInt8] {
      var bytes = Self.cancel
      (bytes[offset], bytes[offset + 1]) = (UInt8(value & 0xFF), UInt8(value >> 8))
      return bytes
    }
    let world = try GatewayWorld()
    let cases: [(String, [UInt8], RejectCode, Int64)] = [
      ("too short", changed(0, 16), .badFrameLength, 512),
      ("too long", changed(0, 520), .badFrameLength, 512),
      ("no multiple of 8", changed(0, 50), .badFrameLength, 512),
      ("zero", changed(0, 0), .badFrameLength, 512),
      ("encoding", changed(2, 0x5BE0), .badEncodingType, 0xEB50),
      ("schema", changed(8, 1), .badSchema, 16970),
      ("template", changed(6, 999), .unknownTemplate, 999),
      ("a server's template", changed(6, 40), .unknownTemplate, 40),
      ("short block", changed(4, 35), .badBlockLength, 36),
      ("block beyond the frame", changed(4, 37), .badBlockLength, 36),
      ("not logged on", Self.cancel, .notNegotiated, 0),
    ]
    for (name, bytes, code, limit) in cases {
      let raw = try RawClient(port: world.port)
      raw.send(bytes)
      let (got, gotLimit) = try raw.terminate()
      #expect(got == code, "\(name)")
      #expect(gotLimit == limit, "\(name)")
    }
    #expect(world.commands(0).isEmpty)
  }

  @Test("Bytes at random end their connection or wait for more; a client beside them trades on.")
  func noise() throws {
    let world = try GatewayWorld()
    let bot = try world.client()
    var random = SeededRandom(seed: 42)
    for round in 0..<60 {
      let raw = try RawClient(port: world.port)
      var bytes = Self.cancel
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      raw.send(bytes + (0..<400).map { _ in UInt8.random(in: 0...255, using: &random) })
      try bot.enter(Sample.limitOrder)
      try bot.flush()
      #expect(world.commands(round + 1).count == round + 1)
    }
  }

  @Test("A wrong key, an unknown identity and a second login are refused with their codes.")
  func refusedLogins() throws {
    let world = try GatewayWorld()
    func refused(_ session: SessionId, _ key: Curve25519.Signing.PrivateKey) -> ClientError? {
      do {
        _ = try Client(
          host: "127.0.0.1", port: world.port,
          credentials: Credentials(session: session, privateKey: key))
        return nil
      } catch { return error }
    }
    let key = try #require(world.keys[GatewayWorld.bot])
    #expect(refused(SessionId(99), key) == .refused(code: .badSignature, limit: 0))
    for _ in 0..<20 {
      #expect(
        refused(GatewayWorld.bot, Curve25519.Signing.PrivateKey())
          == .refused(code: .badSignature, limit: 0))
    }
    #expect(refused(GatewayWorld.bot, key) == nil, "strangers do not lock its owner out")
    let other = try world.client(GatewayWorld.otherBot)
    #expect(
      refused(GatewayWorld.otherBot, try #require(world.keys[GatewayWorld.otherBot]))
        == .refused(code: .alreadyEstablished, limit: 0))
    other.close()
    #expect(refused(GatewayWorld.otherBot, try #require(world.keys[GatewayWorld.otherBot])) == nil)
  }

  @Test("A duplicate has no effect; a gap is reported and processing continues.")
  func gaps() throws {
    let world = try GatewayWorld()
    let bot = try world.client()
    func send(_ sequence: UInt64) throws {
      _ = try bot.write(CancelEncoder.frameLength) { frame, _, now in
        CancelEncoder(
          into: frame, seqNo: sequence, sendingTime: now, orderId: OrderId(sequence),
          clientOrderId: .engine, account: .null)
      }
      try bot.flush()
    }
    for sequence in [1, 1, 2, 5, 4, 5, 6] as [UInt64] { try send(sequence) }
    guard case .notApplied(let from, let count) = try bot.expect().event else {
      Issue.record("no NotApplied")
      return
    }
    #expect(from == 3 && count == 2)
    #expect(world.commands(4).map(\.clientSequence) == [1, 2, 5, 6])
    #expect(try bot.isQuiet())
  }

  @Test("A full intake stops the reading; every message is applied once, in order, afterwards.")
  func backPressure() throws {
    let world = try GatewayWorld()
    world.state.withLock { $0.script = [.taken, .full, .full, .full, .taken, .full] }
    let bot = try world.client()
    for _ in 0..<500 { try bot.enter(Sample.limitOrder) }
    try bot.flush()
    // The wake simulates the journal, whose progress frees capacity.
    for _ in 0..<20 {
      world.wake.wake()
      usleep(1000)
    }
    let commands = world.commands(500)
    #expect(commands.map(\.clientSequence) == Array(1...500))
    world.wake.wake()
    usleep(20_000)
    #expect(world.state.withLock { $0.counts.pauses } == 4)
  }

  @Test("Commands that the server cannot accept are rejected with a code; the session continues.")
  func refusedCommands() throws {
    let world = try GatewayWorld()
    world.state.withLock { $0.script = [.refused(Refusal(.ledgerHalted)), .taken] }
    let bot = try world.client()
    try bot.enter(Sample.limitOrder)
    try bot.enter(Sample.limitOrder)
    guard case .rejected(let rejection) = try bot.expect().event else {
      Issue.record("not rejected")
      return
    }
    #expect(rejection.code == .ledgerHalted && rejection.reference == 1)
    #expect(world.commands(1).map(\.clientSequence) == [2])
  }

  @Test("A client that does not read is disconnected; other clients still get their reports.")
  func slowReader() throws {
    let world = try GatewayWorld { $0.sendBound = 1 << 16 }
    let (slow, good) = (try world.client(), try world.client(GatewayWorld.otherBot))
    let burst = [Event](repeating: .accepted(Sample.order(GatewayWorld.bot)), count: 2000)
    for _ in 0..<60 { world.emit(burst) }
    world.emit([
      .control(.acknowledged(Acknowledged(session: GatewayWorld.otherBot, clientSequence: 1)))
    ])
    guard case .acknowledged = try good.expect().event else {
      Issue.record("no report")
      return
    }
    // When the client reads at last, the stream ends with the reason; the log contains it too.
    #expect(throws: ClientError.terminated(code: .slowReader, limit: 1 << 16)) {
      while try slow.poll(timeoutMilliseconds: 3000) != nil {}
    }
    guard case .slowReader(GatewayWorld.bot, let bytes) = world.state.withLock({ $0.notices.first })
    else {
      Issue.record("not noted")
      return
    }
    #expect(bytes > 1 << 16 && bytes <= 1 << 20)
  }

  @Test("New roles count at once.")
  func roles() throws {
    let world = try GatewayWorld()
    let bot = try world.client()
    let key = try #require(world.keys[GatewayWorld.bot])
    world.emit([
      .reference(
        .sessionRegistered(
          RegisterSession(
            session: GatewayWorld.bot, participant: GatewayWorld.firm, roles: .administration,
            publicKey: PublicKey(key.publicKey))))
    ])
    while world.state.withLock({ $0.delivered }) < 2 { usleep(500) }
    try bot.enter(Sample.limitOrder)
    guard case .rejected(let rejection) = try bot.expect().event else {
      Issue.record("not rejected")
      return
    }
    #expect(rejection.code == .notPermitted)
  }

  @Test("Draining ends every session with a code, and then the loop.")
  func drain() throws {
    let world = try GatewayWorld()
    let (bot, other) = (try world.client(), try world.client(GatewayWorld.otherBot))
    world.emit([.accepted(Sample.order(GatewayWorld.bot))])
    world.state.withLock { $0.drain = true }
    world.wake.wake()
    _ = try bot.expect()
    for client in [bot, other] {
      #expect(throws: ClientError.terminated(code: .shuttingDown, limit: 0)) {
        try client.poll(timeoutMilliseconds: 3000)
      }
    }
    #expect(world.drain())
  }

  @Test("Both sides send keep-alives, and silence ends the session.")
  func keepAlive() throws {
    let world = try GatewayWorld()
    let key = try #require(world.keys[GatewayWorld.bot])
    var options = Client.Options()
    options.keepAliveMilliseconds = 1000
    let bot = try Client(
      host: "127.0.0.1", port: world.port,
      credentials: Credentials(session: GatewayWorld.bot, privateKey: key), options: options)
    #expect(try bot.poll(timeoutMilliseconds: 2600) == nil, "kept alive")
    usleep(2_600_000)
    do {
      while try bot.poll(timeoutMilliseconds: 1000) != nil {}
      Issue.record("not ended")
    } catch ClientError.terminated(let code, let limit) {
      #expect(code == .keepAliveExpired)
      #expect(limit > 2_000_000_000)
    }
  }
}

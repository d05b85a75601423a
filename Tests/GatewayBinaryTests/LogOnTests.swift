import Crypto
import Foundation
import GatewayKit
import MarketModel
import Synchronization
import Testing
import Transport
import Wire

@testable import GatewayBinary
@testable import JoulebookClient

/// Log-ons at the socket: what they are signed over, and what somebody can do who has seen one.
@Suite("Logging on")
struct LogOnTests {
  private func key(
    _ world: GatewayWorld, _ session: SessionId = GatewayWorld.bot
  ) throws -> Curve25519.Signing.PrivateKey {
    try #require(world.keys[session])
  }

  private var version: UInt64 { SystemClock.now().nanoseconds }

  @Test("A challenge comes first, unasked: the market's id, and a nonce of the connection's own.")
  func challenge() throws {
    let world = try GatewayWorld()
    let challenges = try (0..<8).map { _ in try RawClient(port: world.port).challenge() }
    #expect(challenges.allSatisfy { $0.market == GatewayWorld.market })
    #expect(Set(challenges.map(\.nonce)).count == 8)
    let client = try world.client()
    #expect(client.market == GatewayWorld.market)
  }

  @Test("A Negotiate serves once: on another connection, however soon, it proves nothing.")
  func replayedNegotiate() throws {
    let world = try GatewayWorld()
    let owner = try RawClient(port: world.port)
    let recorded = try RawClient.negotiate(key(world), version: version, owner.challenge())
    // It did not reach the server on the owner's connection, so it is as fresh as can be.
    let thief = try RawClient(port: world.port)
    thief.send(recorded)
    #expect(try thief.refusal() == Refusal(.badSignature))
    owner.send(recorded)
    #expect(owner.templates(1) == [.negotiationResponse])
    let late = try RawClient(port: world.port)
    late.send(recorded)
    #expect(try late.refusal() == Refusal(.badSignature))
  }

  @Test("An Establish that comes back to a session cannot be used to take the session over.")
  func replayedEstablish() throws {
    let world = try GatewayWorld()
    let (owner, version) = (try RawClient(port: world.port), version)
    try owner.logOn(key(world), version: version)
    let back = try RawClient(port: world.port)
    let recorded = try RawClient.establish(
      key(world), version: version, next: 0, back.challenge())
    let thief = try RawClient(port: world.port)
    thief.send(recorded)
    #expect(try thief.refusal() == Refusal(.badSignature))
    back.send(recorded)
    #expect(back.templates(1) == [.establishmentAck])
  }

  @Test("A log-on for one market proves nothing on another that knows the same key.")
  func otherMarket() throws {
    let world = try GatewayWorld()
    let raw = try RawClient(port: world.port)
    var challenge = try raw.challenge()
    challenge.market.word1 ^= 1
    raw.send(try RawClient.negotiate(key(world), version: version, challenge))
    #expect(try raw.refusal() == Refusal(.badSignature))
  }

  @Test("What a proxy has recorded of a client's log-on proves nothing on a connection of its own.")
  func recordedByProxy() throws {
    let world = try GatewayWorld()
    let proxy = try RecordingProxy(to: world.port)
    let client = try Client(
      host: "127.0.0.1", port: proxy.port,
      credentials: Credentials(session: GatewayWorld.bot, privateKey: try key(world)))
    try client.enter(Sample.limitOrder)
    try client.flush()
    #expect(world.commands(1).count == 1)
    let length = NegotiateEncoder.frameLength
    let recorded = proxy.recorded
    client.close()
    let (negotiate, establish) = (
      Array(recorded[..<length]),
      Array(recorded[length..<(length + EstablishEncoder.frameLength)])
    )
    for frames in [negotiate, establish, recorded] {
      let thief = try RawClient(port: world.port)
      thief.send(frames)
      #expect(try thief.refusal() == Refusal(.badSignature))
    }
    #expect(world.commands(0).count == 1)
  }

  @Test("Log-on of version 1 is refused with a code of its own, whoever sends it.")
  func oldVersion() throws {
    let world = try GatewayWorld()
    for signer in [try key(world), Curve25519.Signing.PrivateKey()] {
      for isNegotiate in [true, false] {
        let raw = try RawClient(port: world.port)
        var frame =
          isNegotiate
          ? try RawClient.negotiate(signer, version: version, raw.challenge())
          : try RawClient.establish(signer, version: version, raw.challenge())
        frame[10] = 6
        raw.send(frame)
        #expect(try raw.refusal() == Refusal(.logOnVersion, limit: 7))
      }
    }
  }

  @Test(
    "Strangers get one answer, whatever they ask: session, key, version and state stay unknown.")
  func strangers() throws {
    let world = try GatewayWorld()
    let open = try RawClient(port: world.port)
    try open.logOn(key(world), version: version)
    world.emit([
      .reference(
        .sessionRegistered(
          RegisterSession(
            session: GatewayWorld.otherBot, participant: GatewayWorld.otherFirm, roles: [],
            publicKey: PublicKey(try key(world, GatewayWorld.otherBot).publicKey))))
    ])
    #expect(world.waits { $0.delivered >= 2 })
    let strange = Curve25519.Signing.PrivateKey()
    let senders = [
      (GatewayWorld.bot, strange), (GatewayWorld.secondBot, strange), (SessionId(99), strange),
      (SessionId(.max), strange), (.exchange, strange),
      (GatewayWorld.otherBot, try key(world, GatewayWorld.otherBot)),
    ]
    for (session, key) in senders {
      for version in [0, 1, version, .max] as [UInt64] {
        let first = try RawClient(port: world.port)
        first.send(
          try RawClient.negotiate(key, session: session, version: version, first.challenge()))
        #expect(try first.refusal() == Refusal(.badSignature), "\(session) \(version)")
        let second = try RawClient(port: world.port)
        second.send(
          try RawClient.establish(key, session: session, version: version, second.challenge()))
        #expect(try second.refusal() == Refusal(.badSignature), "\(session) \(version)")
      }
    }
  }

  @Test("Who does not exist costs as much as who does: a signature is verified for either.")
  func equalWork() throws {
    let verified = Mutex<[PublicKey]>([])
    let world = try GatewayWorld(gateway: { configuration in
      configuration.verify = { signature, frame, purpose, key in
        verified.withLock { $0.append(key) }
        return SignatureCheck.isValid(signature, on: frame, purpose, key: key)
      }
    })
    for session in [GatewayWorld.bot, SessionId(99)] {
      let raw = try RawClient(port: world.port)
      raw.send(
        try RawClient.negotiate(
          Curve25519.Signing.PrivateKey(), session: session, version: version, raw.challenge()))
      #expect(try raw.refusal() == Refusal(.badSignature))
    }
    let (keys, own) = (verified.withLock { $0 }, PublicKey(try key(world).publicKey))
    #expect(keys.count == 2 && keys[0] == own)
    // The key of nobody is a point of the curve, so that verifying does not end early.
    #expect(throws: Never.self) {
      try Curve25519.Signing.PublicKey(rawRepresentation: keys[1].bytes)
    }
  }

  @Test(
    "After ten failures from an address nothing from there is verified; other addresses log on.")
  func addressLimit() throws {
    let address = Mutex("192.0.2.1")
    let verified = Mutex(0)
    let world = try GatewayWorld(gateway: { configuration in
      configuration.address = { _, _ in LogOnAddress(address.withLock { $0 }) }
      configuration.verify = { signature, frame, purpose, key in
        verified.withLock { $0 += 1 }
        return SignatureCheck.isValid(signature, on: frame, purpose, key: key)
      }
    })
    func attempt(_ signer: Curve25519.Signing.PrivateKey) throws -> Refusal? {
      let raw = try RawClient(port: world.port)
      raw.send(try RawClient.negotiate(signer, version: version, raw.challenge()))
      return try raw.refusal()
    }
    for _ in 0..<10 {
      #expect(try attempt(Curve25519.Signing.PrivateKey()) == Refusal(.badSignature))
    }
    for _ in 0..<3 {
      let refusal = try #require(try attempt(key(world)))
      #expect(refusal.code == .tooManyLogOns)
      #expect((1...60_000_000_000).contains(refusal.limit))
    }
    #expect(verified.withLock { $0 } == 10)
    address.withLock { $0 = "192.0.2.2" }
    #expect(try attempt(key(world)) == nil)
    let failures = world.state.withLock { state in
      state.notices.compactMap { notice -> LogOnFailure? in
        if case .logOnRefused(_, let failure, _) = notice { failure } else { nil }
      }
    }
    #expect(
      failures == Array(repeating: .badSignature, count: 10) + [.tooMany, .tooMany, .tooMany])
  }

  @Test("Versions rise within one tick of the clock, and when it is set back.")
  func versions() {
    #expect(VersionClock.next(after: 0, now: 100) == 100)
    #expect(VersionClock.next(after: 100, now: 100) == 101)
    #expect(VersionClock.next(after: 5_000_000_100, now: 100) == 5_000_000_101)
    let versions = (0..<1_000).map { _ in VersionClock.next() }
    #expect(zip(versions, versions.dropFirst()).allSatisfy { $0 < $1 })
  }
}

/// Passes bytes between one client and a server, and keeps the client's.
private final class RecordingProxy: Sendable {
  let port: UInt16
  private let kept = Mutex<[UInt8]>([])

  init(to server: UInt16) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var (address, length) = (Self.address(0), socklen_t(MemoryLayout<sockaddr_in>.size))
    let status = withUnsafeMutablePointer(to: &address) { place in
      place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) | listen(listener, 1) | getsockname(listener, $0, &length)
      }
    }
    try #require(listener >= 0 && status == 0)
    port = UInt16(bigEndian: address.sin_port)
    Thread { [self] in
      let client = accept(listener, nil, nil)
      let there = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = Self.address(server)
      _ = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(there, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      let answers = Thread { Self.pass(from: there, to: client) { _ in } }
      answers.start()
      Self.pass(from: client, to: there) { bytes in self.kept.withLock { $0 += bytes } }
      close(listener)
    }.start()
  }

  /// The bytes that the client has sent.
  var recorded: [UInt8] { kept.withLock { $0 } }

  private static func address(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }

  private static func pass(from: Int32, to: Int32, _ keep: ([UInt8]) -> Void) {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(from, &buffer, buffer.count, 0)
      if count <= 0 { break }
      keep(Array(buffer[..<count]))
      _ = send(to, buffer, count, Int32(MSG_NOSIGNAL))
    }
    shutdown(to, Int32(SHUT_RDWR))
  }
}

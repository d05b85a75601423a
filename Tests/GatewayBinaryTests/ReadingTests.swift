import Crypto
import Glibc
import JoulebookClient
import MarketModel
import Testing
import Wire

@testable import GatewayBinary

@Suite("Readings whose signatures are checked elsewhere")
struct ReadingTests {
  private func world() throws -> GatewayWorld {
    let world = try GatewayWorld()
    world.state.withLock { $0.holdsReadings = true }
    return world
  }

  private func reading(_ number: UInt64) -> MeterReading {
    var reading = Sample.reading
    reading.registerSequence = number
    return reading
  }

  private func order(_ id: UInt64) -> NewOrder {
    var order = Sample.limitOrder
    order.clientOrderId = ClientOrderId(id)
    return order
  }

  @Test(
    "A reading is valid on the market that it names; one that names none only where that is said.",
    arguments: [false, true])
  func otherMarkets(acceptsUnbound: Bool) throws {
    let world = try GatewayWorld(gateway: { $0.acceptsUnboundReadings = acceptsUnbound })
    let client = try world.client(GatewayWorld.secondBot)
    var elsewhere = GatewayWorld.market
    elsewhere.word0 ^= 1
    let (old, foreign) = (
      try unbound(reading(1), world.meterKey),
      try reading(2).signature(world.meterKey, for: elsewhere)
    )
    try client.send(reading(1), signature: old)
    try client.send(reading(2), signature: foreign)
    try client.send(reading(3), key: world.meterKey)
    try client.flush()
    let accepted = world.commands(acceptsUnbound ? 2 : 1).map(\.clientSequence)
    #expect(accepted == (acceptsUnbound ? [1, 3] : [3]))
    for _ in 0..<(acceptsUnbound ? 1 : 2) {
      guard case .rejected(let rejection) = try client.expect().event else {
        Issue.record("not rejected")
        return
      }
      #expect(rejection.code == .badMeterSignature)
    }
  }

  /// The signature of a meter that knows only schema version 6.
  private func unbound(
    _ reading: MeterReading, _ key: Curve25519.Signing.PrivateKey
  ) throws -> Signature {
    let frame = frameBytes(MeterReadingEncoder.frameLength) {
      CommandFrame.write(.meterReading(reading), into: $0, seqNo: 0, sendingTime: .never)
    }
    let message = try frame.withUnsafeBytes { buffer in
      SigningPurpose.unboundReading.message(
        of: Frame(start: try #require(buffer.baseAddress), length: buffer.count))
    }
    return try #require(Signature(bytes: Array(try key.signature(for: message))))
  }

  @Test("A session's messages after a reading wait for it; those of other sessions do not.")
  func order() throws {
    let world = try world()
    let (client, other) = (try world.client(GatewayWorld.secondBot), try world.client())
    try client.send(reading(1), key: world.meterKey)
    try client.send(reading(2), key: world.meterKey)
    try client.enter(order(5))
    try client.flush()
    #expect(world.holds(2))
    try other.enter(order(6))
    try other.flush()
    #expect(world.commands(1).map(\.session) == [GatewayWorld.bot])
    world.judge([true])
    #expect(world.commands(2).map(\.clientSequence) == [1, 1])
    world.judge([true])
    #expect(world.commands(4).dropFirst().map(\.clientSequence) == [1, 2, 3])
    guard case .enter(let entered)? = world.commands(4).last?.body else {
      Issue.record("\(world.commands(4))")
      return
    }
    #expect(entered.clientOrderId == ClientOrderId(5))
    #expect(world.drain())
  }

  @Test("An unsigned reading of an attested meter keeps its place behind those that are verified.")
  func unsigned() throws {
    let world = try world()
    var attested = RegisterMeter(
      meter: MeterId(77), account: GatewayWorld.account, area: GatewayWorld.area,
      publicKey: PublicKey(0, 0, 0, 0))
    attested.attestation = .meteringOperator
    world.emit([.reference(.meterRegistered(attested))])
    let (client, trader) = (try world.client(GatewayWorld.meterBox), try world.client())
    func unsigned(_ number: UInt64) -> MeterReading {
      var reading = reading(number)
      reading.meter = MeterId(77)
      return reading
    }
    try client.send(reading(1), key: world.meterKey)
    try client.send(unsigned(2), signature: .zero)
    try client.flush()
    #expect(world.holds(1))
    #expect(world.commands(0).isEmpty)
    world.judge([true])
    #expect(world.commands(2).map(\.clientSequence) == [1, 2])
    // Of a device's meter, of a trader, and with another signature it is refused.
    try client.send(reading(3), signature: .zero)
    try client.send(unsigned(4), key: world.meterKey)
    try trader.send(unsigned(5), signature: .zero)
    try client.flush()
    try trader.flush()
    #expect(world.holds(1))
    world.judge([false])
    var refused: [String] = []
    for session in [client, client, trader] {
      guard case .rejected(let rejection) = try session.expect().event else {
        Issue.record("not rejected")
        return
      }
      refused.append("\(rejection.reference) \(rejection.code.rawValue)")
    }
    // Without a key to verify with, the fourth is refused at once.
    #expect(refused == ["4 7002", "3 7002", "1 7002"])
    #expect(world.commands(2).count == 2)
  }

  @Test("A reading that its meter did not sign is rejected with code 7002.")
  func forged() throws {
    let world = try world()
    let client = try world.client(GatewayWorld.meterBox)
    for number in UInt64(1)...3 { try client.send(reading(number), key: world.meterKey) }
    try client.flush()
    #expect(world.holds(3))
    world.judge([true, false, true])
    guard case .rejected(let rejection) = try client.expect().event else {
      Issue.record("no reject")
      return
    }
    #expect(rejection.code == .badMeterSignature)
    #expect(rejection.reference == 2)
    #expect(world.commands(2).map(\.clientSequence) == [1, 3])
  }

  @Test("A verified reading is presented again if the intake was full.")
  func full() throws {
    let world = try world()
    world.state.withLock { $0.script = [.full, .full] }
    let client = try world.client(GatewayWorld.meterBox)
    try client.send(reading(1), key: world.meterKey)
    try client.flush()
    #expect(world.holds(1))
    world.judge([true])
    for _ in 0..<10_000 where world.commands(0).isEmpty { world.wake.wake() }
    #expect(world.commands(1).map(\.clientSequence) == [1])
  }

  @Test(
    "Unverified readings of a lost connection are dropped: the client sends them again.")
  func lost() throws {
    let world = try world()
    let client = try world.client(GatewayWorld.meterBox)
    for number in UInt64(1)...3 { try client.send(reading(number), key: world.meterKey) }
    try client.flush()
    #expect(world.holds(3))
    world.judge([true])
    #expect(world.commands(1).map(\.clientSequence) == [1])
    let position = client.position
    client.drop()
    let key = try #require(world.keys[GatewayWorld.meterBox])
    var options = Client.Options()
    options.resume = position
    let back = try Client(
      host: "127.0.0.1", port: world.port,
      credentials: Credentials(session: GatewayWorld.meterBox, privateKey: key), options: options)
    #expect(back.nextSequence == 2)
    // The verdicts arrive after the connection was closed.
    world.judge([true, true])
    for number in UInt64(2)...3 { try back.send(reading(number), key: world.meterKey) }
    try back.flush()
    #expect(world.holds(2))
    world.judge([true, true])
    #expect(world.commands(3).map(\.clientSequence) == [1, 2, 3])
    #expect(world.drain())
  }

  @Test("Readings sent before Terminate are applied before the session ends.")
  func goodBye() throws {
    let world = try world()
    let client = try world.client(GatewayWorld.meterBox)
    try client.send(reading(1), key: world.meterKey)
    try client.flush()
    #expect(world.holds(1))
    try client.writeFrame(TerminateEncoder.frameLength) { frame, _ in
      TerminateEncoder(
        into: frame, sessionVersion: client.version, brokenLimit: 0, code: RejectCode(rawValue: 0))
    }
    try client.flush()
    for _ in 0..<10_000 where world.state.withLock({ $0.counts.pauses }) == 0 { usleep(1000) }
    #expect(world.commands(0).isEmpty)
    world.judge([true])
    #expect(world.commands(1).map(\.clientSequence) == [1])
  }
}

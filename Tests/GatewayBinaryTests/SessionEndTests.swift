import Crypto
import GatewayKit
import MarketModel
import Testing
import Wire

@testable import GatewayBinary
@testable import JoulebookClient

/// Sessions that an operator's command ends, and session versions that are out of bounds.
@Suite("Ended by the operator")
struct SessionEndTests {
  private func registered(
    _ key: PublicKey, participant: ParticipantId = GatewayWorld.firm, roles: Roles = .trading
  ) -> Event {
    .reference(
      .sessionRegistered(
        RegisterSession(
          session: GatewayWorld.bot, participant: participant, roles: roles, publicKey: key)))
  }

  @Test(
    "A replaced, revoked or passed-on key ends the connection; its orders are left alone.",
    arguments: ["replaced", "revoked", "passed on"])
  func keys(how: String) throws {
    let world = try GatewayWorld()
    let bot = try world.client(cancelAfter: 0)
    let key = PublicKey(try #require(world.keys[GatewayWorld.bot]).publicKey)
    switch how {
    case "replaced": world.emit([registered(PublicKey(1, 2, 3, 4))])
    case "revoked": world.emit([registered(key, roles: [])])
    default: world.emit([registered(key, participant: GatewayWorld.otherFirm)])
    }
    let code: RejectCode = how == "revoked" ? .unknownSession : .keyChanged
    #expect(throws: ClientError.terminated(code: code, limit: 0)) {
      try bot.poll(timeoutMilliseconds: 3000)
    }
    #expect(world.waits { $0.notices == [.cutOff(GatewayWorld.bot, Refusal(code))] })
    #expect(world.state.withLock { $0.ended } == [], "cancel on disconnect does not begin")
  }

  @Test("A session that floods is named to operators once, with the code and the bound.")
  func flooding() throws {
    let world = try GatewayWorld(gateway: { configuration in
      configuration.session.messages = ThrottleLimits(limit: 2, cutoff: 4)
    })
    let bot = try world.client()
    for _ in 0..<5 { try bot.requestBalance(of: AccountId(10), in: AreaId(1)) }
    #expect(throws: ClientError.terminated(code: .flooding, limit: 4)) {
      while true { _ = try bot.poll(timeoutMilliseconds: 3000) }
    }
    #expect(world.waits { !$0.faults.isEmpty })
    #expect(world.state.withLock { $0.faults } == [Refusal(.flooding, limit: 4)])
  }

  @Test("A message that a limit refuses names its account and its client order id, as others do.")
  func throttledNames() throws {
    let world = try GatewayWorld(gateway: { configuration in
      configuration.session.messages = ThrottleLimits(limit: 1, cutoff: 100)
    })
    let bot = try world.client()
    try bot.enter(Sample.limitOrder)
    var replace = Sample.replace
    replace.clientOrderId = ClientOrderId(77)
    let references = [try bot.enter(Sample.limitOrder), try bot.replace(replace)]
    let rejections = try references.map { _ -> Rejection in
      guard case .rejected(let rejection) = try bot.expect().event else {
        throw ClientError.closed
      }
      return rejection
    }
    #expect(rejections.map(\.code) == [.tooManyMessages, .tooManyMessages])
    #expect(rejections.map(\.reference) == references)
    #expect(rejections.map(\.account) == [Sample.limitOrder.account, replace.account])
    #expect(
      rejections.map(\.clientOrderId) == [Sample.limitOrder.clientOrderId, ClientOrderId(77)])
    #expect(rejections.map(\.order) == [.null, replace.order])
  }

  @Test("A status request whose flag is neither 0 nor 1 is refused, before its role is asked for.")
  func badFlag() throws {
    let world = try GatewayWorld()
    let raw = try RawClient(port: world.port)
    try raw.logOn(
      try #require(world.keys[GatewayWorld.bot]), version: SystemClock.now().nanoseconds)
    var bytes = frameBytes(StatusRequestEncoder.frameLength) {
      StatusRequestEncoder(
        into: $0, seqNo: 1, sendingTime: Timestamp(nanoseconds: 0), withStateHash: true)
    }
    bytes[28] = 7
    raw.send(bytes)
    let reject = try #require(raw.frame())
    try reject.withUnsafeBytes { buffer in
      let frame = Frame(start: try #require(buffer.baseAddress), length: buffer.count)
      let message = try #require(RejectedDecoder(frame))
      #expect(message.code == .badEnumValue && message.brokenLimit == 7)
      #expect(message.field == .withStateHash)
    }
  }

  @Test("A session that waits for its return when its key is replaced loses no orders.")
  func waiting() throws {
    let world = try GatewayWorld()
    let bot = try world.client(cancelAfter: 3_000)
    #expect(world.waits { $0.sequence >= 2 }, "it began")
    bot.close()
    let other = try world.client(GatewayWorld.otherBot, cancelAfter: 3_000)
    #expect(world.waits { !$0.notices.isEmpty })
    world.emit([registered(PublicKey(1, 2, 3, 4))])
    #expect(world.waits { $0.delivered >= 2 })
    other.close()
    #expect(world.waits { $0.notices.count >= 2 })
    #expect(world.waits { !$0.ended.isEmpty })
    #expect(world.state.withLock { $0.ended.map(\.session) } == [GatewayWorld.otherBot])
  }

  @Test("A reset version ends the connection with 1025, and any version above 0 may follow.")
  func reset() throws {
    let world = try GatewayWorld()
    let bot = try world.client()
    let key = try #require(world.keys[GatewayWorld.bot])
    let early = try RawClient(port: world.port)
    early.send(try RawClient.negotiate(key, version: 5, early.challenge()))
    #expect(try early.refusal()?.code == .sessionVersionNotIncreasing)
    world.emit([.reference(.numbersReset(ResetNumbers(session: GatewayWorld.bot)))])
    #expect(throws: ClientError.terminated(code: .versionReset, limit: 0)) {
      try bot.poll(timeoutMilliseconds: 3000)
    }
    for version in [5, 6] as [UInt64] {
      var again: RawClient? = try RawClient(port: world.port)
      try again?.logOn(key, version: version)
      let same = try RawClient(port: world.port)
      same.send(try RawClient.negotiate(key, version: version, same.challenge()))
      #expect(try same.refusal() == Refusal(.sessionVersionNotIncreasing, limit: Int64(version)))
      again = nil
      #expect(world.waits { $0.counts.lost >= version - 4 })
    }
  }

  @Test("Who was away when its version was reset learns that, until a new version begins.")
  func resetWhileAway() throws {
    let world = try GatewayWorld()
    let bot = try world.client()
    let position = bot.position
    bot.close()
    #expect(world.waits { !$0.notices.isEmpty })
    world.emit([.reference(.numbersReset(ResetNumbers(session: GatewayWorld.bot)))])
    #expect(world.waits { $0.delivered >= 2 })
    let key = try #require(world.keys[GatewayWorld.bot])
    let back = try RawClient(port: world.port)
    back.send(try RawClient.establish(key, version: position.version, back.challenge()))
    #expect(try back.refusal() == Refusal(.versionReset))
    let new = try RawClient(port: world.port)
    try new.logOn(key, version: 7)
    let late = try RawClient(port: world.port)
    late.send(try RawClient.establish(key, version: position.version, late.challenge()))
    #expect(try late.refusal() == Refusal(.unknownSessionVersion, limit: 7))
  }

  @Test("What was negotiated before the reset cannot be established after it.")
  func negotiatedBefore() throws {
    let world = try GatewayWorld()
    let key = try #require(world.keys[GatewayWorld.bot])
    let version = SystemClock.now().nanoseconds
    let raw = try RawClient(port: world.port)
    raw.send(try RawClient.negotiate(key, version: version, raw.challenge()))
    #expect(raw.templates(1) == [.negotiationResponse])
    world.emit([.reference(.numbersReset(ResetNumbers(session: GatewayWorld.bot)))])
    #expect(world.waits { $0.delivered >= 2 })
    raw.send(try RawClient.establish(key, version: version, raw.challenge()))
    #expect(try raw.refusal() == Refusal(.unknownSessionVersion, limit: 0))
  }

  @Test(
    "A version more than a day ahead of the clock is refused with the limit, and takes nothing.",
    arguments: [.max, .max - 1, 1 << 63, 0] as [UInt64])
  func tooHigh(version: UInt64) throws {
    let world = try GatewayWorld()
    let key = try #require(world.keys[GatewayWorld.bot])
    let day: UInt64 = 86_400_000_000_000
    let now = SystemClock.now().nanoseconds
    let raw = try RawClient(port: world.port)
    raw.send(
      try RawClient.negotiate(
        key, version: version == 0 ? now + day + 60_000_000_000 : version, raw.challenge()))
    let refusal = try #require(try raw.refusal())
    #expect(refusal.code == .sessionVersionTooHigh)
    #expect(
      (now + day...now + day + 60_000_000_000).contains(UInt64(refusal.limit)), "\(refusal)")
    let ahead = try RawClient(port: world.port)
    try ahead.logOn(key, version: now + day - 60_000_000_000)
  }
}

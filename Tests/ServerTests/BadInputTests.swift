import Crypto
import JoulebookClient
import MarketModel
import Testing
import Wire

@Suite("Bad input at the socket", .serialized, .onFrozenMarket)
struct BadInputTests {
  @Test(
    "It is answered with its code and the limit broken, and changes neither state nor balances.",
    arguments: BadInput.frames + BadInput.sessions + BadInput.orders + BadInput.amounts
      + BadInput.readings)
  func badInput(_ bad: BadInput) throws {
    let market = try #require(FrozenMarket.current)
    let before = try market.summary()
    #expect(before.stateHash != 0 && before.openOrders == 2)
    let verdict = try bad.offer(market)
    #expect(verdict == bad.expected)
    #expect(try market.summary() == before)
  }

  @Test(
    "An incomplete frame is not a message: the connection ends, and nothing changes.",
    arguments: [1, 4, 12, 40, 63])
  func brokenOff(bytes: Int) throws {
    let market = try #require(FrozenMarket.current)
    let before = try market.summary()
    let raw = try RawSession(port: market.server.port)
    try raw.logOn(SessionId(3), key: market.village.key)
    raw.send(Array(try RawSession.order(Village.ben, id: 1_000).prefix(bytes)))
    raw.endSending()
    #expect(raw.frame() == nil)
    #expect(raw.isOver)
    #expect(try market.summary() == before)
  }

  @Test("Any number of bad signatures in a session's name do not keep its owner out.")
  func nobodyIsLockedOut() throws {
    let market = try #require(FrozenMarket.current)
    let before = try market.summary()
    let wrong = Curve25519.Signing.PrivateKey()
    func negotiate(_ key: Curve25519.Signing.PrivateKey) throws -> RawSession {
      let raw = try RawSession(port: market.server.port)
      try raw.negotiate(FrozenMarket.spare, version: Client.wallClock().nanoseconds, key: key)
      return raw
    }
    for _ in 1...20 { #expect(try negotiate(wrong).verdict() == Verdict(.badSignature)) }
    let answer = try #require(try negotiate(market.village.key).frame())
    #expect(Template(rawValue: UInt16(answer[6])) == .negotiationResponse)
    #expect(try market.summary() == before)
  }
}

@Suite("Good input at the socket")
struct GoodInputTests {
  @Test("Each bad input is rejected only for its fault: without it, the order is accepted.")
  func goodOrder() throws {
    let market = try FrozenMarket()
    let raw = try RawSession(port: market.server.port)
    try raw.logOn(SessionId(3), key: market.village.key)
    raw.send(try RawSession.order(Village.ben, id: 1_000))
    let report = try #require(raw.frame())
    #expect(Template(rawValue: UInt16(report[6])) == .accepted)
  }
}

/// One bad input, how it is sent, and the expected answer.
struct BadInput: Sendable, CustomTestStringConvertible {
  let name: String
  let expected: Verdict
  let offer: @Sendable (FrozenMarket) throws -> Verdict

  init(
    _ name: String, _ expected: Verdict,
    _ offer: @escaping @Sendable (FrozenMarket) throws -> Verdict
  ) {
    (self.name, self.expected, self.offer) = (name, expected, offer)
  }

  var testDescription: String { name }
}

// MARK: - Frames

extension BadInput {
  static let frames: [BadInput] = [
    frame("a length below the shortest frame", Verdict(.badFrameLength, limit: 512)) {
      $0.set(16, at: 0)
    },
    frame("a length above the longest frame", Verdict(.badFrameLength, limit: 512)) {
      $0.set(520, at: 0)
    },
    frame("a length that is no multiple of 8", Verdict(.badFrameLength, limit: 512)) {
      $0.set(60, at: 0)
    },
    frame("a length of nothing", Verdict(.badFrameLength, limit: 512)) { $0.set(0, at: 0) },
    frame("another encoding type", Verdict(.badEncodingType, limit: 0xEB50)) {
      $0.set(0x5BE0, at: 2)
    },
    frame("a template that nobody knows", Verdict(.unknownTemplate, limit: 999)) {
      $0.set(999, at: 6)
    },
    frame("a template that only the server sends", Verdict(.unknownTemplate, limit: 40)) {
      $0.set(40, at: 6)
    },
    frame("another schema", Verdict(.badSchema, limit: 16_970)) { $0.set(1, at: 8) },
    frame("a block shorter than its template", Verdict(.badBlockLength, limit: 52)) {
      $0.set(44, at: 4)
    },
    frame("a block longer than its frame", Verdict(.badBlockLength, limit: 52)) {
      $0.set(60, at: 4)
    },
    frame("a frame cut down to its header", Verdict(.badBlockLength, limit: 52)) {
      $0.set(24, at: 0)
    },
    frame("a request of the web", Verdict(.badFrameLength, limit: 512)) {
      $0 = Array("GET / HTTP/1.1\r\n\r\n".utf8)
    },
    frame("a side that is none", Verdict(.badEnumValue, limit: 7)) { $0[60] = 7 },
    frame("a time in force that is none", Verdict(.badEnumValue, limit: 9)) { $0[61] = 9 },
    frame("a flag that is none", Verdict(.badEnumValue, limit: 0x80)) { $0[63] = 0x80 },
  ]

  /// A NewOrder of an established session, made invalid.
  private static func frame(
    _ name: String, _ expected: Verdict, _ spoil: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> BadInput {
    BadInput(name, expected) { market in
      let raw = try RawSession(port: market.server.port)
      try raw.logOn(SessionId(3), key: market.village.key)
      var bytes = try RawSession.order(Village.ben, id: 1_000)
      spoil(&bytes)
      raw.send(bytes)
      return try raw.verdict()
    }
  }
}

// MARK: - Sessions

extension BadInput {
  static let sessions: [BadInput] = [
    negotiate("a session that nobody registered", Verdict(.badSignature), session: 60),
    negotiate("a session number beyond all", Verdict(.badSignature), session: .max),
    negotiate("a Negotiate signed by another key", Verdict(.badSignature)) { $0[95] ^= 1 },
    negotiate("a Negotiate of log-on version 1", Verdict(.logOnVersion, limit: 7)) {
      $0.set(6, at: 10)
    },
    negotiate("a Negotiate changed after it was signed", Verdict(.badSignature)) { $0[16] ^= 1 },
    BadInput(
      "a Negotiate that was recorded", Verdict(.timestampOutOfWindow, limit: 5_000_000_000)
    ) { market in
      let raw = try RawSession(port: market.server.port)
      let now = Client.wallClock().nanoseconds
      try raw.negotiate(
        SessionId(3), version: now, at: Timestamp(nanoseconds: now - 6_000_000_000),
        key: market.village.key)
      return try raw.verdict()
    },
    BadInput("an Establish signed by another key", Verdict(.badSignature)) { market in
      let raw = try RawSession(port: market.server.port)
      let version = Client.wallClock().nanoseconds
      try raw.negotiate(SessionId(3), version: version, key: market.village.key)
      try #require(raw.frame() != nil)
      try raw.establish(SessionId(3), version: version, key: Curve25519.Signing.PrivateKey())
      return try raw.verdict()
    },
    keepAlive("a keep-alive too short", 999, limit: 1_000),
    keepAlive("a keep-alive too long", 60_001, limit: 60_000),
    BadInput("an order before Negotiate", Verdict(.notNegotiated)) { market in
      let raw = try RawSession(port: market.server.port)
      raw.send(try RawSession.order(Village.ben, id: 1_000))
      return try raw.verdict()
    },
    BadInput("an order before Establish", Verdict(.notEstablished)) { market in
      let raw = try RawSession(port: market.server.port)
      let version = Client.wallClock().nanoseconds
      try raw.negotiate(SessionId(3), version: version, key: market.village.key)
      raw.send(try RawSession.order(Village.ben, id: 1_000))
      return try raw.verdict()
    },
  ]

  private static func negotiate(
    _ name: String, _ expected: Verdict, session: UInt32 = 2,
    _ spoil: @escaping @Sendable (inout [UInt8]) -> Void = { _ in }
  ) -> BadInput {
    BadInput(name, expected) { market in
      let raw = try RawSession(port: market.server.port)
      try raw.negotiate(
        SessionId(session), version: Client.wallClock().nanoseconds, key: market.village.key, spoil)
      return try raw.verdict()
    }
  }

  private static func keepAlive(_ name: String, _ interval: UInt32, limit: Int64) -> BadInput {
    BadInput(name, Verdict(.keepAliveOutOfRange, limit: limit)) { market in
      let raw = try RawSession(port: market.server.port)
      let version = Client.wallClock().nanoseconds
      try raw.negotiate(SessionId(3), version: version, key: market.village.key)
      try #require(raw.frame() != nil)
      try raw.establish(
        SessionId(3), version: version, keepAlive: interval, key: market.village.key)
      return try raw.verdict()
    }
  }
}

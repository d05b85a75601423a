import MarketModel
import Testing
import Wire

@Suite struct SignedBytesTests {
  private func message(_ purpose: SigningPurpose, _ bytes: [UInt8]) -> [UInt8] {
    bytes.withUnsafeBytes { buffer in
      guard let start = buffer.baseAddress else { return [] }
      return purpose.message(of: Frame(start: start, length: bytes.count))
    }
  }

  private static let market = MarketId(0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908)
  private static let challenge = LogOnChallenge(
    market: market,
    nonce: Nonce(
      0x1716_1514_1312_1110, 0x1F1E_1D1C_1B1A_1918, 0x2726_2524_2322_2120, 0x2F2E_2D2C_2B2A_2928))

  @Test("Negotiate is signed over tag, market, nonce, SBE header and block up to the signature.")
  func negotiate() {
    let frame = SwiftFrames.negotiate()
    let signed = message(.negotiate(Self.challenge), frame)
    #expect(
      signed == Array("JOULEBOOK-NEGOTIATE-2".utf8) + Array(0..<48) + frame[4..<(frame.count - 64)])
    #expect(signed.count == 21 + 16 + 32 + 8 + 20)
  }

  @Test("Establish is signed over tag, market, nonce, SBE header and block up to the signature.")
  func establish() {
    let frame = SwiftFrames.establish()
    let signed = message(.establish(Self.challenge), frame)
    #expect(
      signed == Array("JOULEBOOK-ESTABLISH-2".utf8) + Array(0..<48) + frame[4..<(frame.count - 64)])
    #expect(signed.count == 21 + 16 + 32 + 8 + 36)
  }

  /// The vector's reading with a quality.
  private func reading(_ quality: UInt8) -> [UInt8] {
    var frame = SwiftFrames.meterReading()
    frame[136] = quality
    return frame
  }

  @Test("A reading is signed over its tag, the market and the 44 bytes from meter to consumed.")
  func reading() {
    let frame = reading(0)
    let signed = message(.reading(Self.market), frame)
    #expect(signed == Array("JOULEBOOK-READING-2".utf8) + Array(0..<16) + frame[28..<72])
    #expect(signed.count == 19 + 16 + 44)
    #expect(
      message(.unboundReading, frame) == Array("JOULEBOOK-READING-1".utf8) + frame[28..<72])
    #expect(message(.reading(Self.market), Array(frame[..<136])) == signed)
  }

  @Test("A reading that is not measured is signed with its quality, under a tag of its own.")
  func estimatedReading() {
    let frame = reading(2)
    #expect(
      message(.reading(Self.market), frame)
        == Array("JOULEBOOK-READING-3".utf8) + Array(0..<16) + frame[28..<72] + [2])
  }

  @Test("A market's id is read as it is written: 32 hexadecimal digits, its bytes in order.")
  func marketId() {
    #expect(Self.market.description == "000102030405060708090a0b0c0d0e0f")
    #expect(MarketId("000102030405060708090A0B0c0d0e0f") == Self.market)
    for text in [
      "", "00", "000102030405060708090a0b0c0d0e0f00", "000102030405060708090a0b0c0d0e0g",
      "000102030405060708090a0b0c0d0e0\u{FF10}", " 00102030405060708090a0b0c0d0e0f",
    ] { #expect(MarketId(text) == nil, "\(text)") }
    let made = MarketId.random()
    #expect(MarketId("\(made)") == made && made != MarketId.random())
  }

  @Test("The meter does not sign the number and time that a session adds to a reading.")
  func relayedReading() {
    var frame = SwiftFrames.meterReading()
    let signed = message(.reading(Self.market), frame)
    for offset in 12..<28 { frame[offset] ^= 0xFF }
    #expect(message(.reading(Self.market), frame) == signed)
    frame[28] ^= 1
    #expect(message(.reading(Self.market), frame) != signed)
  }

  @Test("A signature's 64 bytes pass through the frame in order.")
  func signatureBytes() throws {
    let bytes = (0..<64).map { UInt8($0 * 3 + 1) }
    let signature = try #require(Signature(bytes: bytes))
    #expect(signature.bytes == bytes)
    #expect(Signature(bytes: bytes.dropLast()) == nil)
    let frame = [UInt8](frameLength: NegotiateEncoder.frameLength) {
      let encoder = NegotiateEncoder(
        into: $0, sessionId: SessionId(1), sessionVersion: 2, timestamp: .never, signature: .zero)
      encoder.setSignature(signature)
    }
    #expect(Array(frame[NegotiateEncoder.signatureOffset...]) == bytes)
  }
}

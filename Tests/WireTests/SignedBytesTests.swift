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

  @Test("Negotiate is signed over its tag, the SBE header and the block up to the signature.")
  func negotiate() {
    let frame = SwiftFrames.negotiate()
    #expect(
      message(.negotiate, frame) == Array("JOULEBOOK-NEGOTIATE-1".utf8)
        + frame[4..<(frame.count - 64)])
    #expect(message(.negotiate, frame).count == 21 + 8 + 20)
  }

  @Test("Establish is signed over its tag, the SBE header and the block up to the signature.")
  func establish() {
    let frame = SwiftFrames.establish()
    #expect(
      message(.establish, frame) == Array("JOULEBOOK-ESTABLISH-1".utf8)
        + frame[4..<(frame.count - 64)])
    #expect(message(.establish, frame).count == 21 + 8 + 36)
  }

  @Test("A reading is signed over its tag and the 44 bytes from meter to consumed.")
  func reading() {
    let frame = SwiftFrames.meterReading()
    #expect(message(.reading, frame) == Array("JOULEBOOK-READING-1".utf8) + frame[28..<72])
    #expect(message(.reading, frame).count == 19 + 44)
  }

  @Test("The meter does not sign the number and time that a session adds to a reading.")
  func relayedReading() {
    var frame = SwiftFrames.meterReading()
    let signed = message(.reading, frame)
    for offset in 12..<28 { frame[offset] ^= 0xFF }
    #expect(message(.reading, frame) == signed)
    frame[28] ^= 1
    #expect(message(.reading, frame) != signed)
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

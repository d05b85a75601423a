import Crypto
import Foundation
import MarketModel
import Testing
import Wire

@testable import GatewayBinary

/// The frames in docs/PROTOCOL.md are those that the codecs write, and their signature verifies.
@Suite("The worked example of the protocol's page")
struct WorkedExampleTests {
  private static let market = MarketId(0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908)
  private static let nonce = Nonce(
    0x1716_1514_1312_1110, 0x1F1E_1D1C_1B1A_1918, 0x2726_2524_2322_2120, 0x2F2E_2D2C_2B2A_2928)

  @Test("Challenge and the Negotiate that answers it.")
  func logOn() throws {
    let page = try page()
    let challenge = frameBytes(ChallengeEncoder.frameLength) {
      ChallengeEncoder(
        into: $0, marketId: Self.market, nonce: Self.nonce, serverTime: Timestamp(nanoseconds: 5))
    }
    #expect(try bytes(after: "The Challenge of the market", in: page) == challenge)
    let negotiate = try bytes(after: "The answer: Negotiate of session 7", in: page)
    let unsigned = frameBytes(NegotiateEncoder.frameLength) {
      NegotiateEncoder(
        into: $0, sessionId: SessionId(7), sessionVersion: 9, timestamp: Timestamp(nanoseconds: 11),
        signature: .zero)
    }
    try #require(negotiate.count == unsigned.count)
    let offset = NegotiateEncoder.signatureOffset
    #expect(negotiate[..<offset] == unsigned[..<offset])
    let key = try Curve25519.Signing.PrivateKey(rawRepresentation: Array(0..<32)).publicKey
    let signature = try #require(Signature(bytes: negotiate[offset...]))
    let isValid = try negotiate.withUnsafeBytes { buffer in
      SignatureCheck.isValid(
        signature,
        on: Frame(start: try #require(buffer.baseAddress), length: buffer.count),
        .negotiate(LogOnChallenge(market: Self.market, nonce: Self.nonce)),
        key: try #require(PublicKey(bytes: key.rawRepresentation)))
    }
    #expect(isValid)
  }

  private func page() throws -> [Substring] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return try String(contentsOf: root.appending(path: "docs/PROTOCOL.md"), encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// The bytes of the first indented block after the line that begins with `text`: in each line the
  /// digits before two spaces.
  private func bytes(after text: String, in page: [Substring]) throws -> [UInt8] {
    let start = try #require(page.firstIndex { $0.hasPrefix(text) }, "no line \(text)")
    let block = page[start...].drop { !$0.hasPrefix("    ") }.prefix { $0.hasPrefix("    ") }
    let digits = block.flatMap { line in
      let body = line.dropFirst(4)
      let end = body.range(of: "  ")?.lowerBound ?? body.endIndex
      return body[..<end].compactMap(\.hexDigitValue)
    }
    return stride(from: 0, to: digits.count - 1, by: 2).map {
      UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
  }
}

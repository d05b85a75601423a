import Crypto
import Foundation
import MarketModel
import Testing
import Wire

@testable import GatewayBinary
@testable import JoulebookClient

/// What clients of older versions of the schema get, which would fail on values that they do not know.
@Suite("Clients of older schemas")
struct OlderClientTests {
  private static let reasons: [CancelReason] = [.user, .revoked, .definition, .blocked, .closed]

  private func canceled(_ reason: CancelReason) -> Event {
    .canceled(
      OrderCanceled(
        state: Sample.order(GatewayWorld.bot), quantity: Energy(wattHours: 5), reason: reason))
  }

  /// The reasons of the next Canceled messages.
  private func canceled(_ raw: RawClient, _ count: Int) throws -> [CancelReason?] {
    try (0..<count).map { _ in
      let bytes = try #require(raw.frame())
      return try bytes.withUnsafeBytes { buffer in
        let frame = Frame(start: try #require(buffer.baseAddress), length: bytes.count)
        return try #require(CanceledDecoder(frame), "template \(frame.templateId)").reason
      }
    }
  }

  /// What a client of a version gets for these reasons.
  private static let cases: [(schema: UInt16, expected: [CancelReason])] = [
    (7, [.user, .disconnect, .mass, .mass, .closed]), (8, reasons), (9, reasons),
  ]

  @Test(
    "A reason for a cancel that the client's version does not have comes as one that it has, also when it is sent again.",
    arguments: cases)
  func reasons(schema: UInt16, expected: [CancelReason]) throws {
    let world = try GatewayWorld()
    let raw = try RawClient(port: world.port)
    let key = try #require(world.keys[GatewayWorld.bot])
    let version = Client.wallClock().nanoseconds
    try raw.logOn(key, version: version, schema: schema)
    #expect(world.waits { $0.sequence >= 1 })
    world.emit(Self.reasons.map(canceled))
    #expect(try canceled(raw, expected.count) == expected)
    raw.send(
      frameBytes(RetransmitRequestEncoder.frameLength) {
        RetransmitRequestEncoder(
          into: $0, sessionVersion: version, timestamp: Timestamp(nanoseconds: 1), fromSeqNo: 1,
          count: UInt32(expected.count))
      })
    #expect(raw.templates(1) == [.retransmission])
    #expect(try canceled(raw, expected.count) == expected)
  }
}

import Crypto
import Foundation
import JoulebookClient
import MarketModel
import Testing
import Wire

#if canImport(Glibc)
  import Glibc
#endif

/// A server that sends impossible values: a client reports an error and does not crash.
@Suite("A server with impossible numbers")
struct StrangeServerTests {
  /// A server for one client: it answers each frame with the next of its prepared answers.
  private final class Server: Sendable {
    let port: UInt16
    private let listener: Int32

    init(_ answers: [[UInt8]]) throws {
      let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let bound = withUnsafeMutablePointer(to: &address) { place in
        place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(listener, $0, length) | listen(listener, 1) | getsockname(listener, $0, &length)
        }
      }
      try #require(listener >= 0 && bound == 0)
      (self.listener, port) = (listener, UInt16(bigEndian: address.sin_port))
      Thread {
        let client = accept(listener, nil, nil)
        var heard = [UInt8](repeating: 0, count: 1024)
        let first = Self.challenge
        _ = first.withUnsafeBytes { send(client, $0.baseAddress, $0.count, 0) }
        for answer in answers where recv(client, &heard, heard.count, 0) > 0 {
          _ = answer.withUnsafeBytes { send(client, $0.baseAddress, $0.count, 0) }
        }
        while recv(client, &heard, heard.count, 0) > 0 {}
        close(client)
      }.start()
    }

    deinit { close(listener) }

    private static var challenge: [UInt8] {
      var bytes = [UInt8](repeating: 0, count: ChallengeEncoder.frameLength)
      bytes.withUnsafeMutableBytes { buffer in
        guard let start = buffer.baseAddress else { return }
        ChallengeEncoder(
          into: start, marketId: MarketId(1, 2), nonce: Nonce(1, 2, 3, 4),
          serverTime: Timestamp(nanoseconds: 1))
      }
      return bytes
    }
  }

  private static let session = SessionId(7)

  /// A frame as bytes.
  private func frame(_ length: Int, _ encode: (UnsafeMutableRawPointer) -> Void) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: length)
    bytes.withUnsafeMutableBytes { if let start = $0.baseAddress { encode(start) } }
    return bytes
  }

  /// Answers to Negotiate and Establish.
  private func welcome(client: UInt64, server: UInt64) -> [[UInt8]] {
    let time = Timestamp(nanoseconds: 1)
    return [
      frame(NegotiationResponseEncoder.frameLength) {
        NegotiationResponseEncoder(
          into: $0, sessionId: Self.session, sessionVersion: 1, requestTimestamp: time,
          serverTime: time)
      },
      frame(EstablishmentAckEncoder.frameLength) {
        EstablishmentAckEncoder(
          into: $0, sessionId: Self.session, sessionVersion: 1, requestTimestamp: time,
          nextClientSeqNo: client, nextServerSeqNo: server, keepAliveInterval: 5_000)
      },
    ]
  }

  private func connect(_ server: Server) throws -> Client {
    try Client(
      host: "127.0.0.1", port: server.port,
      credentials: Credentials(session: Self.session, privateKey: Curve25519.Signing.PrivateKey()))
  }

  @Test(
    "Sequence numbers near overflow are refused, because incrementing them would trap.",
    .timeLimit(.minutes(10)),
    arguments: [(UInt64.max, UInt64(1)), (1, .max), (0, 1), (1, 0), (1 << 63, 1)])
  func sequenceNumbers(client: UInt64, server: UInt64) throws {
    let stage = try Server(welcome(client: client, server: server))
    #expect(
      throws: ClientError.protocolViolation(
        "the acknowledgement has impossible sequence numbers")
    ) { _ = try connect(stage) }
  }

  @Test(
    "A last report with the greatest number never arrives, and the wait for it times out.",
    .timeLimit(.minutes(10)))
  func lastReport() throws {
    let end = frame(FinishedSendingEncoder.frameLength) {
      FinishedSendingEncoder(into: $0, sessionVersion: 1, lastSeqNo: .max)
    }
    let stage = try Server(welcome(client: 1, server: 1) + [end])
    let client = try connect(stage)
    #expect(throws: ClientError.timedOut) { try client.finish(timeoutMilliseconds: 100) }
    try client.requestRetransmission(from: .max, count: 5)
    client.drop()
  }
}

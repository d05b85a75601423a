import Crypto
import Glibc
import MarketModel
import Testing
import Wire

@testable import JoulebookClient

/// A socket that sends any bytes and reads frames.
final class RawClient {
  private let descriptor: Int32
  private var received: [UInt8] = []
  private(set) var ended = false
  private var greeting: LogOnChallenge?

  init(port: UInt16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(status == 0)
    var timeout = timeval(tv_sec: 3, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) {
    _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  /// The bytes of the next frame after the challenge; `nil` if the server closed the connection.
  func frame() -> [UInt8]? {
    while let bytes = anyFrame() {
      guard let challenge = Self.challenge(bytes) else { return bytes }
      greeting = challenge
    }
    return nil
  }

  /// The server's challenge.
  func challenge() throws -> LogOnChallenge {
    if greeting == nil { greeting = anyFrame().flatMap(Self.challenge) }
    return try #require(greeting, "no challenge came first")
  }

  private static func challenge(_ bytes: [UInt8]) -> LogOnChallenge? {
    bytes.withUnsafeBytes { buffer in
      buffer.baseAddress.flatMap {
        ChallengeDecoder(Frame(start: $0, length: bytes.count)).map { LogOnChallenge($0) }
      }
    }
  }

  private func anyFrame() -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      if received.count >= 4 {
        let length = Int(received[0]) | Int(received[1]) << 8
        if received.count >= length {
          defer { received.removeFirst(length) }
          return Array(received[..<length])
        }
      }
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else {
        ended = count == 0
        return nil
      }
      received += buffer[..<count]
    }
  }

  /// Negotiates and establishes, and reads the answers.
  /// - Parameter schema: The version of the schema in the headers.
  func logOn(
    _ key: Curve25519.Signing.PrivateKey, version: UInt64, schema: UInt16 = WireSchema.version
  ) throws {
    let challenge = try challenge()
    send(try Self.negotiate(key, version: version, schema: schema, challenge))
    send(try Self.establish(key, version: version, schema: schema, challenge))
    #expect(templates(2) == [.negotiationResponse, .establishmentAck])
  }

  /// A Negotiate, signed over `challenge`.
  static func negotiate(
    _ key: Curve25519.Signing.PrivateKey, session: SessionId = GatewayWorld.bot,
    version: UInt64, at time: Timestamp = Client.wallClock(),
    schema: UInt16 = WireSchema.version, _ challenge: LogOnChallenge
  ) throws -> [UInt8] {
    var bytes = frameBytes(NegotiateEncoder.frameLength) {
      NegotiateEncoder(
        into: $0, sessionId: session, sessionVersion: version, timestamp: time, signature: .zero)
    }
    bytes[10] = UInt8(schema)
    return try signed(bytes, .negotiate(challenge), NegotiateEncoder.signatureOffset, key)
  }

  /// An Establish, signed over `challenge`.
  static func establish(
    _ key: Curve25519.Signing.PrivateKey, session: SessionId = GatewayWorld.bot,
    version: UInt64, next: UInt64 = 1, schema: UInt16 = WireSchema.version,
    _ challenge: LogOnChallenge
  ) throws -> [UInt8] {
    var bytes = frameBytes(EstablishEncoder.frameLength) {
      EstablishEncoder(
        into: $0, sessionId: session, sessionVersion: version, timestamp: Client.wallClock(),
        nextSeqNo: next, keepAliveInterval: 10_000, cancelAfter: .max, signature: .zero)
    }
    bytes[10] = UInt8(schema)
    return try signed(bytes, .establish(challenge), EstablishEncoder.signatureOffset, key)
  }

  private static func signed(
    _ bytes: [UInt8], _ purpose: SigningPurpose, _ offset: Int,
    _ key: Curve25519.Signing.PrivateKey
  ) throws -> [UInt8] {
    let message = try bytes.withUnsafeBytes { buffer in
      purpose.message(
        of: Frame(start: try #require(buffer.baseAddress), length: bytes.count))
    }
    return Array(bytes[..<offset]) + Array(try key.signature(for: message))
  }

  /// Code and limit of the reject that answers a Negotiate or Establish, after which the server
  /// closes the connection; `nil` if another message comes.
  func refusal() throws -> Refusal? {
    let bytes = try #require(frame(), "closed without a word")
    let refusal = try bytes.withUnsafeBytes { buffer in
      let frame = Frame(start: try #require(buffer.baseAddress), length: bytes.count)
      return NegotiationRejectDecoder(frame).map { Refusal($0.code, limit: $0.brokenLimit) }
        ?? EstablishmentRejectDecoder(frame).map { Refusal($0.code, limit: $0.brokenLimit) }
    }
    if refusal != nil { #expect(frame() == nil && ended, "the server did not close") }
    return refusal
  }

  /// The templates of the next frames; fewer if the server closes the connection.
  func templates(_ count: Int) -> [Template] {
    (0..<count).compactMap { _ in
      frame().flatMap { Template(rawValue: UInt16($0[6]) | UInt16($0[7]) << 8) }
    }
  }

  /// The code and limit of the next Terminate, after which the server closes the connection.
  func terminate() throws -> (RejectCode, Int64) {
    let bytes = try #require(frame(), "closed without a word")
    let end = try #require(
      bytes.withUnsafeBytes { buffer in
        buffer.baseAddress.flatMap {
          TerminateDecoder(Frame(start: $0, length: bytes.count)).map { ($0.code, $0.brokenLimit) }
        }
      }, "not a Terminate")
    #expect(frame() == nil)
    #expect(ended, "the server did not close")
    return end
  }
}

/// The bytes of a frame of `length` bytes.
func frameBytes(_ length: Int, _ encode: (UnsafeMutableRawPointer) -> Void) -> [UInt8] {
  let frame = UnsafeMutableRawPointer.allocate(byteCount: length, alignment: 8)
  defer { frame.deallocate() }
  encode(frame)
  return Array(UnsafeRawBufferPointer(start: frame, count: length))
}

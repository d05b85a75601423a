import Crypto
import Glibc
import MarketModel
import Testing
import Wire

@testable import JoulebookClient

/// A server's answer to bad input: reject code and violated limit.
struct Verdict: Equatable, Sendable, CustomStringConvertible {
  var code: RejectCode
  var limit: Int64

  init(_ code: RejectCode, limit: Int64 = 0) { (self.code, self.limit) = (code, limit) }

  var description: String { "code \(code.rawValue), limit \(limit)" }
}

/// A socket that sends arbitrary frames, including those that the client library cannot send.
final class RawSession {
  private let descriptor: Int32
  private var received: [UInt8] = []
  /// Whether the server has closed the connection.
  private(set) var isOver = false
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
    var timeout = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  /// Sends bytes unchanged.
  func send(_ bytes: [UInt8]) {
    // Fails if the server has already closed the connection; its last frames can still be read.
    _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  /// Closes the sending side.
  func endSending() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

  /// The next frame after the challenge; `nil` if the server closed the connection or sent nothing
  /// for five seconds.
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
        isOver = count == 0 || errno == ECONNRESET
        return nil
      }
      received += buffer[..<count]
    }
  }

  /// Waits for the answer to bad input: the next Terminate, NegotiationReject, EstablishmentReject
  /// or Rejected; other messages are skipped.
  func verdict() throws -> Verdict {
    while let bytes = frame() {
      let found = bytes.withUnsafeBytes { buffer in
        buffer.baseAddress.flatMap { Self.verdict(Frame(start: $0, length: bytes.count)) }
      }
      if let found { return found }
    }
    struct ClosedWithoutAWord: Error {}
    throw ClosedWithoutAWord()
  }

  private static func verdict(_ frame: Frame) -> Verdict? {
    switch frame.template {
    case .terminate:
      TerminateDecoder(frame).map { Verdict($0.code, limit: $0.brokenLimit) }
    case .negotiationReject:
      NegotiationRejectDecoder(frame).map { Verdict($0.code, limit: $0.brokenLimit) }
    case .establishmentReject:
      EstablishmentRejectDecoder(frame).map { Verdict($0.code, limit: $0.brokenLimit) }
    case .rejected: RejectedDecoder(frame).map { Verdict($0.code, limit: $0.brokenLimit) }
    default: nil
    }
  }

  // MARK: Logging on

  /// Sends a Negotiate.
  /// - Parameter spoil: Modifies the finished frame.
  func negotiate(
    _ session: SessionId, version: UInt64, at time: Timestamp = Client.wallClock(),
    key: Curve25519.Signing.PrivateKey, _ spoil: (inout [UInt8]) -> Void = { _ in }
  ) throws {
    let challenge = try challenge()
    var bytes = try Self.bytes(NegotiateEncoder.frameLength) { frame in
      let encoder = NegotiateEncoder(
        into: frame, sessionId: session, sessionVersion: version, timestamp: time,
        signature: .zero)
      let signed = SigningPurpose.negotiate(challenge).message(
        of: Frame(start: frame, length: NegotiateEncoder.frameLength))
      encoder.setSignature(try Self.sign(signed, key))
    }
    spoil(&bytes)
    send(bytes)
  }

  /// Sends an Establish.
  /// - Parameter spoil: Modifies the finished frame.
  func establish(
    _ session: SessionId, version: UInt64, at time: Timestamp = Client.wallClock(),
    keepAlive: UInt32 = 10_000, key: Curve25519.Signing.PrivateKey,
    _ spoil: (inout [UInt8]) -> Void = { _ in }
  ) throws {
    let challenge = try challenge()
    var bytes = try Self.bytes(EstablishEncoder.frameLength) { frame in
      let encoder = EstablishEncoder(
        into: frame, sessionId: session, sessionVersion: version, timestamp: time, nextSeqNo: 1,
        keepAliveInterval: keepAlive, cancelAfter: BeginSession.never, signature: .zero)
      let signed = SigningPurpose.establish(challenge).message(
        of: Frame(start: frame, length: EstablishEncoder.frameLength))
      encoder.setSignature(try Self.sign(signed, key))
    }
    spoil(&bytes)
    send(bytes)
  }

  /// Negotiates and establishes correctly.
  func logOn(_ session: SessionId, key: Curve25519.Signing.PrivateKey) throws {
    let version = Client.wallClock().nanoseconds
    try negotiate(session, version: version, key: key)
    let response = try #require(frame())
    try #require(response[6] == 2, "no NegotiationResponse")
    try establish(session, version: version, key: key)
    let acknowledgement = try #require(frame())
    try #require(acknowledgement[6] == 5, "no EstablishmentAck")
  }

  // MARK: Frames

  /// The bytes of a frame encoded by `encode`.
  static func bytes(
    _ length: Int, _ encode: (UnsafeMutableRawPointer) throws -> Void
  ) throws -> [UInt8] {
    let frame = UnsafeMutableRawPointer.allocate(byteCount: length, alignment: 8)
    defer { frame.deallocate() }
    try encode(frame)
    return Array(UnsafeRawBufferPointer(start: frame, count: length))
  }

  /// A NewOrder that the exchange would accept.
  static func order(_ account: AccountId, id: UInt64, sequence: UInt64 = 1) throws -> [UInt8] {
    try bytes(NewOrderEncoder.frameLength) { frame in
      NewOrderEncoder(
        into: frame, seqNo: sequence, sendingTime: Client.wallClock(),
        clientOrderId: ClientOrderId(id), price: Price(ticks: 10_000),
        quantity: Energy(wattHours: 1_000), account: account, instrument: InstrumentId(1),
        side: .buy, timeInForce: .goodTillCancel, selfTradePrevention: .cancelNewer, flags: [])
    }
  }

  private static func sign(
    _ message: [UInt8], _ key: Curve25519.Signing.PrivateKey
  ) throws -> Signature {
    try #require(Signature(bytes: Array(try key.signature(for: message))))
  }
}

extension [UInt8] {
  /// Writes a little-endian 16-bit integer.
  mutating func set(_ value: UInt16, at offset: Int) {
    self[offset] = UInt8(truncatingIfNeeded: value)
    self[offset + 1] = UInt8(truncatingIfNeeded: value >> 8)
  }
}

import MarketModel
import Wire

extension Client {
  /// Connects and waits for the server's challenge, without logging on: shows whether an exchange
  /// answers, and which.
  /// - Parameters:
  ///   - host: The exchange's host.
  ///   - port: Its port.
  ///   - options: Those of the connection count: security and the longest duration.
  /// - Returns: the market that the server runs.
  /// - Throws: as `init`, except `.refused` of Negotiate and Establish.
  public static func greet(
    host: String, port: UInt16, options: Options = Options()
  ) throws(ClientError) -> MarketId {
    var socket = try ClientSocket(
      host: host, port: port, bufferBytes: options.bufferBytes, security: options.security)
    try socket.agree(options.handshakeMilliseconds)
    return try challenge(on: &socket, options).market
  }

  /// Waits for the server's challenge, which it sends without being asked.
  static func challenge(
    on socket: inout ClientSocket, _ options: Options
  ) throws(ClientError) -> LogOnChallenge {
    let (frame, template): (Frame, Template)
    do throws(ClientError) {
      (frame, template) = try answer(on: &socket, options)
    } catch {
      guard error == .timedOut else { throw error }
      if let other = provoked(on: &socket) { throw other }
      throw .protocolViolation(
        "it sent no Challenge in time; is this the address for clients of an exchange, of schema 7 or "
          + "later?")
    }
    guard template == .challenge, let message = ChallengeDecoder(frame) else {
      throw refusal(frame, template)
    }
    let challenge = LogOnChallenge(message)
    socket.consume(frame.length)
    return challenge
  }

  /// What a server speaks that has said nothing: it may wait for a TLS handshake or a request of
  /// HTTP, and answers bytes that are neither.
  /// - Returns: the error; `nil` if it does not answer, or this client uses TLS.
  private static func provoked(on socket: inout ClientSocket) -> ClientError? {
    if socket.isSecure { return nil }
    do throws(ClientError) {
      let place = try socket.reserve(provocation.count)
      for (index, byte) in provocation.enumerated() {
        place.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
      }
      try socket.flush()
      socket.wait(milliseconds: provocationMilliseconds)
      _ = try socket.receive()
    } catch {
      // The connection may have ended behind the answer.
    }
    guard let other = PeerProtocol(socket.received), other != .frames else { return nil }
    return other.error(withTLS: false)
  }

  /// A TLS record with a message that no client sends first (ServerHelloDone), which is answered
  /// with an alert; and the end of a request of HTTP, which is answered with a status.
  private static let provocation: [UInt8] =
    [0x16, 3, 1, 0, 4, 14, 0, 0, 0] + Array("\r\n\r\n".utf8)

  /// Longest wait for the answer to bytes that are no message, in ms.
  private static let provocationMilliseconds: Int32 = 500

  /// The server's next message while logging on, not yet consumed.
  static func answer(
    on socket: inout ClientSocket, _ options: Options
  ) throws(ClientError) -> (Frame, Template) {
    try socket.flush()
    let deadline = monotonicNow() + UInt64(max(0, options.handshakeMilliseconds)) * 1_000_000
    while true {
      switch reader.next(in: socket.received) {
      case .frame(let frame, let template): return (frame, template)
      case .malformed(let code, _):
        if let other = PeerProtocol(socket.received), other != .frames {
          throw other.error(withTLS: options.security != nil)
        }
        throw .protocolViolation("a frame is malformed: code \(code.rawValue)")
      case .incomplete: break
      }
      if try socket.receive() { continue }
      let now = monotonicNow()
      guard now < deadline else { throw .timedOut }
      socket.wait(milliseconds: Int32((deadline - now) / 1_000_000) + 1)
      try socket.flush()
    }
  }

  /// The error for a message that does not belong there.
  static func refusal(_ frame: Frame, _ template: Template) -> ClientError {
    if template == .terminate, let end = TerminateDecoder(frame) {
      return .refused(code: end.code, limit: end.brokenLimit)
    }
    return .protocolViolation("template \(frame.templateId) came while logging on")
  }
}

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
      throw .protocolViolation(
        "it sent no Challenge in time; does it know log-on of version 2 (schema 7)?")
    }
    guard template == .challenge, let message = ChallengeDecoder(frame) else {
      throw refusal(frame, template)
    }
    let challenge = LogOnChallenge(message)
    socket.consume(frame.length)
    return challenge
  }

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

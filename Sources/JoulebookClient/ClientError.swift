import MarketModel

/// Why a client cannot go on, and what to do about it.
public enum ClientError: Error, Equatable, Sendable, CustomStringConvertible {
  /// No connection came about. Is the server running, and does it listen there?
  case cannotConnect(address: String, error: Int32)
  /// TLS did not come about: the server's certificate is not trusted, or it speaks no TLS 1.3 there.
  case insecure(String)
  /// The connection broke. What was sent may or may not have been applied: connect again, look at the
  /// state, resend with the same client order ids (what was applied is then rejected as a duplicate).
  case connectionLost(error: Int32)
  /// The server refused Negotiate or Establish. The reject code's page says what to do.
  case refused(code: RejectCode, limit: Int64)
  /// The server ended the session. As with a lost connection.
  case terminated(code: RejectCode, limit: Int64)
  /// The server said something that this version does not understand. Update the client.
  case protocolViolation(String)
  /// Nothing came within the time given. The server may be busy; the session lives on.
  case timedOut
  /// The server takes no more bytes just now and the send buffer is full. Poll, then try again.
  case sendBufferFull
  /// A message was rejected, thrown by tools that wait for each answer. The code's page says what to
  /// do.
  case rejected(Rejection)
  /// A key or credentials file cannot be read. The text says which and why.
  case badCredentials(String)
  /// The client was closed by this side.
  case closed

  /// What happened and what to do, in a sentence.
  public var description: String {
    switch self {
    case .cannotConnect(let address, let error):
      "cannot connect to \(address) (errno \(error)); is the server running?"
    case .insecure(let text): "no secure connection: \(text)"
    case .connectionLost(let error):
      "the connection broke (errno \(error)); connect again and resend"
    case .refused(let code, let limit):
      "the server refused the session: code \(code.rawValue), limit \(limit)"
    case .terminated(let code, let limit):
      "the server ended the session: code \(code.rawValue), limit \(limit)"
    case .protocolViolation(let text): "the server does not speak this protocol: \(text)"
    case .timedOut: "nothing came in time"
    case .sendBufferFull: "the server takes no more just now; poll, then try again"
    case .rejected(let rejection):
      "rejected: code \(rejection.code.rawValue), limit \(rejection.limit)"
    case .badCredentials(let text): text
    case .closed: "the client is closed"
    }
  }
}

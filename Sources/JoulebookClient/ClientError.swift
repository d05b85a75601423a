import MarketModel

/// The reason why a client cannot continue, and what to do about it.
public enum ClientError: Error, Equatable, Sendable, CustomStringConvertible {
  /// No connection could be made. Check that the server is running and listens at this address.
  case cannotConnect(address: String, error: Int32)
  /// TLS failed: the server's certificate is not trusted, or the server does not speak TLS 1.3.
  case insecure(String)
  /// The connection broke. Messages sent before may or may not have been applied: reconnect, query
  /// the state, and resend with unchanged client order ids (an order that was applied is then
  /// rejected as a duplicate).
  case connectionLost(error: Int32)
  /// The server refused Negotiate or Establish. See the page of reject codes.
  case refused(code: RejectCode, limit: Int64)
  /// The server ended the session. Continue as after a lost connection.
  case terminated(code: RejectCode, limit: Int64)
  /// The server sent something that this version does not understand. Update the client.
  case protocolViolation(String)
  /// No message arrived in time. The server may be busy; the session continues.
  case timedOut
  /// The server accepts no more bytes now and the send buffer is full. Poll, then retry.
  case sendBufferFull
  /// A message was rejected. Thrown by tools that wait for each answer. See the page of reject
  /// codes.
  case rejected(Rejection)
  /// A key or credentials file cannot be read; the text names it and the reason.
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
      "the connection was lost (errno \(error)); connect again and resend"
    case .refused(let code, let limit):
      "the server refused the session: code \(code.rawValue), limit \(limit)"
    case .terminated(let code, let limit):
      "the server ended the session: code \(code.rawValue), limit \(limit)"
    case .protocolViolation(let text): "the server does not speak this protocol: \(text)"
    case .timedOut: "no message arrived in time"
    case .sendBufferFull: "the server accepts no more bytes now; poll, then retry"
    case .rejected(let rejection):
      "rejected: code \(rejection.code.rawValue), limit \(rejection.limit)"
    case .badCredentials(let text): text
    case .closed: "the client is closed"
    }
  }
}

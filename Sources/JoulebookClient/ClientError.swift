import Glibc
import MarketModel

/// The reason why a client cannot continue, and what to do about it.
public enum ClientError: Error, Equatable, Sendable, CustomStringConvertible {
  /// No connection could be made; error 0 means that the name has no address. Check that the server is running and listens at this address.
  case cannotConnect(address: String, error: Int32)
  /// TLS failed: the server's certificate is not trusted, or the server does not speak TLS 1.3.
  case insecure(String)
  /// The connection broke; error 0 means that the server closed it. Messages sent before may or may not have been applied: reconnect, query
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
  /// What the caller named cannot be used; the text says why. Thrown by tools.
  case unusable(String)
  /// The client was closed by this side.
  case closed

  /// What happened and what to do, in a sentence.
  public var description: String {
    switch self {
    case .cannotConnect(let address, let error):
      error == 0
        ? "cannot connect to \(address): nothing has this name"
        : "cannot connect to \(address): \(String(cString: strerror(error))); is the server running?"
    case .insecure(let text): "no secure connection: \(text)"
    case .connectionLost(let error):
      (error == 0
        ? "the server closed the connection"
        : "the connection was lost: \(String(cString: strerror(error)))")
        + "; connect again and resend"
    case .refused(let code, let limit):
      "the server refused the session: code \(code.rawValue), limit \(limit)"
    case .terminated(let code, let limit):
      "the server ended the session: code \(code.rawValue), limit \(limit)"
    case .protocolViolation(let text): "the server does not speak this protocol: \(text)"
    case .timedOut: "no message arrived in time"
    case .sendBufferFull: "the server accepts no more bytes now; poll, then retry"
    case .rejected(let rejection):
      "rejected: code \(rejection.code.rawValue), limit \(rejection.limit)"
        + (rejection.field.map { ", \($0): \($0.allowed)" } ?? "")
    case .badCredentials(let text), .unusable(let text): text
    case .closed: "the client is closed"
    }
  }
}

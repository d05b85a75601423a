import COpenSSL

/// The reason why TLS cannot be used or a TLS connection has failed.
public struct TLSError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A sentence for the operator or user.
  public let description: String

  init(_ description: String) { self.description = description }

  /// An error with `text` and OpenSSL's reason.
  static func library(_ text: String) -> TLSError {
    defer { ERR_clear_error() }
    guard let reason = ERR_reason_error_string(ERR_get_error()) else { return TLSError(text) }
    return TLSError("\(text): \(String(cString: reason))")
  }
}

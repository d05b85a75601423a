import COpenSSL

/// Why TLS cannot be used, or a connection's ended.
public struct TLSError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A sentence for a person.
  public let description: String

  init(_ description: String) { self.description = description }

  /// An error that says `text`, and what the library says about it.
  static func library(_ text: String) -> TLSError {
    defer { ERR_clear_error() }
    guard let reason = ERR_reason_error_string(ERR_get_error()) else { return TLSError(text) }
    return TLSError("\(text): \(String(cString: reason))")
  }
}

import CLibuv

/// A call into the operating system failed.
public struct TransportError: Error, Equatable, Sendable, CustomStringConvertible {
  /// libuv's error number: negative.
  public let code: Int32
  /// What was tried.
  public let attempt: String

  /// "listening on 127.0.0.1:9000: address already in use".
  public var description: String { "\(attempt): \(String(cString: uv_strerror(code)))" }

  /// Throws when `code` is negative.
  static func check(_ code: Int32, _ attempt: @autoclosure () -> String) throws(TransportError) {
    if code < 0 { throw TransportError(code: code, attempt: attempt()) }
  }
}

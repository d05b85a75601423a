import CLibuv

/// A system call of the transport has failed.
public struct TransportError: Error, Equatable, Sendable, CustomStringConvertible {
  /// libuv's error code, which is negative.
  public let code: Int32
  /// What was attempted.
  public let attempt: String

  /// Attempt and reason, such as "listening on 127.0.0.1:9000: address already in use".
  public var description: String { "\(attempt): \(String(cString: uv_strerror(code)))" }

  /// Throws if `code` is negative.
  static func check(_ code: Int32, _ attempt: @autoclosure () -> String) throws(TransportError) {
    if code < 0 { throw TransportError(code: code, attempt: attempt()) }
  }
}

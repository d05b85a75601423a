/// What the other side of a connection speaks, by its first bytes.
public enum PeerProtocol: Equatable, Sendable {
  /// The frames of this protocol, without TLS.
  case frames
  /// TLS: a record of the handshake, or an alert.
  case tls
  /// HTTP, as the health server does.
  case http

  /// Number of bytes that are enough to tell.
  public static let needed = 5

  /// What these first bytes belong to; `nil` if they are none of these or too few.
  public init?(_ bytes: some Collection<UInt8>) {
    let first = Array(bytes.prefix(Self.needed))
    guard first.count == Self.needed else { return nil }
    if first.elementsEqual("HTTP/".utf8) {
      self = .http
    } else if first[2] == 0x50, first[3] == 0xEB {
      // The encoding type of the Simple Open Framing Header.
      self = .frames
    } else if (0x14...0x17).contains(first[0]), first[1] == 3 {
      self = .tls
    } else {
      return nil
    }
  }

  /// The error for a client that does not expect it.
  /// - Parameter withTLS: Whether the client uses TLS.
  func error(withTLS: Bool) -> ClientError {
    switch self {
    case .tls:
      .insecure("the server uses TLS; connect with it (--tls, or --tls-authorities FILE)")
    case .frames where withTLS:
      .insecure("the server does not use TLS; connect without it (no --tls, no --tls-authorities)")
    case .frames: .protocolViolation("a frame is malformed")
    case .http:
      .protocolViolation(
        "it speaks HTTP, as a health server does; name the address that clients use")
    }
  }
}

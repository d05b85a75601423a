// One connection's TLS between two memories; whoever has the socket carries the bytes.
//
//     socket ──receive──▶ [ sealed in  ] ──read──▶ plain
//     socket ◀───take──── [ sealed out ] ◀──write── plain
//
// The handshake goes on by itself whenever something is read.

import COpenSSL

/// The TLS of one connection. Owned by the thread that has its socket.
public struct TLSSession: ~Copyable {
  /// What reading gave.
  public enum Outcome: Equatable, Sendable {
    /// So many bytes.
    case bytes(Int)
    /// Nothing, until more is received.
    case needsMore
    /// The other side has said that nothing more comes.
    case ended
    /// The connection is of no use any more; an alert for the other side may wait to be taken.
    case failed(TLSError)
  }

  private let context: TLSContext
  private let ssl: OpaquePointer
  private let sealedIn: OpaquePointer
  private let sealedOut: OpaquePointer

  /// The TLS of a connection just made.
  /// - Parameters:
  ///   - host: For a client: the name or address that the server must prove to be.
  /// - Throws: when there is no memory, or the name cannot be one.
  public init(_ context: TLSContext, host: String? = nil) throws(TLSError) {
    let ssl = try Self.open(context, host)
    guard let sealedIn = BIO_new(BIO_s_mem()), let sealedOut = BIO_new(BIO_s_mem()) else {
      SSL_free(ssl)
      throw .library("no memory for TLS")
    }
    SSL_set_bio(ssl, sealedIn, sealedOut)
    (self.context, self.ssl, self.sealedIn, self.sealedOut) = (context, ssl, sealedIn, sealedOut)
  }

  private static func open(
    _ context: TLSContext, _ host: String?
  ) throws(TLSError) -> OpaquePointer {
    guard let ssl = SSL_new(context.pointer) else { throw .library("no memory for TLS") }
    if context.isServer {
      SSL_set_accept_state(ssl)
      return ssl
    }
    SSL_set_connect_state(ssl)
    guard let host, expect(host, ssl) else {
      SSL_free(ssl)
      throw .library("\(host ?? "") is no name to be proven")
    }
    return ssl
  }

  deinit { SSL_free(ssl) }

  /// Whether both sides have agreed: before that nothing can be written.
  public var isEstablished: Bool { SSL_is_init_finished(ssl) == 1 }

  /// Bytes that wait to be taken to the socket.
  public var pending: Int { BIO_ctrl_pending(sealedOut) }

  /// Takes what the socket has brought.
  public mutating func receive(_ bytes: UnsafeRawBufferPointer) {
    _ = BIO_write(sealedIn, bytes.baseAddress, Int32(bytes.count))
  }

  /// Reads what has come, as plain bytes.
  public mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
    ERR_clear_error()
    var count = 0
    let result = SSL_read_ex(ssl, buffer.baseAddress, buffer.count, &count)
    if result == 1 { return .bytes(count) }
    switch SSL_get_error(ssl, result) {
    case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .needsMore
    case SSL_ERROR_ZERO_RETURN: return .ended
    default: return .failed(failure())
    }
  }

  /// Seals plain bytes.
  /// - Precondition: the connection is established.
  /// - Returns: Whether it could.
  public mutating func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
    ERR_clear_error()
    var written = 0
    return SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &written) == 1
      && written == bytes.count
  }

  /// Takes sealed bytes for the socket.
  /// - Returns: How many; at most `buffer` holds.
  public mutating func take(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    max(0, Int(BIO_read(sealedOut, buffer.baseAddress, Int32(buffer.count))))
  }

  /// Says that nothing more comes from here.
  public mutating func end() {
    ERR_clear_error()
    if isEstablished { SSL_shutdown(ssl) }
  }

  /// What is wrong: with the other side's certificate, if anything, or else what the library says.
  private func failure() -> TLSError {
    let verdict = SSL_get_verify_result(ssl)
    if !context.isServer, verdict != Int(X509_V_OK) {
      ERR_clear_error()
      return TLSError(
        "the certificate is not trusted: "
          + String(cString: X509_verify_cert_error_string(verdict)))
    }
    return .library("TLS failed")
  }

  private static func expect(_ host: String, _ ssl: OpaquePointer) -> Bool {
    // An address is proven as one; it is no server name (RFC 6066, section 3).
    if X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1 { return true }
    ERR_clear_error()
    let isNamed = host.withCString { name in
      SSL_ctrl(
        ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name),
        UnsafeMutableRawPointer(mutating: name))
    }
    return isNamed == 1 && SSL_set1_host(ssl, host) == 1
  }
}

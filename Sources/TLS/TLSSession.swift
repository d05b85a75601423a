// TLS of one connection between two memory buffers; the owner of the socket moves the bytes.
//
//     socket ──receive──▶ [ sealed in  ] ──read──▶ plain
//     socket ◀───take──── [ sealed out ] ◀──write── plain
//
// The handshake proceeds whenever `read` is called.

import COpenSSL

/// TLS state of one connection. Owned by the thread that has its socket.
public struct TLSSession: ~Copyable {
  /// The result of a read.
  public enum Outcome: Equatable, Sendable {
    /// The number of plain bytes read.
    case bytes(Int)
    /// Nothing yet; more bytes must be received.
    case needsMore
    /// The peer has closed its direction.
    case ended
    /// The connection is unusable; an alert for the peer may be pending.
    case failed(TLSError)
  }

  private let context: TLSContext
  private let ssl: OpaquePointer
  private let sealedIn: OpaquePointer
  private let sealedOut: OpaquePointer

  /// Creates the TLS state of a new connection.
  /// - Parameters:
  ///   - context: Certificate and key of a server, or the authorities that a client trusts.
  ///   - host: For a client: the name or address that the server must prove.
  /// - Throws: if there is no memory, or `host` is not a valid name.
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
      throw .library("\(host ?? "") is not a valid server name")
    }
    return ssl
  }

  deinit { SSL_free(ssl) }

  /// Whether the handshake is complete; nothing can be written before.
  public var isEstablished: Bool { SSL_is_init_finished(ssl) == 1 }

  /// Number of encrypted bytes to be moved to the socket.
  public var pending: Int { BIO_ctrl_pending(sealedOut) }

  /// Whether the received bytes that were not read yet begin with a complete record, or with what
  /// cannot become one.
  public var hasWholeRecord: Bool {
    var start: UnsafeMutablePointer<UInt8>?
    let count = withUnsafeMutablePointer(to: &start) { BIO_ctrl(sealedIn, BIO_CTRL_INFO, 0, $0) }
    guard let start, count > 0 else { return false }
    // Content type, version, and the length in network byte order (RFC 8446, section 5.1).
    let (header, longest) = (5, 16_384 + 256)
    if start[0] != UInt8(SSL3_RT_HANDSHAKE) { return true }
    if count < header { return false }
    let length = Int(start[3]) << 8 | Int(start[4])
    return length > longest || count >= header + length
  }

  /// Accepts encrypted bytes from the socket.
  public mutating func receive(_ bytes: UnsafeRawBufferPointer) {
    _ = BIO_write(sealedIn, bytes.baseAddress, Int32(bytes.count))
  }

  /// Decrypts received bytes.
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

  /// Encrypts plain bytes.
  /// - Precondition: the connection is established.
  /// - Returns: whether it succeeded.
  public mutating func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
    ERR_clear_error()
    var written = 0
    return SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &written) == 1
      && written == bytes.count
  }

  /// Moves encrypted bytes into `buffer`, for the socket.
  /// - Returns: the number of bytes moved.
  public mutating func take(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    max(0, Int(BIO_read(sealedOut, buffer.baseAddress, Int32(buffer.count))))
  }

  /// Announces the end of this direction (close_notify).
  public mutating func end() {
    ERR_clear_error()
    if isEstablished { SSL_shutdown(ssl) }
  }

  /// The failed verification of the peer's certificate, if any, or else OpenSSL's error.
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
    // An IP address is verified as such; it must not be sent as server name (RFC 6066, section 3).
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

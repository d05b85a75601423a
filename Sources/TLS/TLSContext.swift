// TLS 1.3 with OpenSSL; older versions are refused. One context serves all connections of a
// listener, or of one kind of client.

import COpenSSL
import Glibc

/// The shared parameters of connections: a server's certificate and key, or the authorities that a
/// client trusts. Any thread, after initialisation.
public final class TLSContext: @unchecked Sendable {
  let pointer: OpaquePointer
  let isServer: Bool

  /// Creates a server's context.
  /// - Parameters:
  ///   - certificate: File with the certificate chain, PEM.
  ///   - key: File with the private key, PEM.
  /// - Throws: if a file cannot be read or contains something else, the key belongs to another
  ///   certificate, or the certificate has expired or is not yet valid.
  public init(certificate: String, key: String) throws(TLSError) {
    for file in [certificate, key] where access(file, R_OK) != 0 {
      throw TLSError("\(file) cannot be read: \(String(cString: strerror(errno)))")
    }
    pointer = try Self.make(TLS_server_method())
    isServer = true
    SSL_CTX_set_num_tickets(pointer, 0)
    guard SSL_CTX_use_certificate_chain_file(pointer, certificate) == 1 else {
      throw .library("\(certificate) contains no certificate")
    }
    try Self.checkDates(SSL_CTX_get0_certificate(pointer), certificate)
    guard SSL_CTX_use_PrivateKey_file(pointer, key, SSL_FILETYPE_PEM) == 1 else {
      throw .library("\(key) does not contain the private key of \(certificate)")
    }
  }

  /// Creates a client's context, which accepts only servers that prove their name.
  /// - Parameter authorities: File with trusted certificates, PEM; `nil` for the system's.
  /// - Throws: if the file cannot be read or contains no certificate.
  public init(trusting authorities: String?) throws(TLSError) {
    pointer = try Self.make(TLS_client_method())
    isServer = false
    SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
    guard let authorities else {
      SSL_CTX_set_default_verify_paths(pointer)
      return
    }
    guard SSL_CTX_load_verify_locations(pointer, authorities, nil) == 1 else {
      throw .library("\(authorities) contains no readable certificate")
    }
  }

  deinit { SSL_CTX_free(pointer) }

  private static func make(_ method: OpaquePointer?) throws(TLSError) -> OpaquePointer {
    guard let made = SSL_CTX_new(method) else { throw .library("TLS cannot be used") }
    _ = SSL_CTX_ctrl(made, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_3_VERSION), nil)
    return made
  }

  private static func checkDates(
    _ certificate: OpaquePointer?, _ file: String
  ) throws(TLSError) {
    if X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0 {
      throw TLSError("\(file) has expired")
    }
    if X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0 {
      throw TLSError("\(file) is not yet valid")
    }
  }
}

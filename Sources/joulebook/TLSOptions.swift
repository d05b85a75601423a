import ArgumentParser
import TLS

/// How a command secures its connection to a server.
struct TLSOptions: ParsableArguments {
  @Flag(name: .long, help: "Use TLS 1.3 and trust the certificate authorities of the system.")
  var tls = false
  @Option(
    name: [.customLong("tls-authorities"), .customLong("tls-ca")],
    help: "Use TLS 1.3 and trust the certificates in this file (PEM).", completion: .file())
  var tlsAuthorities: String?

  /// The settings of the connection; `nil` for plain TCP.
  /// - Throws: `TLSError` when the file cannot be read or contains no certificate.
  func context() throws(TLSError) -> TLSContext? {
    guard tls || tlsAuthorities != nil else { return nil }
    return try TLSContext(trusting: tlsAuthorities)
  }
}

import Crypto
import Foundation
import MarketModel
import TLS

/// Identifies a client: a session and its Ed25519 private key. The server knows the public key.
public struct Credentials: Sendable {
  /// The session that the operator registered.
  public var session: SessionId
  /// Signs Negotiate and Establish.
  public var privateKey: Curve25519.Signing.PrivateKey

  /// The credentials of `session` with `privateKey`.
  public init(session: SessionId, privateKey: Curve25519.Signing.PrivateKey) {
    (self.session, self.privateKey) = (session, privateKey)
  }

  /// The credentials of `session` with the key in a file.
  /// - Throws: `ClientError.badCredentials` if the file cannot be read, others have access to
  ///   it, or it contains no key.
  public init(session: SessionId, keyFile: String) throws(ClientError) {
    self.init(session: session, privateKey: try KeyFile.read(keyFile))
  }

  /// The public key, which the operator registers for the session.
  public var publicKey: PublicKey { PublicKey(privateKey.publicKey) }
}

/// Ed25519 private keys in files: PKCS #8 PEM as written by `openssl genpkey -algorithm ed25519`,
/// or 64 hexadecimal digits.
public enum KeyFile {
  /// The bytes before the 32 key bytes in the DER encoding of PKCS #8 (RFC 8410, section 7).
  private static let pkcs8Prefix: [UInt8] = [
    0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
  ]

  /// Reads the key in the file `path`.
  /// - Throws: `ClientError.badCredentials` if the file cannot be read, others have access to it, or
  ///   it contains no key.
  public static func read(_ path: String) throws(ClientError) -> Curve25519.Signing.PrivateKey {
    if let exposure = PrivateKeyFile.exposure(path) { throw .badCredentials(exposure) }
    let text: String
    do {
      text = try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      let reason = access(path, R_OK) == 0 ? "it is no text" : String(cString: strerror(errno))
      throw .badCredentials("\(path) cannot be read: \(reason)")
    }
    guard let key = parse(text) else {
      throw .badCredentials(
        "\(path) contains no Ed25519 private key (PEM or 64 hexadecimal digits)")
    }
    return key
  }

  /// Parses a key; `nil` if `text` contains none.
  public static func parse(_ text: String) -> Curve25519.Signing.PrivateKey? {
    let lines = text.split(whereSeparator: \.isNewline).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    let raw: [UInt8]
    if lines.first == "-----BEGIN PRIVATE KEY-----" {
      let base64 = lines.dropFirst().prefix { !$0.hasPrefix("-----") }.joined()
      guard let der = Data(base64Encoded: base64).map(Array.init), der.count == 48,
        Array(der[..<16]) == pkcs8Prefix
      else { return nil }
      raw = Array(der[16...])
    } else {
      let digits = lines.joined().compactMap { $0.isASCII ? $0.hexDigitValue : nil }
      guard digits.count == 64, lines.joined().count == 64 else { return nil }
      raw = stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
    }
    do {
      return try Curve25519.Signing.PrivateKey(rawRepresentation: raw)
    } catch {
      return nil
    }
  }

  /// The key in PKCS #8 PEM, as openssl reads it.
  public static func pem(_ key: Curve25519.Signing.PrivateKey) -> String {
    let der = Data(pkcs8Prefix + Array(key.rawRepresentation))
    return """
      -----BEGIN PRIVATE KEY-----
      \(der.base64EncodedString())
      -----END PRIVATE KEY-----

      """
  }
}

extension PublicKey {
  /// The key in the form that the exchange stores.
  public init(_ key: Curve25519.Signing.PublicKey) {
    let bytes = Array(key.rawRepresentation)
    func word(_ index: Int) -> UInt64 {
      bytes[(8 * index)..<(8 * index + 8)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    self.init(word(0), word(1), word(2), word(3))
  }
}

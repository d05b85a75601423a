import Crypto
import Foundation
import JoulebookClient
import JoulebookServer
import MarketModel
import Testing

@Suite("Key files")
struct KeyFileTests {
  /// The private key of RFC 8410, section 10.3, as openssl writes it.
  private static let pem = """
    -----BEGIN PRIVATE KEY-----
    MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
    -----END PRIVATE KEY-----

    """
  /// The same key's 32 bytes.
  private static let hex = "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842"

  private func folder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("joulebook-keys-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  @Test("A PEM file of openssl and 64 hexadecimal digits hold the same key.")
  func bothForms() throws {
    let fromPEM = try #require(KeyFile.parse(Self.pem))
    let fromHex = try #require(KeyFile.parse(Self.hex))
    #expect(fromPEM.rawRepresentation == fromHex.rawRepresentation)
    #expect(
      Array(fromPEM.publicKey.rawRepresentation) == PublicKey(fromPEM.publicKey).bytes)
  }

  /// The key in other valid forms.
  private static let spellings: [String] = [
    hex + "\n", "  " + hex + "  \r\n", hex.uppercased(),
    String(hex.prefix(32)) + "\n" + String(hex.suffix(32)) + "\n",
    pem.replacingOccurrences(of: "\n", with: "\r\n"),
  ]

  @Test("Line ends, blank ends and capitals do not matter.", arguments: spellings)
  func spelling(text: String) throws {
    let key = try #require(KeyFile.parse(text))
    #expect(key.rawRepresentation == KeyFile.parse(Self.hex)?.rawRepresentation)
  }

  /// Texts that contain no key.
  private static let noKeys: [String] = {
    let tail = String(hex.dropFirst(2))
    var texts = ["", "\n", String(hex.dropLast()), hex + "00", "0x" + tail, hex + "\n" + hex]
    // A sign is not a hexadecimal digit, nor is a digit of another script.
    texts += ["gg" + tail, "+4" + tail, "٤٤" + tail]
    // Not a private key, truncated, of another algorithm (X25519 is 2B 65 6E), not base64.
    let spoiled = [
      ("PRIVATE", "PUBLIC"), ("dVhC", ""), ("K2VwBCIE", "K2VuBCIE"), ("MC4C", "!!!!"),
    ]
    texts += spoiled.map { pem.replacingOccurrences(of: $0.0, with: $0.1) }
    return texts
  }()

  @Test("Texts that are not keys are rejected.", arguments: noKeys)
  func noKey(text: String) {
    #expect(KeyFile.parse(text) == nil)
  }

  @Test("The PEM that is written is openssl's, and reads back.")
  func pemRoundTrip() throws {
    let key = try #require(KeyFile.parse(Self.hex))
    #expect(KeyFile.pem(key) == Self.pem)
    let fresh = Curve25519.Signing.PrivateKey()
    #expect(
      KeyFile.parse(KeyFile.pem(fresh))?.rawRepresentation == fresh.rawRepresentation)
  }

  @Test("A file that is missing, or holds no key, is named in the error.")
  func badFiles() throws {
    let folder = try folder()
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
    let missing = folder.appendingPathComponent("missing.key").path
    let empty = folder.appendingPathComponent("empty.key").path
    try "no key\n".write(toFile: empty, atomically: true, encoding: .utf8)
    for path in [missing, empty, folder.path] {
      do {
        _ = try KeyFile.read(path)
        Issue.record("\(path) was read")
      } catch {
        guard case .badCredentials(let text) = error else {
          Issue.record("\(error)")
          continue
        }
        #expect(text.hasPrefix(path))
      }
    }
  }

  @Test("A key to which others have access is refused with what to do.")
  func exposed() throws {
    let folder = try folder()
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
    let path = folder.appendingPathComponent("ana.key").path
    try Self.hex.write(toFile: path, atomically: true, encoding: .utf8)
    for mode in [0o640, 0o604, 0o644, 0o620, 0o777] {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
      #expect {
        try KeyFile.read(path)
      } throws: {
        "\($0)".hasSuffix("(mode \(String(mode, radix: 8))): chmod 600 \(path)")
      }
    }
    for mode in [0o600, 0o400] {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
      #expect(throws: Never.self) { try KeyFile.read(path) }
    }
  }

  @Test("The pair that a server makes is private, is never overwritten, and logs its owner on.")
  func generatedPair() throws {
    let folder = try folder()
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
    let path = folder.appendingPathComponent("operator.key").path
    let made = try KeyPairFile.generate(at: path)
    let credentials = try Credentials(session: SessionId(1), keyFile: path)
    #expect(credentials.publicKey == made.key)
    #expect(try KeyPairFile.publicKeys(at: made.file) == [made.key])
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
    #expect((mode as? NSNumber)?.intValue == 0o600)
    #expect(throws: ConfigurationError.self) { try KeyPairFile.generate(at: path) }
    #expect(throws: ConfigurationError.self) { try KeyPairFile.publicKeys(at: "/dev/zero") }
    #expect(try Credentials(session: SessionId(1), keyFile: path).publicKey == made.key)
  }
}

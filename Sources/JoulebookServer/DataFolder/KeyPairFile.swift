import Crypto
import Foundation
import MarketModel

/// Ed25519 key pairs in two files, each with 64 hexadecimal digits and a newline.
public enum KeyPairFile {
  /// Generates a key pair. The private key is written to `path`, readable by its owner only; the
  /// public key to the path with `.pub` instead of `.key`.
  /// - Returns: the public key and its file.
  /// - Throws: if a file already exists or cannot be written.
  public static func generate(
    at path: String
  ) throws(ConfigurationError) -> (key: PublicKey, file: String) {
    let key = Curve25519.Signing.PrivateKey()
    try NewFile.write(hex(key.rawRepresentation) + "\n", to: path, mode: 0o600)
    let publicFile = publicFile(of: path)
    do throws(ConfigurationError) {
      try NewFile.write(hex(key.publicKey.rawRepresentation) + "\n", to: publicFile, mode: 0o644)
    } catch {
      // A private key alone would be in the way of the next attempt.
      unlink(path)
      throw error
    }
    guard let publicKey = PublicKey(bytes: key.publicKey.rawRepresentation) else {
      throw malformed(publicFile)
    }
    return (publicKey, publicFile)
  }

  /// Goes on with the private key at `path` that a start left behind which was ended before its key
  /// was journaled: writes the public key beside it if that is missing. A file that is only the
  /// beginning of a key is removed.
  /// - Precondition: no key of this folder is journaled, and only the owner has access to the file.
  /// - Returns: the public key; `nil` if the file was the beginning of one.
  /// - Throws: if the file contains anything else, or the two files do not belong together.
  static func continued(at path: String) throws(ConfigurationError) -> PublicKey? {
    let text = try DataFolder.text(of: path)
    let publicFile = publicFile(of: path)
    let isPublic = FileManager.default.fileExists(atPath: publicFile)
    guard let raw = bytes(hex: text) else {
      let digits = text.utf8.filter { $0 != UInt8(ascii: "\n") }
      guard digits.count < 64, digits.allSatisfy(isDigit), !isPublic else {
        throw ConfigurationError(
          "\(path) contains no private key of 64 hexadecimal digits. Nothing uses it yet: move it "
            + "away, and the next start makes another one")
      }
      try NewFile.remove(path)
      return nil
    }
    let key: Curve25519.Signing.PrivateKey
    do {
      key = try Curve25519.Signing.PrivateKey(rawRepresentation: raw)
    } catch {
      throw ConfigurationError("\(path) contains no private key: move it away")
    }
    guard let publicKey = PublicKey(bytes: key.publicKey.rawRepresentation) else {
      throw malformed(path)
    }
    if isPublic, try isBeginning(publicFile, of: hex(key.publicKey.rawRepresentation)) {
      try NewFile.remove(publicFile)
    } else if isPublic {
      guard try publicKeys(at: publicFile).contains(publicKey) else {
        throw ConfigurationError(
          "\(publicFile) is not the public key of \(path), so that nobody could administer. Move "
            + "both away, or give the right files")
      }
      return publicKey
    }
    try NewFile.write(hex(key.publicKey.rawRepresentation) + "\n", to: publicFile, mode: 0o644)
    return publicKey
  }

  /// Whether the file is what is left of writing `digits` when that was interrupted.
  private static func isBeginning(
    _ file: String, of digits: String
  ) throws(ConfigurationError) -> Bool {
    let text = try DataFolder.text(of: file)
    return text.utf8.count < digits.utf8.count && digits.hasPrefix(text)
  }

  /// The public key that `text` gives: its 64 hexadecimal digits, or the name of its file, of which it
  /// is the first one.
  /// - Throws: as `publicKeys(at:)` does; a message says both forms where there is no such file.
  public static func publicKey(_ text: String) throws(ConfigurationError) -> PublicKey {
    guard !FileManager.default.fileExists(atPath: text) else {
      guard let key = try publicKeys(at: text).first else {
        throw ConfigurationError("\(text) contains no public key")
      }
      return key
    }
    if let key = publicKey(hex: text) { return try signing(key, text) }
    let count = text.utf8.count
    if count > 16, text.utf8.allSatisfy(isDigit) {
      throw ConfigurationError(
        "a public key has 64 hexadecimal digits, not \(count) as \(text); or name its file (.pub)")
    }
    throw ConfigurationError(
      "there is no file \(text); name the file of a public key (.pub), or give its 64 hexadecimal "
        + "digits")
  }

  /// Whether the byte is a hexadecimal digit.
  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
  }

  /// The key, unless it is one of small order.
  private static func signing(
    _ key: PublicKey, _ path: String
  ) throws(ConfigurationError) -> PublicKey {
    if key.isOfSmallOrder {
      throw ConfigurationError(
        "\(path) has a key with which anybody could sign, as one of zeros; make one with: joulebook "
          + "admin keygen FILE")
    }
    return key
  }

  /// Reads the public keys in a file, one per line; empty lines and comments after `#` are skipped.
  /// - Throws: if the file is missing, a line is not a key, or one of small order, or it is the file
  ///   of a private key, which would be journaled.
  public static func publicKeys(at path: String) throws(ConfigurationError) -> [PublicKey] {
    var found = stat()
    if stat(path, &found) == 0, found.st_mode & S_IFMT != S_IFREG, found.st_mode & S_IFMT != S_IFDIR
    {
      throw ConfigurationError(
        "\(path) is a pipe or a device; a public key is read from a regular file (.pub)")
    }
    var keys: [PublicKey] = []
    for line in try DataFolder.text(of: path).split(separator: "\n") {
      let digits = line.prefix(while: { $0 != "#" })
      if digits.allSatisfy(\.isWhitespace) { continue }
      guard let key = publicKey(hex: String(digits)) else { throw malformed(path) }
      keys.append(try signing(key, path))
    }
    if path.hasSuffix(".key") {
      throw ConfigurationError(
        "\(path) is the file of a private key, which only its owner needs; name the file of the "
          + "public one: \(publicFile(of: path))")
    }
    return keys
  }

  /// The file of the public key beside the file of a private one.
  private static func publicFile(of path: String) -> String {
    (path.hasSuffix(".key") ? String(path.dropLast(4)) : path) + ".pub"
  }

  /// Parses a public key.
  /// - Returns: `nil` unless `hex` consists of exactly 64 hexadecimal digits.
  public static func publicKey(hex: String) -> PublicKey? {
    bytes(hex: hex).flatMap { PublicKey(bytes: $0) }
  }

  private static func malformed(_ path: String) -> ConfigurationError {
    ConfigurationError(
      "\(path) contains no key of 64 hexadecimal digits; make one with: joulebook admin keygen FILE"
    )
  }

  private static func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func bytes(hex text: String) -> [UInt8]? {
    let digits = text.filter { !$0.isWhitespace }.map(\.hexDigitValue)
    guard digits.count == 64 else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: 64, by: 2) {
      guard let high = digits[index], let low = digits[index + 1] else { return nil }
      bytes.append(UInt8(high * 16 + low))
    }
    return bytes
  }
}

import Crypto

/// A SHA-256 hash: of a batch and, through `previous`, of every batch before it.
public struct BatchHash: Hashable, Sendable, CustomStringConvertible {
  /// The 32 bytes.
  public let bytes: [UInt8]

  /// The hash with these bytes.
  /// - Returns: `nil` when there are not exactly 32.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    self.bytes = bytes
  }

  /// The SHA-256 of `content`.
  init(of content: [UInt8]) {
    bytes = Array(SHA256.hash(data: content))
  }

  /// The hash as 64 hexadecimal digits.
  public var description: String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The first 12 hexadecimal digits, for tables and messages.
  public var short: String { String(description.prefix(12)) }
}

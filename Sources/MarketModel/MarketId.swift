// What a log-on is bound to: the market, for ever, and the connection, by a number used once.
// Both are random, and carried as little-endian words, word 0 first.

/// Identifies a market: 16 random bytes, made when the market begins and kept with it. Signatures
/// name it, so that none of them is valid on another market.
public struct MarketId: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
  /// Bytes 0 to 7.
  public var word0: UInt64
  /// Bytes 8 to 15.
  public var word1: UInt64

  /// The id with these words.
  @inlinable public init(_ word0: UInt64, _ word1: UInt64) {
    (self.word0, self.word1) = (word0, word1)
  }

  /// A new id from the system's random numbers.
  public static func random() -> MarketId {
    var system = SystemRandomNumberGenerator()
    return MarketId(system.next(), system.next())
  }

  /// The id in its written form.
  /// - Returns: `nil` unless `text` has exactly 32 hexadecimal digits.
  public init?(_ text: String) {
    let digits = text.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count == 32, text.utf8.count == 32 else { return nil }
    func word(_ first: Int) -> UInt64 {
      stride(from: first + 14, through: first, by: -2).reduce(0) {
        $0 << 8 | UInt64(digits[$1] << 4 | digits[$1 + 1])
      }
    }
    self.init(word(0), word(16))
  }

  /// The 16 bytes, in order.
  public var bytes: [UInt8] { [word0, word1].flatMap(\.littleEndianBytes) }

  /// The 16 bytes as 32 hexadecimal digits.
  public var description: String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

/// A number used once: 32 random bytes that a server makes for a connection.
public struct Nonce: Hashable, Sendable, BitwiseCopyable {
  /// Bytes 0 to 7.
  public var word0: UInt64
  /// Bytes 8 to 15.
  public var word1: UInt64
  /// Bytes 16 to 23.
  public var word2: UInt64
  /// Bytes 24 to 31.
  public var word3: UInt64

  /// The nonce with these words.
  @inlinable public init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
    (self.word0, self.word1, self.word2, self.word3) = (word0, word1, word2, word3)
  }

  /// A new nonce from the system's random numbers.
  public static func random() -> Nonce {
    var system = SystemRandomNumberGenerator()
    return Nonce(system.next(), system.next(), system.next(), system.next())
  }

  /// The 32 bytes, in order.
  public var bytes: [UInt8] { [word0, word1, word2, word3].flatMap(\.littleEndianBytes) }
}

extension UInt64 {
  /// The eight bytes, lowest first.
  fileprivate var littleEndianBytes: [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: self >> UInt64(8 * $0)) }
  }
}

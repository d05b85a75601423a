// An Ed25519 signature: 64 bytes as eight little-endian words, word 0 first.

/// An Ed25519 signature as the wire carries it.
public struct Signature: Hashable, Sendable, BitwiseCopyable {
  /// Bytes 0 to 7.
  public var word0: UInt64
  /// Bytes 8 to 15.
  public var word1: UInt64
  /// Bytes 16 to 23.
  public var word2: UInt64
  /// Bytes 24 to 31.
  public var word3: UInt64
  /// Bytes 32 to 39.
  public var word4: UInt64
  /// Bytes 40 to 47.
  public var word5: UInt64
  /// Bytes 48 to 55.
  public var word6: UInt64
  /// Bytes 56 to 63.
  public var word7: UInt64

  /// Whether all bytes are zero: there is none.
  @inlinable public var isZero: Bool {
    word0 | word1 | word2 | word3 | word4 | word5 | word6 | word7 == 0
  }

  /// The signature with these words.
  @inlinable public init(
    _ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64, _ word4: UInt64,
    _ word5: UInt64, _ word6: UInt64, _ word7: UInt64
  ) {
    (self.word0, self.word1, self.word2, self.word3) = (word0, word1, word2, word3)
    (self.word4, self.word5, self.word6, self.word7) = (word4, word5, word6, word7)
  }

  /// The signature with these 64 bytes.
  /// - Returns: `nil` when there are not exactly 64.
  public init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 64 else { return nil }
    let raw = Array(bytes)
    self = raw.withUnsafeBytes { $0.loadUnaligned(as: Signature.self) }
    #if _endian(big)
      self = Signature(
        word0.byteSwapped, word1.byteSwapped, word2.byteSwapped, word3.byteSwapped,
        word4.byteSwapped, word5.byteSwapped, word6.byteSwapped, word7.byteSwapped)
    #endif
  }

  /// The value of the field before a message is signed.
  public static let zero = Signature(0, 0, 0, 0, 0, 0, 0, 0)

  /// The 64 bytes, in order.
  public var bytes: [UInt8] {
    [word0, word1, word2, word3, word4, word5, word6, word7].flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
    }
  }
}

// The text of a note: 40 bytes as five little-endian words, word 0 first.

/// What a note says about an order: 40 bytes, UTF-8 as a rule. Shorter texts end with zeros.
public struct NoteText: Hashable, Sendable, BitwiseCopyable {
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

  /// The most bytes of a note.
  public static let most = 40

  /// The note with these words.
  @inlinable public init(
    _ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64, _ word4: UInt64
  ) {
    (self.word0, self.word1, self.word2) = (word0, word1, word2)
    (self.word3, self.word4) = (word3, word4)
  }

  /// The note with these bytes, filled up with zeros.
  /// - Returns: `nil` when there are more than 40.
  public init?(bytes: some Collection<UInt8>) {
    guard bytes.count <= NoteText.most else { return nil }
    var words: [UInt64] = [0, 0, 0, 0, 0]
    for (place, byte) in bytes.enumerated() {
      words[place / 8] |= UInt64(byte) << UInt64(8 * (place % 8))
    }
    self.init(words[0], words[1], words[2], words[3], words[4])
  }

  /// The note with a text.
  /// - Returns: `nil` when the text has more than 40 bytes in UTF-8.
  public init?(_ text: String) { self.init(bytes: Array(text.utf8)) }

  /// The 40 bytes, in order.
  public var bytes: [UInt8] {
    [word0, word1, word2, word3, word4].flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
    }
  }

  /// The text without the zeros at its end; bytes that are no UTF-8 are replaced.
  public var text: String {
    var bytes = bytes
    while bytes.last == 0 { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }
}

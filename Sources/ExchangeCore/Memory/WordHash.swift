// The hash function of the state hash.

/// Folds 64-bit words into one. Order matters; not cryptographic.
struct WordHash {
  var value: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// Folds a word into the hash, with wrapping arithmetic.
  @inline(__always) mutating func fold(_ word: UInt64) {
    value = (value &<< 5 | value &>> 59) ^ (word &* 0xC2B2_AE3D_27D4_EB4F)
    value = value &* 0x9E37_79B9_7F4A_7C15
  }

  @inline(__always) mutating func fold(_ word: Int64) { fold(UInt64(bitPattern: word)) }
  @inline(__always) mutating func fold(_ word: UInt32) { fold(UInt64(word)) }
  @inline(__always) mutating func fold(_ flag: Bool) { fold(UInt64(flag ? 1 : 0)) }
}

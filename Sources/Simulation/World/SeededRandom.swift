/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, the same everywhere. Every decision of a run
/// comes from here; nothing else is random.
package struct SeededRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// The sequence that begins with `seed`.
  package init(seed: UInt64) { state = seed }

  /// 64 bits.
  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15  // wraps by definition, like the two products
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }

  /// A whole number of `range`.
  mutating func pick(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self) }

  /// A whole number of `range`.
  mutating func pick(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &self) }

  /// Yes, `perMyriad` times in ten thousand.
  mutating func happens(_ perMyriad: Int) -> Bool {
    perMyriad > 0 && Int.random(in: 0..<10_000, using: &self) < perMyriad
  }
}

/// SplitMix64 (Steele, Lea, Flood 2014): all that a load needs of chance. Wrapping is its arithmetic.
struct LoadRandom: RandomNumberGenerator {
  private var state: UInt64

  /// Numbers that follow from `seed`.
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A number in 0 ..< bound: the high half of a product, nearly even and without a division.
  mutating func below(_ bound: Int) -> Int { (Int(truncatingIfNeeded: next() >> 32) * bound) >> 32 }
}

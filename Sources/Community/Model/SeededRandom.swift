/// A small, fast generator whose whole sequence follows from its seed, so that a run can be repeated.
/// SplitMix64 (Steele, Lea and Flood, 2014).
public struct SeededRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// The generator with `seed`; `stream` gives independent sequences from one seed.
  public init(seed: UInt64, stream: UInt64 = 0) {
    state = seed
    // The multiplication wraps on purpose: only a well-spread starting point is wanted.
    state = next() ^ (stream &* 0x9E37_79B9_7F4A_7C15)
  }

  /// The next 64 random bits. Wrapping is part of the algorithm.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A price in `range`, both ends included, on the grid of `tick`.
  /// - Precondition: `tick` is positive and `range` has a multiple of it.
  public mutating func price(in range: ClosedRange<Int64>, tick: Int64) -> Int64 {
    let lowest = (range.lowerBound + tick - 1) / tick
    let highest = range.upperBound / tick
    precondition(lowest <= highest, "no multiple of the tick in the range")
    return Int64.random(in: lowest...highest, using: &self) * tick
  }
}

/// The random number generator SplitMix64 (Steele, Lea, Flood 2014): a seed gives equal numbers on
/// every machine. For simulations, load generation, benchmarks and tests; the exchange uses no
/// randomness. O(1) for a number.
@frozen public struct SeededRandom: RandomNumberGenerator, Sendable, BitwiseCopyable {
  @usableFromInline var state: UInt64

  /// The sequence that begins with `seed`.
  @inlinable public init(seed: UInt64) { state = seed }

  /// The sequence number `stream` among the independent sequences of `seed`.
  @inlinable public init(seed: UInt64, stream: UInt64) {
    state = seed
    // The product wraps; it only has to spread the starting points.
    state = next() ^ (stream &* 0x9E37_79B9_7F4A_7C15)
  }

  /// The next 64 random bits. Wrapping is part of the algorithm.
  @inlinable public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

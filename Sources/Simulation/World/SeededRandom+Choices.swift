import MarketModel

/// Choices of a run. All of its decisions come from one generator with the run's seed.
extension SeededRandom {
  /// A random whole number in `range`.
  mutating func pick(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self) }

  /// A random whole number in `range`.
  mutating func pick(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &self) }

  /// True with a probability of `perMyriad` / 10,000.
  mutating func happens(_ perMyriad: Int) -> Bool {
    perMyriad > 0 && Int.random(in: 0..<10_000, using: &self) < perMyriad
  }
}

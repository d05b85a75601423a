import MarketModel

/// Every decision of a run comes from one generator of its seed; nothing else is random.
extension SeededRandom {
  /// A whole number of `range`.
  mutating func pick(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self) }

  /// A whole number of `range`.
  mutating func pick(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &self) }

  /// Yes, `perMyriad` times in ten thousand.
  mutating func happens(_ perMyriad: Int) -> Bool {
    perMyriad > 0 && Int.random(in: 0..<10_000, using: &self) < perMyriad
  }
}

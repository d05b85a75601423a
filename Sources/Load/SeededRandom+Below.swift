import MarketModel

extension SeededRandom {
  /// A number in 0 ..< bound: the high half of a product, nearly even and without a division.
  mutating func below(_ bound: Int) -> Int { (Int(truncatingIfNeeded: next() >> 32) * bound) >> 32 }
}

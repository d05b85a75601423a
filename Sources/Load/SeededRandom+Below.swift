import MarketModel

extension SeededRandom {
  /// A random number in 0 ..< `bound`. It is the high half of a product, which needs no division;
  /// the bias is below `bound` / 2^32.
  mutating func below(_ bound: Int) -> Int { (Int(truncatingIfNeeded: next() >> 32) * bound) >> 32 }
}

import MarketModel

extension SeededRandom {
  /// A random number in 0 ..< `bound`.
  package mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

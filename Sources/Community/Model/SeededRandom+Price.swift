import MarketModel

extension SeededRandom {
  /// A price in `range`, both ends included, on the grid of `tick`.
  /// - Precondition: `tick` is positive and `range` has a multiple of it.
  mutating func price(in range: ClosedRange<Int64>, tick: Int64) -> Int64 {
    let lowest = (range.lowerBound + tick - 1) / tick
    let highest = range.upperBound / tick
    precondition(lowest <= highest, "no multiple of the tick in the range")
    return Int64.random(in: lowest...highest, using: &self) * tick
  }
}

import MarketModel

extension SeededRandom {
  /// A random price in `range` that is a multiple of `tick`, all in 1e-5 per kWh.
  /// - Precondition: `tick` is positive and `range` contains a multiple of it.
  mutating func price(in range: ClosedRange<Int64>, tick: Int64) -> Int64 {
    let lowest = (range.lowerBound + tick - 1) / tick
    let highest = range.upperBound / tick
    precondition(lowest <= highest, "no multiple of the tick in the range")
    return Int64.random(in: lowest...highest, using: &self) * tick
  }
}

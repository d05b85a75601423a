// The side of an order is unpredictable, and a mispredicted branch costs as much as fifty
// instructions. Therefore the values of both sides are computed and a mask selects one.

import MarketModel

extension Side {
  /// Selects one of two values by the side, without a branch.
  @inline(__always) func select(sell: Int64, buy: Int64) -> Int64 {
    let mask = 0 &- Int64(rawValue)  // All ones for sell, 0 for buy.
    return (sell & mask) | (buy & ~mask)
  }
}

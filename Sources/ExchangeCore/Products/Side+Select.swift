// Which side an order is of cannot be predicted, and a wrong guess costs as much as fifty instructions.
// So both sides' values are computed and one is masked out.

import MarketModel

extension Side {
  /// One of two values, without a branch.
  @inline(__always) func select(sell: Int64, buy: Int64) -> Int64 {
    let mask = 0 &- Int64(rawValue)  // All bits of a sell, none of a buy.
    return (sell & mask) | (buy & ~mask)
  }
}

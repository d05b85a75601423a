// What orders reserve of their owner's cash (section 6).

import MarketModel

extension Exchange {
  /// What each lot of an order at `price` reserves.
  /// - Returns: `nil` when it does not fit.
  @inline(__always) func reservePerLot(_ instrument: InstrumentRow, _ side: Side, _ price: Int64)
    -> Int64?
  {
    let pays = max(side.select(sell: -price, buy: price), 0)
    let lot = instrument.lot
    // price x lot fits, as was checked at the band's edges when listed; its magnitude is at most 2^63, which
    // fits without a sign, and so does that with the fee, which is less.
    let cost = UInt64(bitPattern: pays &* lot)
    guard let fee = instrument.highestFee.roundedUp(of: price &* lot) else { return nil }
    let sum = cost &+ UInt64(bitPattern: fee)
    // A seller who is paid reserves nothing: -pays >> 63 has all bits where he pays, else none.
    return sum > UInt64(Int64.max)
      ? nil : Int64(bitPattern: sum) & side.select(sell: -pays >> 63, buy: -1)
  }

  /// What an order reserves in all.
  /// - Returns: `nil` when it, or its notional with the highest fee, does not fit.
  @inline(__always) func reservation(
    _ instrument: InstrumentRow, _ price: Int64, _ quantity: Int64, _ perLot: Int64, lots: Int64
  ) -> Int64? {
    // Both below 2^30: the notional is below 2^60 and so is the fee, which is less than the notional.
    if (price.magnitude | quantity.magnitude) < 1 << 30 { return perLot * lots }
    let (notional, overflow) = price.multipliedReportingOverflow(by: quantity)
    let (reserve, wide) = perLot.multipliedReportingOverflow(by: lots)
    guard !overflow, !wide, notional != .min,
      let fee = instrument.highestFee.roundedUp(of: notional)
    else { return nil }
    return abs(notional).addingReportingOverflow(fee).overflow ? nil : reserve
  }
}

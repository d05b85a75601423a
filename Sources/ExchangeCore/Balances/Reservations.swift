// The cash that orders reserve from their owner's free cash (section 6).

import MarketModel

extension Exchange {
  /// The cash that each lot of an order at `price` reserves, 1e-8.
  /// - Returns: `nil` when it exceeds 64 bits.
  @inline(__always) func reservePerLot(_ instrument: InstrumentRow, _ side: Side, _ price: Int64)
    -> Int64?
  {
    reservePerLot(instrument.lot, instrument.highestFee, side, price)
  }

  /// The cash that a lot of `lot` Wh at `price` reserves with a fee rate, 1e-8.
  /// - Returns: `nil` when it exceeds 64 bits.
  @inline(__always) func reservePerLot(_ lot: Int64, _ rate: Rate, _ side: Side, _ price: Int64)
    -> Int64?
  {
    let signed = side.select(sell: -price, buy: price)
    // At least 0, without a branch: the sign depends on the side.
    let pays = signed & ~(signed &>> 63)
    // price x lot fits, as the listing checked at the edges of the band. Its magnitude is at most
    // 2^63 and the fee is smaller, so the sum fits 64 bits without a sign.
    let cost = UInt64(bitPattern: pays &* lot)
    guard let fee = rate.roundedUp(of: price &* lot) else { return nil }
    let sum = cost &+ UInt64(bitPattern: fee)
    // A seller reserves only at a negative price: -pays >> 63 is all ones when the seller pays,
    // else 0.
    return sum > UInt64(Int64.max)
      ? nil : Int64(bitPattern: sum) & side.select(sell: -pays >> 63, buy: -1)
  }

  /// The cash that an order reserves, 1e-8.
  /// - Returns: `nil` when the reservation or the notional with the highest fee exceeds 64 bits.
  @inline(__always) func reservation(
    _ instrument: InstrumentRow, _ price: Int64, _ quantity: Int64, _ perLot: Int64, lots: Int64
  ) -> Int64? {
    // Both are below 2^30, so the notional is below 2^60, and the fee is less than the notional.
    if (price.magnitude | quantity.magnitude) < 1 << 30 { return perLot * lots }
    let (notional, overflow) = price.multipliedReportingOverflow(by: quantity)
    let (reserve, wide) = perLot.multipliedReportingOverflow(by: lots)
    guard !overflow, !wide, notional != .min,
      let fee = instrument.highestFee.roundedUp(of: notional)
    else { return nil }
    return abs(notional).addingReportingOverflow(fee).overflow ? nil : reserve
  }
}

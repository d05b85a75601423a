// Validation of the display quantity of icebergs (section 5).

import MarketModel

extension Exchange {
  /// Refuses an invalid display quantity, or one that needs more than `Limit.icebergParts` slices.
  @inline(never) func validateDisplay(_ order: NewOrderRow, _ instrument: InstrumentRow) -> Refusal?
  {
    let (display, quantity) = (
      order.displayQuantity.wattHours, order.quantity.wattHours
    )
    let lot = instrument.lot
    if order.timeInForce.isImmediate { return Refusal(.displayQuantityInvalid) }
    if display < 0 || display > quantity || display % lot != 0 {
      return Refusal(.displayQuantityInvalid, quantity)
    }
    if quantity > display * Limit.icebergParts {
      let least = (quantity + Limit.icebergParts - 1) / Limit.icebergParts
      return Refusal(.displayQuantityTooSmall, (least + lot - 1) / lot * lot)
    }
    return nil
  }

  /// Refuses when an iceberg that grows to `quantity` Wh would need more than `Limit.icebergParts`
  /// slices.
  func validateParts(_ order: OpenOrder, _ quantity: Int64) -> Refusal? {
    if !order.marks.isIceberg { return nil }
    let most = orders.icebergs[order.slot].display * Limit.icebergParts
    return quantity > most ? Refusal(.quantityTooLarge, most) : nil
  }
}

// What an order may ask to be seen of it (section 5, icebergs).

import MarketModel

extension Exchange {
  /// Checks what an iceberg asks to be seen of it.
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

  /// Whether an iceberg may grow to `quantity`: the parts stay as they are.
  func validateParts(_ order: OpenOrder, _ quantity: Int64) -> Refusal? {
    if !order.marks.isIceberg { return nil }
    let most = orders.icebergs[order.slot].display * Limit.icebergParts
    return quantity > most ? Refusal(.quantityTooLarge, most) : nil
  }
}

// Icebergs (section 11): the market sees a part of the order at a time. Only that part trades before the
// order goes to the back of its price and shows the next one.
//
//     leaves    |############################..........|      what is open
//     covered   |############################|                what can execute
//     part      |####|                                        what is seen and stands in its place
//
// Cover, reservations and reports are of the whole order; the part decides its place and what is seen.

import MarketModel

extension Exchange {
  /// What of a live order trades before it gives up its place.
  @inline(__always) func inPlace(_ order: OpenOrder) -> Int64 {
    order.pointee.marks.isIceberg ? seen(order).live : order.pointee.covered
  }

  /// What the market sees of an open order.
  @inline(never) func seen(_ order: OpenOrder) -> (total: Int64, live: Int64) {
    let (leaves, covered) = (order.pointee.leaves, order.pointee.covered)
    if !order.pointee.marks.isIceberg { return (leaves, covered) }
    let part = orders.icebergs[order.slot].part
    invariant(part > 0 && covered <= leaves, "an open iceberg shows something")
    return (min(leaves, part), min(covered, part))
  }

  /// Shows a whole part of an iceberg that comes into a list.
  @inline(never) func fill(_ order: OpenOrder) {
    invariant(order.pointee.marks.isIceberg, "only an iceberg has parts")
    orders.icebergs[order.slot].part = orders.icebergs[order.slot].display
    invariant(orders.icebergs[order.slot].part > 0, "an iceberg shows something")
  }

  /// After `quantity` of a resting iceberg was taken: where it stands now, and what is seen of it.
  @inline(never) mutating func settleIceberg(_ order: OpenOrder, taken quantity: Int64) {
    invariant(quantity > 0 && order.pointee.leaves > 0, "some of it was taken, and some is left")
    if order.pointee.covered == 0 {
      moveToWaiting(order)
      return show(order)
    }
    orders.icebergs[order.slot].part -= quantity
    invariant(orders.icebergs[order.slot].part >= 0, "no more traded than was shown")
    let isRefilled = orders.icebergs[order.slot].part == 0
    if isRefilled {
      moveToBack(order)
      fill(order)
    }
    show(order, isRefilled: isRefilled)
  }

  /// Says what is seen of an order, if it is an iceberg: after whatever changed it, where it rests.
  @inline(__always) mutating func showIceberg(_ order: OpenOrder) {
    if order.pointee.marks.isIceberg { show(order) }
  }

  @inline(never) private mutating func show(_ order: OpenOrder, isRefilled: Bool = false) {
    let seen = seen(order)
    invariant(order.pointee.marks.isOpen && seen.total > 0, "what is open shows something")
    invariant(seen.live >= 0 && seen.live <= seen.total, "no more live than is seen")
    emit(
      .order(
        .displayed(
          OrderDisplayed(
            order: order.id, total: Energy(wattHours: seen.total),
            live: Energy(wattHours: seen.live), isRefilled: isRefilled))))
  }

  // MARK: Validation

  /// Checks what an iceberg asks to be seen of it.
  @inline(never) func validateDisplay(
    _ order: NewOrderRow, _ instrument: InstrumentRow
  ) -> Refusal? {
    let (display, quantity) = (
      order.pointee.displayQuantity.wattHours, order.pointee.quantity.wattHours
    )
    let lot = instrument.pointee.lot
    let rests =
      order.pointee.timeInForce == .goodTillCancel || order.pointee.timeInForce == .goodTillTime
    if !rests { return Refusal(.displayQuantityInvalid) }
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
    if !order.pointee.marks.isIceberg { return nil }
    let most = orders.icebergs[order.slot].display * Limit.icebergParts
    return quantity > most ? Refusal(.quantityTooLarge, most) : nil
  }
}

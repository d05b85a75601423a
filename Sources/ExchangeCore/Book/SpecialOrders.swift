// Orders that are not plain. On a plain order's way stands one question, `marks.isSpecial`; behind it, out of the way, is
// what each kind does where it rests, where it is met, and where it changed. Today there is one kind, the iceberg
// (section 5): the market sees a part of the order at a time. Only that part trades before the order goes to the back of
// its price and shows the next one.
//
//     leaves    |############################..........|      what is open
//     covered   |############################|                what can execute
//     part      |####|                                        what is seen and stands in its place
//
// Cover, reservations and reports are of the whole order; the part decides its place and what is seen.

import MarketModel

extension Exchange {
  /// What of a live order trades before it gives up its place.
  @inline(__always) func displayedLive(_ order: OpenOrder) -> Int64 {
    order.marks.isSpecial ? displayed(order).live : order.covered
  }

  /// What the market sees of an open order.
  @inline(never) func displayed(_ order: OpenOrder) -> (total: Int64, live: Int64) {
    let (leaves, covered) = (order.leaves, order.covered)
    if !order.marks.isIceberg { return (leaves, covered) }
    let displayedSlice = orders.icebergs[order.slot].displayedSlice
    invariant(displayedSlice > 0 && covered <= leaves, "an open iceberg shows something")
    return (min(leaves, displayedSlice), min(covered, displayedSlice))
  }

  /// After a special order came to rest: an iceberg shows a whole part.
  @inline(never) mutating func didRest(special order: OpenOrder) {
    if !order.marks.isIceberg { return }
    refillDisplay(order)
    show(order)
  }

  /// After a special order moved to the end of the waiting list: an iceberg shows a whole part when it is live again.
  @inline(never) func didMoveToWaiting(special order: OpenOrder) {
    if order.marks.isIceberg { refillDisplay(order) }
  }

  /// After `quantity` of a resting special order was taken and some is left.
  @inline(never) mutating func updateSpecial(_ order: OpenOrder, reducedBy quantity: Int64) {
    if order.marks.isIceberg {
      updateIceberg(order, reducedBy: quantity)
    } else if order.covered == 0 {
      moveToWaiting(order)
    }
  }

  /// Shows a whole part of an iceberg that comes into a list.
  private func refillDisplay(_ order: OpenOrder) {
    invariant(order.marks.isIceberg, "only an iceberg has parts")
    orders.icebergs[order.slot].displayedSlice = orders.icebergs[order.slot].display
    invariant(orders.icebergs[order.slot].displayedSlice > 0, "an iceberg shows something")
  }

  /// After `quantity` of a resting iceberg was taken: where it stands now, and what is seen of it.
  private mutating func updateIceberg(_ order: OpenOrder, reducedBy quantity: Int64) {
    invariant(quantity > 0 && order.leaves > 0, "some of it was taken, and some is left")
    if order.covered == 0 {
      moveToWaiting(order)
      return show(order)
    }
    orders.icebergs[order.slot].displayedSlice -= quantity
    invariant(orders.icebergs[order.slot].displayedSlice >= 0, "no more traded than was shown")
    let isRefilled = orders.icebergs[order.slot].displayedSlice == 0
    if isRefilled {
      moveToBack(order)
      refillDisplay(order)
    }
    show(order, isRefilled: isRefilled)
  }

  /// Says what is seen of an order that is not seen whole: after whatever changed it where it rests.
  @inline(__always) mutating func showSpecial(_ order: OpenOrder) {
    if order.marks.isSpecial { show(order) }
  }

  @inline(never) private mutating func show(_ order: OpenOrder, isRefilled: Bool = false) {
    if !order.marks.isIceberg { return }
    let displayed = displayed(order)
    invariant(order.marks.isOpen && displayed.total > 0, "what is open shows something")
    invariant(displayed.live >= 0 && displayed.live <= displayed.total, "no more live than is seen")
    emit(
      .order(
        .displayed(
          OrderDisplayed(
            order: order.id, total: Energy(wattHours: displayed.total),
            live: Energy(wattHours: displayed.live), isRefilled: isRefilled))))
  }

}

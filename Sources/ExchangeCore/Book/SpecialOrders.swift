// Special orders. A plain order passes one test, `marks.isSpecial`; the functions behind that test
// define how each special kind rests, trades and changes. The only kind is the iceberg (section 5),
// which is displayed in slices: when a slice has traded, the order goes to the back of its price
// level and displays the next one.
//
//     leaves    |############################..........|      open quantity
//     covered   |############################|                quantity that can execute
//     slice     |####|                                        displayed, with its queue priority
//
// Cover, reservations and execution reports concern the whole order; the slice determines queue
// priority and market data.

import MarketModel

extension Exchange {
  /// The quantity of a live order that trades before it loses its queue priority, Wh.
  @inline(__always) func displayedLive(_ order: OpenOrder) -> Int64 {
    order.marks.isSpecial ? displayed(order).live : order.covered
  }

  /// The displayed quantity of an open order, and the part of it that can execute, Wh.
  @inline(never) func displayed(_ order: OpenOrder) -> (total: Int64, live: Int64) {
    let (leaves, covered) = (order.leaves, order.covered)
    if !order.marks.isIceberg { return (leaves, covered) }
    let displayedSlice = orders.icebergs[order.slot].displayedSlice
    invariant(
      displayedSlice > 0 && covered <= leaves, "an open iceberg displays a positive quantity")
    return (min(leaves, displayedSlice), min(covered, displayedSlice))
  }

  /// Follows the resting of a special order: an iceberg displays a whole slice.
  @inline(never) mutating func didRest(special order: OpenOrder) {
    if !order.marks.isIceberg { return }
    refillDisplay(order)
    show(order)
  }

  /// Follows the move of a special order to the waiting list: an iceberg will display a whole
  /// slice.
  @inline(never) func didMoveToWaiting(special order: OpenOrder) {
    if order.marks.isIceberg { refillDisplay(order) }
  }

  /// Updates a resting special order from which `quantity` Wh traded or were decremented; some is
  /// left.
  @inline(never) mutating func updateSpecial(_ order: OpenOrder, reducedBy quantity: Int64) {
    if order.marks.isIceberg {
      updateIceberg(order, reducedBy: quantity)
    } else if order.covered == 0 {
      moveToWaiting(order)
    }
  }

  /// Follows a change of the instrument's lot: a resting iceberg displays a whole slice.
  @inline(never) mutating func didChangeLot(special order: OpenOrder) {
    if !order.marks.isIceberg { return }
    refillDisplay(order)
    show(order)
  }

  /// Makes an iceberg that enters a list display a whole slice.
  private func refillDisplay(_ order: OpenOrder) {
    invariant(order.marks.isIceberg, "only an iceberg has slices")
    orders.icebergs[order.slot].displayedSlice = orders.icebergs[order.slot].display
    invariant(
      orders.icebergs[order.slot].displayedSlice > 0, "an iceberg displays a positive quantity")
  }

  /// Updates the queue place and the displayed quantity of a resting iceberg that was reduced by
  /// `quantity` Wh.
  private mutating func updateIceberg(_ order: OpenOrder, reducedBy quantity: Int64) {
    invariant(quantity > 0 && order.leaves > 0, "an iceberg was reduced and has leaves")
    if order.covered == 0 {
      moveToWaiting(order)
      return show(order)
    }
    orders.icebergs[order.slot].displayedSlice -= quantity
    invariant(orders.icebergs[order.slot].displayedSlice >= 0, "at most the displayed slice trades")
    let isRefilled = orders.icebergs[order.slot].displayedSlice == 0
    if isRefilled {
      moveToBack(order)
      refillDisplay(order)
    }
    show(order, isRefilled: isRefilled)
  }

  /// Reports the displayed quantity of an order that is displayed in slices, after a change while
  /// it rests.
  @inline(__always) mutating func showSpecial(_ order: OpenOrder) {
    if order.marks.isSpecial { show(order) }
  }

  @inline(never) private mutating func show(_ order: OpenOrder, isRefilled: Bool = false) {
    if !order.marks.isIceberg { return }
    let displayed = displayed(order)
    invariant(
      order.marks.isOpen && displayed.total > 0, "an open order displays a positive quantity")
    invariant(
      displayed.live >= 0 && displayed.live <= displayed.total,
      "the live part is at most the displayed quantity")
    emit(
      .order(
        .displayed(
          OrderDisplayed(
            order: order.id, total: Energy(wattHours: displayed.total),
            live: Energy(wattHours: displayed.live), isRefilled: isRefilled))))
  }

}

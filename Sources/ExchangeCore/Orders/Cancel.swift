// Cancelling (section 5): one order, or all orders of an account that pass a filter.

import MarketModel

extension Exchange {
  @inline(always) mutating func cancel(_ order: CancelOrderRow, _ request: Request) {
    var refusal = permission(request, cancelFor: order.account)
    if refusal == nil, let found = find(order) {
      let owner = found.row.session
      cancelWithoutTouch(found, .user)
      touchUnlessFullyCovered(found)
      drain()
      if owner != request.session.rawValue { acknowledgeCancel(request) }
      return
    }
    refusal = refusal ?? Refusal(.unknownOrder)
    if let refusal {
      reject(
        refusal, request, account: order.account,
        clientOrderId: order.clientOrderId,
        order: order.order)
    }
  }

  /// Tells a sender that does not get the order's report that its cancel took effect; since version 5.
  @inline(never) private mutating func acknowledgeCancel(_ request: Request) {
    if rules >= 5 { acknowledge(request) }
  }

  /// The order that a cancel names by order id or by client order id.
  @inline(always) private mutating func find(_ order: CancelOrderRow) -> OpenOrder? {
    if order.order == .null { return find(order.account.rawValue, order.clientOrderId) }
    guard let found = find(order.order),
      found.account == order.account.rawValue
    else { return nil }
    return found
  }

  mutating func massCancel(_ filter: MassCancel, _ request: Request) {
    var refusal = permission(request, cancelFor: filter.account)
    if refusal == nil, filter.instrument != .null, !exists(filter.instrument) {
      refusal = Refusal(.unknownInstrument, capacity.instruments)
    }
    if let refusal { return reject(refusal, request, account: filter.account) }
    var count: UInt32 = 0
    let before = orders.count
    var position = accounts[filter.account.rawValue].firstPosition
    while position != 0 {
      for side in [Side.sell, .buy] where filter.sides.contains(side) {
        count += cancelAll(position, side, .mass) { $0.trades(filter.instrument) }
      }
      position = balances.positions[position].next
    }
    invariant(
      orders.count &+ count == before, "the count of open orders fell by the cancelled ones")
    emit(
      .order(
        .massCanceled(
          MassCanceled(
            session: request.session, clientSequence: request.clientSequence, request: filter,
            count: count))))
    drain()
  }

  /// Cancels the orders on one side of a position for which `isChosen` returns true, in price-time
  /// order.
  /// - Returns: The number of cancelled orders.
  @discardableResult mutating func cancelAll(
    _ position: UInt32, _ side: Side, _ reason: CancelReason, where isChosen: (OpenOrder) -> Bool
  ) -> UInt32 {
    let owned = owned(position, side)
    if owned.head == 0 { return 0 }
    sortOwned(owned, side)
    let before = owned.count
    var count: UInt32 = 0
    var slot = owned.head
    while slot != 0 {
      let next = orders.links[slot].ownerNext
      let order = open(slot)
      invariant(order.position == position, "an owner's list holds its own orders")
      if isChosen(order) {
        cancelInFull(order, reason)
        count += 1
      }
      slot = next
    }
    invariant(owned.count &+ count == before, "the owner's list lost the cancelled orders")
    return count
  }
}

extension OpenOrder {
  /// Whether the order is of an instrument; `.null` means any instrument.
  func trades(_ instrument: InstrumentId) -> Bool {
    instrument == .null || row.instrument == instrument.rawValue
  }
}

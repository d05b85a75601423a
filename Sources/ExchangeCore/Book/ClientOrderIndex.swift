// The index of open orders by account and client order id, for cancels that name the latter.
//
// An account is indexed from a cancel by client order id while it has more than
// `Shares.walkLength` open orders, until it has none. The other accounts pay one predictable branch
// for each order. The index is not part of the state: after a restart each account is indexed again
// when it needs it, and the answers are the same with and without it.

import MarketModel

extension Exchange {
  /// The open order of an account with a client order id. Constant time for an indexed account;
  /// otherwise a walk over at most `Shares.walkLength` orders, or over all of them once to index
  /// the account.
  /// - Returns: `nil` when the account has no such order.
  mutating func find(_ account: UInt32, _ id: ClientOrderId) -> OpenOrder? {
    if id == .engine { return nil }
    if !shares.accounts[account].isIndexed {
      let count = openOrders(of: account)
      if count <= shares.walkLength { return walk(account, to: id) }
      indexOrders(of: account, count)
    }
    let slot = shares.clientOrders.find(id.rawValue, of: account)
    if slot == 0 { return nil }
    invariant(
      orders[slot].marks.isOpen && orders[slot].clientOrderId == id.rawValue,
      "the index has open orders")
    return open(slot)
  }

  /// Gives an open order another client order id.
  @inline(__always) mutating func renumber(_ order: OpenOrder, _ id: ClientOrderId) {
    let isIndexed = shares.isActive && shares.accounts[order.account].isIndexed
    if isIndexed { shares.clientOrders.remove(order.clientOrderId, of: order.account) }
    order.clientOrderId = id.rawValue
    if isIndexed { index(order) }
  }

  /// Adds an order of an indexed account. Orders of standing instructions have no client order id.
  @inline(never) mutating func index(_ order: OpenOrder) {
    if order.clientOrderId == ClientOrderId.engine.rawValue { return }
    shares.clientOrders.insert(order.clientOrderId, of: order.account, order.slot)
  }

  /// Removes an order of an indexed account; after the last one, the account is no longer indexed.
  @inline(never) mutating func unindex(_ order: OpenOrder) {
    shares.clientOrders.remove(order.clientOrderId, of: order.account)
    if shares.accounts[order.account].orders == 0 {
      shares.endIndex(of: order.account)
      noteWhatIsKept()
    }
  }

  /// Adds all orders of an account. The seed is the hash over all events, which no client knows, so
  /// that none can choose ids that collide.
  private mutating func indexOrders(of account: UInt32, _ count: UInt32) {
    if shares.clientOrders.count == 0 { shares.clientOrders.seed(with: progress.history.value) }
    forEachOrder(of: account) { exchange, slot in exchange.index(exchange.open(slot)) }
    shares.beginIndex(of: account, orders: count)
    noteWhatIsKept()
  }

  /// The number of open orders of an account; takes time in proportion to its positions.
  func openOrders(of account: UInt32) -> UInt32 {
    var count: UInt32 = 0
    var position = accounts[account].firstPosition
    while position != 0 {
      // At most the capacity of the pool.
      count &+= owned(position, .sell).count &+ owned(position, .buy).count
      position = balances.positions[position].next
    }
    return count
  }

  private mutating func walk(_ account: UInt32, to id: ClientOrderId) -> OpenOrder? {
    var found: UInt32 = 0
    forEachOrder(of: account) { exchange, slot in
      if exchange.orders[slot].clientOrderId == id.rawValue { found = slot }
    }
    return found == 0 ? nil : open(found)
  }

  /// Calls `body` with the slot of each open order of an account.
  @inline(__always) private mutating func forEachOrder(
    of account: UInt32, _ body: (inout Exchange, UInt32) -> Void
  ) {
    var position = accounts[account].firstPosition
    while position != 0 {
      invariant(
        balances.positions[position].account == account,
        "the list of an account holds its own positions")
      for side in [Side.sell, .buy] {
        var slot = owned(position, side).head
        while slot != 0 {
          invariant(orders[slot].position == position, "an owner's list holds its own orders")
          body(&self, slot)
          slot = orders.links[slot].ownerNext
        }
      }
      position = balances.positions[position].next
    }
  }

  /// Checks that the index has an order exactly when its account is indexed.
  func checkIndex(_ slot: UInt32, _ violations: inout [String]) {
    let order = open(slot)
    let isIndexed =
      shares.accounts[order.account].isIndexed
      && order.clientOrderId != ClientOrderId.engine.rawValue
    let found = shares.clientOrders.find(order.clientOrderId, of: order.account)
    if found != (isIndexed ? slot : 0) {
      violations.append("order \(order.id): the index by client order id has \(found)")
    }
  }
}

// The order pool as a component of the state: its hash and its invariants.

import MarketModel

extension OrderPool: StateComponent {
  init(capacity: Capacity) {
    self.init(capacity: capacity.orders)
    invariant(
      MemoryLayout<Order>.stride == 64 && MemoryLayout<QueueLinks>.stride == 32,
      "an order takes one cache line, its links half of one")
  }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    exchange.orders.write(to: sink)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.orders.read(from: source)
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    var open: UInt32 = 0
    for slot in stride(from: 1, through: exchange.orders.used, by: 1) {
      let order = exchange.orders[slot]
      hash.fold(UInt64(order.generation) << 1 | (order.marks.isOpen ? 1 : 0))
      if !order.marks.isOpen { continue }
      open &+= 1
      exchange.fold(order: slot, &hash)
    }
    invariant(open == exchange.orders.count, "the count of open orders is right")
  }

  /// Checks that the reserved cash of each holding equals the reservations of its open orders.
  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {
    exchange.checkReservations(&violations)
  }
}

extension Exchange {
  fileprivate func fold(order slot: UInt32, _ hash: inout WordHash) {
    let order = orders[slot]
    let links = orders.links[slot]
    let account = balances.positions[order.position].account
    invariant(
      order.leaves > 0 && order.quantity >= order.leaves && order.covered >= 0
        && order.covered <= order.leaves, "the quantities of an open order are consistent")
    invariant(order.level != 0, "an open order rests between two commands")
    hash.fold(UInt64(account) << 32 | UInt64(order.instrument))
    hash.fold(UInt64(order.session) << 32 | UInt64(order.side.rawValue) << 16)
    hash.fold(
      UInt64(order.timeInForce.rawValue) << 16 | UInt64(order.selfTradePrevention.rawValue) << 8
        | order.marks.hashed)
    for word in [links.price, order.quantity, order.leaves, order.covered, order.reservePerLot] {
      hash.fold(word)
    }
    hash.fold(order.clientOrderId)
    hash.fold(links.arrival)
    if order.marks.isIceberg {
      hash.fold(orders.icebergs[slot].display)
      hash.fold(orders.icebergs[slot].displayedSlice)
    }
    if order.marks.keepsFees {
      hash.fold(UInt64(keptFees[slot].maker) << 32 | UInt64(keptFees[slot].taker))
    }
    hash.fold(
      order.timeInForce == .goodTillTime
        ? schedule.time(.expiry, slot) : Timestamp.never.nanoseconds)
  }

  fileprivate func checkReservations(_ violations: inout [String]) {
    var reserved = [Int64](repeating: 0, count: Int(balances.holdingCount) + 1)
    for slot in stride(from: 1, through: orders.used, by: 1) where orders[slot].marks.isOpen {
      let lots = orders[slot].leaves / products.instruments[orders[slot].instrument].lot
      reserved[Int(balances.positions[orders[slot].position].holding)] +=
        orders[slot].reservePerLot * lots
    }
    for number in stride(from: 1, through: balances.holdingCount, by: 1)
    where balances.holdings[number].reserved != reserved[Int(number)] {
      violations.append(
        "account \(balances.holdings[number].account): reserved "
          + "\(balances.holdings[number].reserved), its orders need \(reserved[Int(number)])")
    }
  }
}

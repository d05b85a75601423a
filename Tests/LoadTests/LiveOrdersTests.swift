import MarketModel
import Testing

@testable import Load

@Suite struct LiveOrdersTests {
  @Test("An order rests when the exchange has taken it, and its slot is free when it left.")
  func rests() throws {
    var orders = LiveOrders()
    let slot = orders.take(sells: true, isImmediate: false) ?? -1
    orders.name(slot, 5 << LiveOrders.slotBits | UInt64(slot))
    expectLive(orders, 0)
    orders.entered(slot, OrderId(77))
    expectLive(orders, 1)
    let order = orders[slot].order
    #expect(order == OrderId(77))
    orders.left(slot)
    expectLive(orders, 0)
    expectState(orders, slot, .free)
  }

  @Test("An order that trades during its cancel keeps its slot until the answer.")
  func goneWhileChanging() throws {
    var orders = LiveOrders()
    var random = SeededRandom(seed: 1)
    let slot = orders.take(sells: false, isImmediate: false) ?? -1
    orders.entered(slot, OrderId(1))
    let chosen = orders.choose(&random)
    #expect(chosen == slot)
    expectLive(orders, 0)
    orders.left(slot)
    expectState(orders, slot, .gone)
    orders.changed(slot)
    expectState(orders, slot, .free)
  }

  @Test("An immediate order is never chosen for a cancel.")
  func immediate() throws {
    var orders = LiveOrders()
    var random = SeededRandom(seed: 1)
    let slot = orders.take(sells: false, isImmediate: true) ?? -1
    orders.entered(slot, OrderId(1))
    let chosen = orders.choose(&random)
    #expect(chosen == nil)
    orders.left(slot)
    expectState(orders, slot, .free)
  }

  @Test("No sequence of orders loses a slot or assigns one twice.")
  func randomly() throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededRandom(seed: seed)
    var orders = LiveOrders()
    var taken: Set<Int> = []
    for _ in 0..<20_000 {
      if random.below(2) == 0, let slot = orders.take(sells: true, isImmediate: false) {
        #expect(taken.insert(slot).inserted, "seed \(seed)")
        orders.entered(slot, OrderId(UInt64(slot)))
      } else if let slot = orders.choose(&random) {
        if random.below(2) == 0 {
          orders.release(slot)
          taken.remove(slot)
        } else {
          orders.changed(slot)
        }
      }
      let live = orders.liveCount
      try #require(live == taken.count, "seed \(seed)")
    }
    while orders.take(sells: true, isImmediate: false) != nil { taken.insert(taken.count + 5_000) }
    #expect(taken.count == LiveOrders.capacity, "seed \(seed)")
  }
}

private func expectLive(_ orders: borrowing LiveOrders, _ count: Int) {
  let live = orders.liveCount
  #expect(live == count)
}

private func expectState(
  _ orders: borrowing LiveOrders, _ slot: Int, _ expected: LiveOrders.State
) {
  let state = orders[slot].state
  #expect(state == expected)
}

@Suite struct UnansweredTests {
  @Test("Answers arrive in order, except rejects by the gateway itself.")
  func outOfOrder() {
    var queue = Unanswered(capacity: 4, next: 10)
    queue.add(10, .enter, id: 1, due: 100)
    queue.add(11, .enter, id: 2, due: 200)
    queue.add(12, .cancel, id: 1, due: 300)
    let early = queue.answer(.enter, id: 2)
    let rejected = queue.answer(11)?.due
    let again = queue.answer(11)?.due
    let first = queue.answer(.enter, id: 1)
    let last = queue.answer(.cancel, id: 1)
    #expect([early, rejected, again, first, last] == [nil, 200, nil, 100, 300])
    let left = queue.count
    #expect(left == 0)
  }
}

// The open orders of one session, by slot. A client order id carries its slot, so that a report finds its
// order without a search:
//
//     client order id = count (54 bits, rising) | slot (10 bits)
//
//     slots    [ order, id, state, place ]      live  [ 3 | 17 | 5 | ... ]   slots of resting orders,
//                                    |________________^                      for a random choice

import MarketModel

/// What a session knows of its orders. Owned by the load's thread; allocates nothing after the start.
struct LiveOrders: ~Copyable {
  /// Bits of a client order id that name the slot.
  static let slotBits: UInt64 = 10
  /// Orders that may be open or on their way at a time.
  static let capacity = 1 << Int(slotBits)

  /// How an order is.
  enum State: UInt8 {
    case free
    /// Sent, not answered.
    case entering
    /// Rests.
    case resting
    /// A cancel or a replace of it is not answered.
    case changing
    /// It left the book while a cancel or a replace of it was on its way.
    case gone
  }

  struct Slot {
    var order = OrderId.null
    var id: UInt64 = 0
    /// The most that any message asked for in all, Wh: more than this it has never executed.
    var quantity: Int64 = 0
    var state = State.free
    var isImmediate = false
    var sells = false
    /// Its place in `live`; -1: it is not there.
    var place: Int32 = -1
  }

  private let slots: UnsafeMutablePointer<Slot>
  private let live: UnsafeMutablePointer<Int32>
  private let free: UnsafeMutablePointer<Int32>
  private(set) var liveCount = 0
  private var freeCount = capacity

  init() {
    slots = .allocate(capacity: Self.capacity)
    slots.initialize(repeating: Slot(), count: Self.capacity)
    live = .allocate(capacity: Self.capacity)
    live.initialize(repeating: 0, count: Self.capacity)
    free = .allocate(capacity: Self.capacity)
    for index in 0..<Self.capacity { (free + index).initialize(to: Int32(index)) }
  }

  deinit {
    slots.deallocate()
    live.deallocate()
    free.deallocate()
  }

  /// The slot that a client order id names.
  static func slot(of id: UInt64) -> Int { Int(id & (1 << slotBits - 1)) }

  subscript(slot: Int) -> Slot { slots[slot] }

  /// A slot for an order that is about to be sent; `nil`: all are taken.
  mutating func take(sells: Bool, isImmediate: Bool) -> Int? {
    guard freeCount > 0 else { return nil }
    freeCount -= 1
    let slot = Int(free[freeCount])
    slots[slot] = Slot(state: .entering, isImmediate: isImmediate, sells: sells)
    return slot
  }

  /// The order in `slot` was given this client order id.
  mutating func name(_ slot: Int, _ id: UInt64) { slots[slot].id = id }

  /// The order in `slot` is asked to be of this quantity, in Wh.
  mutating func size(_ slot: Int, _ quantity: Int64) { slots[slot].quantity = quantity }

  /// The exchange has taken the order.
  mutating func entered(_ slot: Int, _ order: OrderId) {
    slots[slot].order = order
    if slots[slot].isImmediate { return }
    rest(slot)
  }

  /// A random resting order, which is now being changed; `nil`: none rests.
  mutating func choose(_ random: inout SeededRandom) -> Int? {
    guard liveCount > 0 else { return nil }
    let slot = Int(live[random.below(liveCount)])
    unlist(slot)
    slots[slot].state = .changing
    return slot
  }

  /// The change of the order in `slot` is over and it rests on, unless it left the book meanwhile.
  mutating func changed(_ slot: Int) {
    if slots[slot].state == .changing { rest(slot) } else { release(slot) }
  }

  /// The order left the book.
  mutating func left(_ slot: Int) {
    switch slots[slot].state {
    case .free, .gone: break
    case .changing: slots[slot].state = .gone
    case .entering, .resting: release(slot)
    }
  }

  /// Nothing is to come of the order in `slot`.
  mutating func release(_ slot: Int) {
    guard slots[slot].state != .free else { return }
    unlist(slot)
    slots[slot].state = .free
    free[freeCount] = Int32(slot)
    freeCount += 1
  }

  private mutating func rest(_ slot: Int) {
    slots[slot].state = .resting
    slots[slot].place = Int32(liveCount)
    live[liveCount] = Int32(slot)
    liveCount += 1
  }

  private mutating func unlist(_ slot: Int) {
    let place = slots[slot].place
    guard place >= 0 else { return }
    liveCount -= 1
    let last = live[liveCount]
    live[Int(place)] = last
    slots[Int(last)].place = place
    slots[slot].place = -1
  }
}

// The open orders of one session, by slot. A client order id contains its slot, so that a report
// finds its order without a search:
//
//     client order id = count (54 bits, increasing) | slot (10 bits)
//
//     slots    [ order, id, state, place ]      live  [ 3 | 17 | 5 | ... ]   slots of
//                                    |________________^                      resting orders

import MarketModel

/// The open orders of a session. Owned by the load's thread; allocates only in the initialiser.
struct LiveOrders: ~Copyable {
  /// Number of low bits of a client order id that contain the slot.
  static let slotBits: UInt64 = 10
  /// Most orders that are open or unanswered at a time.
  static let capacity = 1 << Int(slotBits)

  /// State of an order.
  enum State: UInt8 {
    case free
    /// The new order is sent and not answered.
    case entering
    /// The order rests in the book.
    case resting
    /// A cancel or a replace of the order is sent and not answered.
    case changing
    /// The order left the book before its cancel or replace was answered.
    case gone
  }

  struct Slot {
    var order = OrderId.null
    var id: UInt64 = 0
    /// Highest quantity (Wh) of all messages on the order: an upper bound of what it has executed.
    var quantity: Int64 = 0
    var state = State.free
    var isImmediate = false
    var sells = false
    /// Index in `live`; -1 when the order does not rest.
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

  /// The slot in a client order id.
  static func slot(of id: UInt64) -> Int { Int(id & (1 << slotBits - 1)) }

  subscript(slot: Int) -> Slot { slots[slot] }

  /// Takes a slot for a new order.
  /// - Returns: `nil` when all slots are taken.
  mutating func take(sells: Bool, isImmediate: Bool) -> Int? {
    guard freeCount > 0 else { return nil }
    freeCount -= 1
    let slot = Int(free[freeCount])
    slots[slot] = Slot(state: .entering, isImmediate: isImmediate, sells: sells)
    return slot
  }

  /// Sets the client order id of the order in `slot`.
  mutating func name(_ slot: Int, _ id: UInt64) { slots[slot].id = id }

  /// Sets the quantity (Wh) that the last message on the order in `slot` asked for.
  mutating func size(_ slot: Int, _ quantity: Int64) { slots[slot].quantity = quantity }

  /// Notes that the exchange accepted the order in `slot`.
  mutating func entered(_ slot: Int, _ order: OrderId) {
    slots[slot].order = order
    if slots[slot].isImmediate { return }
    rest(slot)
  }

  /// Chooses a random resting order and marks it as `changing`.
  /// - Returns: Its slot; `nil` when no order rests.
  mutating func choose(_ random: inout SeededRandom) -> Int? {
    guard liveCount > 0 else { return nil }
    let slot = Int(live[random.below(liveCount)])
    unlist(slot)
    slots[slot].state = .changing
    return slot
  }

  /// Notes that the cancel or replace of the order in `slot` is answered and the order still
  /// exists. If it has left the book since, its slot becomes free.
  mutating func changed(_ slot: Int) {
    if slots[slot].state == .changing { rest(slot) } else { release(slot) }
  }

  /// Notes that the order in `slot` left the book.
  mutating func left(_ slot: Int) {
    switch slots[slot].state {
    case .free, .gone: break
    case .changing: slots[slot].state = .gone
    case .entering, .resting: release(slot)
    }
  }

  /// Frees `slot`, for whose order no further report is expected.
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

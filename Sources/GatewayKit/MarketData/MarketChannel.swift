// The latest messages of an area's channel in a circular buffer; the oldest is overwritten first:
//
//     place    0      1      2   ...  16,383
//              kept | kept | kept ... kept        message n in place (n - 1 - base) modulo 16,384
//
// Plain memory that grows to that size, so that storing a message counts no references and copies
// no array.

import CPrefetch
import MarketModel

/// The numbered messages of one area, and the number of its orders. Owned by its feed, which calls `end`.
struct MarketChannel: BitwiseCopyable {
  /// Maximum number of stored messages; a power of two.
  static let most = 1 << 14
  /// Initial capacity.
  private static let least = 1 << 6

  /// Number of the last message.
  private(set) var last: UInt64 = 0
  /// Number of the last message before the first one stored; after a start from a snapshot, which
  /// contains no messages, it is not 0.
  private var base: UInt64 = 0
  /// Number of resting orders as published.
  var orders = 0
  private var memory: UnsafeMutablePointer<KeptMessage>?
  private var capacity = 0

  /// Creates a channel whose next message is `last` + 1; none is stored yet.
  init(last: UInt64 = 0) { (self.last, base) = (last, last) }

  /// Frees the memory.
  func end() { memory?.deallocate() }

  /// Lowest number stored; `last` + 1 if none is.
  var first: UInt64 { last - min(last - base, UInt64(MarketChannel.most)) + 1 }

  /// Stores the next message.
  @inline(__always) mutating func keep(_ message: KeptMessage) {
    if last - base == UInt64(capacity), capacity < MarketChannel.most { grow() }
    guard let memory else { preconditionFailure("it has grown") }
    last &+= 1
    memory[place(of: last)] = message
    orders &+= message.update.orderBalance
    // Prefetches the place of the message after the next.
    prefetch(memory + place(of: last &+ 2))
  }

  /// The stored message with a number from `first` to `last`.
  subscript(number: UInt64) -> KeptMessage {
    precondition(number >= first && number <= last, "the caller looks at `first`")
    guard let memory else { preconditionFailure("what is kept has memory") }
    return memory[place(of: number)]
  }

  @inline(__always) private func place(of number: UInt64) -> Int {
    Int((number &- 1 &- base) & UInt64(MarketChannel.most - 1))
  }

  private mutating func grow() {
    let larger = max(MarketChannel.least, capacity * 2)
    let fresh = UnsafeMutablePointer<KeptMessage>.allocate(capacity: larger)
    if let memory { fresh.moveInitialize(from: memory, count: capacity) }
    memory?.deallocate()
    (memory, capacity) = (fresh, larger)
  }
}

/// A message; for a Modify, with the quantities before it.
struct KeptMessage: BitwiseCopyable {
  var update: FeedUpdate
  var time: Timestamp
  var total = Energy.zero
  var live = Energy.zero

  /// Its change of a level; `nil` if it changes none.
  var change: LevelChange? {
    switch update {
    case .add(let order): LevelChange(order, .zero, .zero, orders: 1)
    case .modify(let order): LevelChange(order, total, live, orders: 0)
    case .delete(let order): LevelChange(order, .zero, .zero, orders: 1).reversed
    case .trade, .state: nil
    }
  }
}

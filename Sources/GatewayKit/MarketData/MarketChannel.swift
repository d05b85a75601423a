// An area's numbers and its last messages, the oldest overwritten first:
//
//     place    0      1      2   ...  16,383
//              kept | kept | kept ... kept        message n in place (n - 1 - base) modulo 16,384
//
// Plain memory, which grows to that: keeping a message counts no references and copies no array.

import CPrefetch
import MarketModel

/// The numbered messages of one area. Its feed owns it and ends it.
struct MarketChannel: BitwiseCopyable {
  /// Messages that are kept for those who missed them; a power of two.
  static let most = 1 << 14
  /// Room at first.
  private static let least = 1 << 6

  /// Number of the last message.
  private(set) var last: UInt64 = 0
  /// Number of the last message before the first that was ever kept: a snapshot brings numbers, not
  /// messages.
  private var base: UInt64 = 0
  private var memory: UnsafeMutablePointer<KeptMessage>?
  private var capacity = 0

  /// The channel behind message `last`; none before it is kept.
  init(last: UInt64 = 0) { (self.last, base) = (last, last) }

  /// Gives the memory back.
  func end() { memory?.deallocate() }

  /// Lowest number that is kept; one above the last when none is.
  var first: UInt64 { last - min(last - base, UInt64(MarketChannel.most)) + 1 }

  /// Keeps the next message.
  @inline(__always) mutating func keep(_ message: KeptMessage) {
    if last - base == UInt64(capacity), capacity < MarketChannel.most { grow() }
    guard let memory else { preconditionFailure("it has grown") }
    last &+= 1
    memory[place(of: last)] = message
    // The line after the next: by then it is here.
    prefetch(memory + place(of: last &+ 2))
  }

  /// A message that is kept.
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

/// A message, and of a Modify what stood there before it.
struct KeptMessage: BitwiseCopyable {
  var update: FeedUpdate
  var time: Timestamp
  var total = Energy.zero
  var live = Energy.zero

  /// What it did to a level; `nil`: nothing.
  var change: LevelChange? {
    switch update {
    case .add(let order): LevelChange(order, .zero, .zero, orders: 1)
    case .modify(let order): LevelChange(order, total, live, orders: 0)
    case .delete(let order): LevelChange(order, .zero, .zero, orders: 1).reversed
    case .trade, .state: nil
    }
  }
}

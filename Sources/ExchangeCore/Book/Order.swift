// An open order: one cache line. What walks along a list needs of it (its neighbours and its priority)
// stands apart, 32 bytes an order, so that a cancel touches its neighbours' places, not its neighbours,
// and putting an account's orders in order never touches the orders.

import MarketModel

/// An order in the pool. Slot 0 is never used: a link of 0 is "none".
struct Order: BitwiseCopyable {
  /// Open quantity, Wh.
  var leaves: Int64
  /// Part of `leaves` that can execute, Wh.
  fileprivate(set) var covered: Int64
  /// Total quantity = executed + leaves, Wh.
  var quantity: Int64
  var clientOrderId: UInt64
  /// What each lot reserves, 1e-8 (market rules 6).
  var reservePerLot: Int64
  /// Its owner, in the area of its instrument.
  var position: UInt32
  var instrument: UInt32
  /// The session that entered it.
  var session: UInt32
  /// How often the slot was used.
  var generation: UInt32
  /// Its level; 0 while it is entering.
  var level: UInt32
  var side: Side
  var timeInForce: TimeInForce
  var selfTradePrevention: SelfTradePrevention
  var marks: OrderMarks
}

/// What is true or false of an order.
struct OrderMarks: BitwiseCopyable {
  private var bits: UInt8

  /// The marks of an open order.
  @inline(__always) init(
    type: OrderType, postOnly: Bool, isIceberg: Bool = false, outlivesSession: Bool = false
  ) {
    bits =
      1 | (postOnly ? 2 : 0) | (type == .market ? 4 : 0) | (isIceberg ? 8 : 0)
      | (outlivesSession ? 16 : 0)
  }

  /// The marks of a slot without an order.
  private init() { bits = 0 }
  static var gone: OrderMarks { OrderMarks() }

  /// What the hash of the state folds of them. (Its type and what is seen of it show elsewhere.)
  var hashed: UInt64 { (isPostOnly ? 1 : 0) | (outlivesSession ? 2 : 0) }

  @inline(__always) var isOpen: Bool { bits & 1 != 0 }
  var isPostOnly: Bool { bits & 2 != 0 }
  /// Whether cancel on disconnect passes over it.
  var outlivesSession: Bool { bits & 16 != 0 }
  var type: OrderType { bits & 4 != 0 ? .market : .limit }
  /// Whether it is anything but plain: the only question on a plain order's way. What it is, is asked behind it.
  @inline(__always) var isSpecial: Bool { bits & OrderMarks.special != 0 }
  /// Marks of orders that are not plain.
  private static var special: UInt8 { 8 }
  /// Whether the market sees it in parts: `OrderPool.icebergs` has how much.
  @inline(__always) var isIceberg: Bool { bits & 8 != 0 }
}

/// An order in its row.
typealias OrderRow = Row<Order>

extension Row<Order> {
  /// Sets what can execute; its owner's and its level's sums follow (`PositionSideRow.cover`, `LevelRow.cover`).
  @inline(__always) func cover(_ covered: Int64) { address.pointee.covered = covered }

  /// Takes executed quantity off.
  @inline(__always) func execute(_ quantity: Int64) {
    address.pointee.leaves -= quantity
    address.pointee.covered -= quantity
  }
}

/// Where an order stands, in its book and among its owner's.
struct QueueLinks: BitwiseCopyable {
  /// Limit, 1e-5 per kWh.
  var price: Int64
  /// Time priority within its owner's orders: entry, or the replace that lost the place.
  var arrival: UInt64
  /// In its level's live queue or waiting list.
  var next: UInt32
  var previous: UInt32
  /// In its owner's list.
  var ownerNext: UInt32
  var ownerPrevious: UInt32
}

/// Where an order stands, in its row.
typealias QueueLinksRow = Row<QueueLinks>

/// What the market sees of an iceberg. Apart from its order: others neither have nor touch it.
struct Iceberg: BitwiseCopyable {
  /// Most that is seen of it at a time, Wh.
  var display: Int64
  /// What is left of the part that is seen, Wh; more than its leaves when those are less.
  var displayedSlice: Int64
}

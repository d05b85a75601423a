// An open order takes one cache line. Its list links and its priority are stored apart in 32 bytes
// (`QueueLinks`), so that a cancel writes only the links of neighbouring orders, and sorting an
// account's orders reads only links.

import MarketModel

/// An order in the pool. Slot 0 is never used: a link of 0 means "none".
struct Order: BitwiseCopyable {
  /// Open quantity, Wh.
  var leaves: Int64
  /// The part of `leaves` that can execute, Wh.
  fileprivate(set) var covered: Int64
  /// Total quantity, Wh: executed + leaves.
  var quantity: Int64
  var clientOrderId: UInt64
  /// Cash that each lot reserves, 1e-8 (market rules 6).
  var reservePerLot: Int64
  /// The owner's position in the instrument's asset.
  var position: UInt32
  var instrument: UInt32
  /// The session that entered it.
  var session: UInt32
  /// Number of uses of the slot, including this one.
  var generation: UInt32
  /// The price level at which it rests; 0 while it is entering.
  var level: UInt32
  var side: Side
  var timeInForce: TimeInForce
  var selfTradePrevention: SelfTradePrevention
  var marks: OrderMarks
}

/// Boolean attributes of an order, in one byte.
struct OrderMarks: BitwiseCopyable {
  private var bits: UInt8

  /// The marks of an open order.
  @inline(__always) init(
    type: OrderType, postOnly: Bool, isIceberg: Bool = false, outlivesSession: Bool = false,
    selfTrade: SelfTradeScope = .account
  ) {
    bits =
      1 | (postOnly ? 2 : 0) | (type == .market ? 4 : 0) | (isIceberg ? 8 : 0)
      | (outlivesSession ? 16 : 0) | selfTrade.rawValue << 6
  }

  /// The marks of a slot without an order.
  private init() { bits = 0 }
  static var gone: OrderMarks { OrderMarks() }

  /// The attributes that the state hash folds. (Order type and displayed quantity are hashed
  /// elsewhere.)
  var hashed: UInt64 {
    (isPostOnly ? 1 : 0) | (outlivesSession ? 2 : 0) | (spansParticipant ? 4 : 0)
  }

  @inline(__always) var isOpen: Bool { bits & 1 != 0 }
  var isPostOnly: Bool { bits & 2 != 0 }
  /// Whether cancel on disconnect leaves the order open.
  var outlivesSession: Bool { bits & 16 != 0 }
  var type: OrderType { bits & 4 != 0 ? .market : .limit }
  /// Whether its prevention of self-trades applies to orders of all accounts of the participant.
  @inline(__always) var spansParticipant: Bool { bits & 64 != 0 }
  /// Whether the order trades at the fee rates of the time at which it reserved its cash, which are
  /// no longer the instrument's (KeptFees.swift).
  var keepsFees: Bool {
    get { bits & 32 != 0 }
    set { bits = newValue ? bits | 32 : bits & ~32 }
  }
  /// Whether one of two orders keeps fee rates or prevents self-trades of its participant.
  @inline(__always) static func needSteps(_ a: OrderMarks, _ b: OrderMarks) -> Bool {
    (a.bits | b.bits) & (32 | 64) != 0
  }
  /// Whether any special attribute applies. A plain order passes this single test; only behind it
  /// do the rules test for each kind of special order.
  @inline(__always) var isSpecial: Bool { bits & OrderMarks.special != 0 }
  /// The bits of special attributes.
  private static var special: UInt8 { 8 }
  /// Whether the order is displayed in slices; `OrderPool.icebergs` has their size.
  @inline(__always) var isIceberg: Bool { bits & 8 != 0 }
}

/// An order in its table.
typealias OrderRow = Row<Order>

extension Row<Order> {
  /// Sets the covered quantity, Wh. The caller also updates the sums of the owner's side and the
  /// level.
  @inline(__always) func cover(_ covered: Int64) { address.pointee.covered = covered }

  /// Subtracts an executed quantity, Wh.
  @inline(__always) func execute(_ quantity: Int64) {
    address.pointee.leaves -= quantity
    address.pointee.covered -= quantity
  }
}

/// The priority of an order and its links: in a list of its level, and in the list of its owner.
struct QueueLinks: BitwiseCopyable {
  /// Limit price, 1e-5 per kWh.
  var price: Int64
  /// Time priority among the owner's orders: number of the entry, or of the last replace that lost
  /// priority.
  var arrival: UInt64
  /// Neighbours in the live queue or the waiting list of the level.
  var next: UInt32
  var previous: UInt32
  /// Neighbours in the owner's list.
  var ownerNext: UInt32
  var ownerPrevious: UInt32
}

/// An order's links in their table.
typealias QueueLinksRow = Row<QueueLinks>

/// The displayed quantity of an iceberg. It is stored apart from the order, because only icebergs
/// use it.
struct Iceberg: BitwiseCopyable {
  /// Size of a displayed slice, Wh.
  var display: Int64
  /// Rest of the slice now displayed, Wh. It may exceed the order's leaves; then the leaves are
  /// displayed.
  var displayedSlice: Int64
}

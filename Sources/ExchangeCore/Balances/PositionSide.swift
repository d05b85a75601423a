// The open orders of one position on one side: their sums, and the ends of their list.

import MarketModel

/// The open orders of one position on one side.
struct PositionSide: BitwiseCopyable {
  var head: UInt32
  var tail: UInt32
  var count: UInt32
  /// Whether the list is in price-time order. Only a position that is short needs it to be.
  var isSorted: Bool
  /// Sum of leaves of orders whose instrument is open, Wh.
  fileprivate(set) var eligible: Int64
  /// Sum of leaves of orders whose instrument is halted, Wh.
  fileprivate(set) var halted: Int64
  /// Sum of covered, Wh.
  fileprivate(set) var covered: Int64
  /// Lower bound of `available` at which no order has more than its share, Wh, so that losing cover can be skipped;
  /// `Int64.max`: unknown. A trade lowers it by the traded quantity.
  fileprivate(set) var excessBelow: Int64
  /// Fills the line.
  private var unused: (UInt64, UInt64)

  /// Whether some of what is open cannot execute.
  @inline(__always) var isShort: Bool { covered != eligible }
}

/// One side of a position in its place.
typealias PositionSideRow = Row<PositionSide>

extension PositionSide {
  /// A side without orders.
  static var none: PositionSide {
    PositionSide(
      head: 0, tail: 0, count: 0, isSorted: false, eligible: 0, halted: 0, covered: 0,
      excessBelow: 0,
      unused: (0, 0))
  }
}

// MARK: Nothing else changes the sums.

extension Row<PositionSide> {
  /// Adds an order's leaves and cover.
  @inline(__always) func add(leaves: Int64, covered: Int64) {
    address.pointee.eligible += leaves
    address.pointee.covered += covered
    address.pointee.excessBelow = Int64.max
  }

  /// Removes an order's leaves and cover.
  @inline(__always) func remove(leaves: Int64, covered: Int64, isHalted: Bool) {
    if isHalted {
      address.pointee.halted -= leaves
    } else {
      address.pointee.eligible -= leaves
    }
    address.pointee.covered -= covered
    invariant(
      address.pointee.eligible | address.pointee.covered >= 0,
      "what is left of the sums is not negative")
  }

  /// Takes executed quantity off.
  @inline(__always) func execute(_ quantity: Int64) {
    address.pointee.eligible -= quantity
    address.pointee.covered -= quantity
    invariant(address.pointee.covered >= 0, "only what is covered executes")
  }

  /// What is available falls with an execution: by as much.
  @inline(__always) func trade(_ quantity: Int64) {
    address.pointee.excessBelow &-= quantity
  }

  /// Adds to the cover of one of its orders, or takes from it.
  @inline(__always) func cover(by change: Int64) {
    address.pointee.covered += change
    invariant(
      address.pointee.covered >= 0 && address.pointee.covered <= address.pointee.eligible,
      "no more covered than eligible")
  }

  /// Lowers an order by `leaves`, of which `covered` had cover.
  func lower(leaves: Int64, covered: Int64) {
    address.pointee.eligible -= leaves
    address.pointee.covered -= covered
    invariant(
      address.pointee.eligible | address.pointee.covered >= 0,
      "what is left of the sums is not negative")
  }

  /// An order's instrument was halted.
  func halt(leaves: Int64, covered: Int64) {
    address.pointee.covered -= covered
    address.pointee.eligible -= leaves
    address.pointee.halted += leaves
    invariant(address.pointee.covered >= 0, "no more cover lost than there was")
    invariant(address.pointee.eligible >= 0, "no more halted than was open")
  }

  /// A halted order's instrument is open again.
  func reopen(leaves: Int64) {
    address.pointee.eligible += leaves
    address.pointee.halted -= leaves
    address.pointee.excessBelow = Int64.max
    invariant(address.pointee.halted >= 0, "no more reopened than was halted")
  }

  /// With `available` no order has more than its share.
  @inline(__always) func noteNoExcess(from available: Int64) {
    address.pointee.excessBelow = available
  }
}

extension Exchange {
  /// The open orders of a position on one side.
  @inline(__always) func owned(_ position: UInt32, _ side: Side) -> PositionSideRow {
    balances.owned.row(position << 1 | UInt32(side.rawValue))
  }
}

// The open orders of one position on one side: their sums and the two ends of their list.

import MarketModel

/// The open orders of one position on one side.
struct PositionSide: BitwiseCopyable {
  var head: UInt32
  var tail: UInt32
  var count: UInt32
  /// Whether the list is in price-time order. Only a side that lacks cover needs the order.
  var isSorted: Bool
  /// Sum of the leaves of orders whose instrument is open, Wh.
  fileprivate(set) var eligible: Int64
  /// Sum of the leaves of orders whose instrument is halted, Wh.
  fileprivate(set) var halted: Int64
  /// Sum of the covered quantities, Wh.
  fileprivate(set) var covered: Int64
  /// While at least this much is available (Wh), no order has more cover than its share, so
  /// removing excess cover can be skipped. `Int64.max`: unknown. A trade lowers it by the traded
  /// quantity.
  fileprivate(set) var excessBelow: Int64
  /// Padding to a cache line.
  private var unused: (UInt64, UInt64)

  /// Whether some eligible quantity has no cover.
  @inline(__always) var isShort: Bool { covered != eligible }
}

/// One side of a position in its table.
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

// MARK: The only functions that change the sums

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
      "the sums are at least 0")
  }

  /// Subtracts an executed quantity.
  @inline(__always) func execute(_ quantity: Int64) {
    address.pointee.eligible -= quantity
    address.pointee.covered -= quantity
    invariant(address.pointee.covered >= 0, "only covered quantity executes")
  }

  /// Lowers `excessBelow` with the available quantity, which a trade reduces by `quantity`.
  @inline(__always) func trade(_ quantity: Int64) {
    address.pointee.excessBelow &-= quantity
  }

  /// Changes the covered sum with the cover of one of its orders.
  @inline(__always) func cover(by change: Int64) {
    address.pointee.covered += change
    invariant(
      address.pointee.covered >= 0 && address.pointee.covered <= address.pointee.eligible,
      "covered is at most eligible")
  }

  /// Subtracts `leaves` of an order that was reduced, and the part of it that had cover.
  func lower(leaves: Int64, covered: Int64) {
    address.pointee.eligible -= leaves
    address.pointee.covered -= covered
    invariant(
      address.pointee.eligible | address.pointee.covered >= 0,
      "the sums are at least 0")
  }

  /// Moves an order to the halted sum; it loses its cover.
  func halt(leaves: Int64, covered: Int64) {
    address.pointee.covered -= covered
    address.pointee.eligible -= leaves
    address.pointee.halted += leaves
    invariant(address.pointee.covered >= 0, "covered is at least 0")
    invariant(address.pointee.eligible >= 0, "eligible is at least 0")
  }

  /// Moves an order whose instrument is open again back to the eligible sum.
  func reopen(leaves: Int64) {
    address.pointee.eligible += leaves
    address.pointee.halted -= leaves
    address.pointee.excessBelow = Int64.max
    invariant(address.pointee.halted >= 0, "halted is at least 0")
  }

  /// Records that orders may have more cover than their shares, after their lot changed.
  func forgetExcess() { address.pointee.excessBelow = Int64.max }

  /// Records that no order has more cover than its share of `available` Wh.
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

// Who holds what. An account links its cash holdings (one per currency) and its positions (one per
// area); a position's balances, open quantities and list ends stand together.

import MarketModel

/// A participant's account.
struct Account: BitwiseCopyable {
  /// Owner, plus one; 0: the account does not exist. (All-zero bytes are an empty row.)
  var participantPlusOne: UInt32
  var firstPosition: UInt32
  var lastPosition: UInt32
  var firstHolding: UInt32
  /// Highest client order id accepted so far.
  var lastClientOrderId: UInt64
  /// Highest operator reference accepted so far.
  var lastReference: UInt64

  var exists: Bool { participantPlusOne != 0 }
  var participant: UInt32 { participantPlusOne &- 1 }
}

/// Cash of one account in one currency.
struct Holding: BitwiseCopyable {
  /// Not reserved, 1e-8. Below zero by import only.
  var free: Int64
  /// Reserved by open orders, 1e-8.
  var reserved: Int64
  var account: UInt32
  var next: UInt32
  var currency: UInt16
  /// Whether a debt of it is counted (Rules/Circulation.swift).
  var owes: Bool
}

/// A holding in its place.
typealias HoldingRow = UnsafeMutablePointer<Holding>

/// The open orders of one position on one side.
struct OwnedSide: BitwiseCopyable {
  var head: UInt32
  var tail: UInt32
  var count: UInt32
  /// Whether the list is in price-time order. Only a position that is short needs it to be.
  var isSorted: Bool
  /// Sum of leaves of orders whose instrument is open, Wh.
  var eligible: Int64
  /// Sum of leaves of orders whose instrument is halted, Wh.
  var halted: Int64
  /// Sum of covered, Wh.
  var covered: Int64
  /// With as much available as this, or more, no order has more than its share, Wh; the highest number
  /// when that is not known. A trade of one of them takes as much from this as from what is available.
  var fairFrom: Int64
  /// Fills the line.
  private var unused: (UInt64, UInt64)

  /// Whether some of what is open cannot execute.
  @inline(__always) var isShort: Bool { covered != eligible }
}

/// One side of a position in its place.
typealias OwnedRow = UnsafeMutablePointer<OwnedSide>

/// An account in an area.
struct Position: BitwiseCopyable {
  /// Stored energy, Wh.
  var energy: Int64
  /// Bmax, Wh.
  var cap: Int64
  var account: UInt32
  var holding: UInt32
  /// Next position of the same account, in order of creation.
  var next: UInt32
  /// Next position in the touched queue.
  var nextTouched: UInt32
  var area: UInt16
  var hasOwnCap: Bool
  var isTouched: Bool
  var mustConsult: Bool
  var mustReport: Bool
  /// Whether it has a standing instruction.
  var hasAgent: Bool
  /// Fills the line.
  private var unused: (UInt64, UInt64, UInt64)

  var headroom: Int64 { max(0, cap - energy) }

  /// What can back orders of `side`: energy for asks, headroom for bids.
  @inline(__always) func available(_ side: Side) -> Int64 {
    side.pick(sell: energy, buy: headroom)
  }
}

/// A position in its place.
typealias PositionRow = UnsafeMutablePointer<Position>

/// A standing instruction (market rules 8). Without one, `instrument` is 0.
struct Agent: BitwiseCopyable {
  var instrument: UInt32
  var session: UInt32
  var sells: Bool
  var buys: Bool
  var sellPrice: Int64
  var sellAbove: Int64
  var buyPrice: Int64
  var buyBelow: Int64
  /// Negative: half the cap.
  var target: Int64
}

/// An area, its tariff, its house cash, and the sums that prove conservation.
struct Area: BitwiseCopyable {
  var exists: Bool
  var currency: UInt16
  var lossFactor: UInt32
  var code: Label
  var defaultCap: Int64
  var feedInPrice: Int64
  var retailPrice: Int64
  /// Cash of the house account for fees, 1e-8.
  var fees: Int64
  /// Cash of the grid's house account, 1e-8: paid for imports, less received for exports.
  var grid: Int64
  /// Sums since the start, Wh.
  var produced: Int64
  var lost: Int64
  var burned: Int64
  var imported: Int64
  var exported: Int64
}

/// An instrument's definition and state.
struct Instrument: BitwiseCopyable {
  var exists: Bool
  var state: InstrumentState
  var area: UInt16
  var makerFee: UInt32
  var takerFee: UInt32
  /// Depth of its ladders.
  var depth: UInt32
  var tick: Int64
  var lot: Int64
  var lowest: Int64
  var highest: Int64
  var symbol: Label

  var highestFee: Rate { Rate(partsPerMillion: max(makerFee, takerFee)) }

  /// How many lots `quantity` is; a multiple of the lot.
  @inline(__always) func lots(_ quantity: Int64) -> Int64 {
    lot == 1 ? quantity : quantity / lot
  }

  /// The key of a price in the ladder of `side`: 0 is the best that the band allows.
  @inline(__always) func key(_ price: Int64, _ side: Side) -> UInt32 {
    let distance = side.pick(sell: price - lowest, buy: highest - price)
    return UInt32(truncatingIfNeeded: tick > 1 ? distance / tick : distance)
  }

  /// The price with `key` in the ladder of `side`.
  @inline(__always) func price(_ key: UInt32, _ side: Side) -> Int64 {
    side == .sell ? lowest + Int64(key) * tick : highest - Int64(key) * tick
  }
}

/// An instrument in its place.
typealias InstrumentRow = UnsafeMutablePointer<Instrument>

/// A session identity.
struct Session: BitwiseCopyable {
  var exists: Bool
  var roles: UInt8
  var participant: UInt32
  var publicKey: PublicKey
}

/// A participant.
struct Participant: BitwiseCopyable {
  var exists: Bool
  var name: Label
}

/// A registered meter.
struct Meter: BitwiseCopyable {
  var account: UInt32
  var position: UInt32
  var lastSequence: UInt64
  var lastEnd: UInt64
  var publicKey: PublicKey
}

/// Cash of one currency inside the exchange.
struct CurrencyTotal: BitwiseCopyable {
  var isUsed: Bool
  var currency: UInt16
  /// Deposits less withdrawals, 1e-8: what all accounts and houses hold together.
  var supply: Int64
}

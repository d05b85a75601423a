// The market's closed lists. Raw values are those of the wire and the journal: never reused.

/// Buy or sell (FIX 54).
public enum Side: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// A bid.
  case buy = 0
  /// An ask.
  case sell = 1
  /// The other side.
  @inlinable @inline(__always) public var opposite: Side { self == .buy ? .sell : .buy }
}

/// Limit or market (FIX 40). A market order is limited to the price band's edge.
public enum OrderType: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Executes at its price or better.
  case limit = 0
  /// Executes at any price in the band; immediate or cancel, or fill or kill only.
  case market = 1
}

/// How long an order stands (FIX 59).
public enum TimeInForce: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Good till cancelled.
  case goodTillCancel = 0
  /// Executes what it can on entry, the rest is cancelled.
  case immediateOrCancel = 1
  /// Executes in full on entry or not at all.
  case fillOrKill = 2
  /// Good till its expire time.
  case goodTillTime = 3

  /// Whether what does not execute on entry is cancelled: such an order never rests.
  @inlinable public var isImmediate: Bool { self == .immediateOrCancel || self == .fillOrKill }
}

/// What happens when the best orders of both sides have one owner (market rules 5).
public enum SelfTradePrevention: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// The order that is entering is cancelled. The default.
  case cancelNewer = 0
  /// The order that rests is cancelled; the entering one goes on.
  case cancelOlder = 1
  /// Both are cancelled.
  case cancelBoth = 2
  /// Both are reduced by the smaller executable quantity, without a trade.
  case decrementBoth = 3
}

/// What an instrument promises.
public enum InstrumentKind: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Stored energy, changes hands at the trade.
  case spot = 0
}

/// Whether an instrument trades.
public enum InstrumentState: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Orders enter and trade.
  case open = 0
  /// Orders rest, uncovered; none enters, none trades; cancelling works.
  case halted = 1
  /// Every order was cancelled; final.
  case closed = 2
}

/// What a session identity may do. A set.
public struct Roles: OptionSet, Sendable, Hashable, BitwiseCopyable {
  /// Bits as on the wire.
  public let rawValue: UInt8
  /// The roles with these bits.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// Orders and transfers for the participant's own accounts.
  @inlinable public static var trading: Roles { Roles(rawValue: 1) }
  /// Meter readings for any account (each is signed by its meter).
  @inlinable public static var metering: Roles { Roles(rawValue: 2) }
  /// Reference data, deposits, halts, and everything else.
  @inlinable public static var administration: Roles { Roles(rawValue: 4) }
  /// Copies of the reports of all sessions of the participant, and settlement notices.
  @inlinable public static var dropCopy: Roles { Roles(rawValue: 8) }
  /// Every role there is.
  @inlinable public static var all: Roles { [.trading, .metering, .administration, .dropCopy] }
}

/// Why an order left the book, or part of it did.
public enum CancelReason: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Its owner asked.
  case user = 0
  /// Its expire time passed.
  case expired = 1
  /// What an immediate-or-cancel order could not execute.
  case immediate = 2
  /// A fill-or-kill order, or one with a minimum quantity, could not execute enough.
  case fillOrKill = 3
  /// Self-trade prevention.
  case selfTrade = 4
  /// Its session ended.
  case disconnect = 5
  /// Part of a mass cancel.
  case mass = 6
  /// Its instrument was halted.
  case halted = 7
  /// Its instrument was closed.
  case closed = 8
  /// A post-only order gained cover and would have traded on entering the live book.
  case postOnly = 9
}

/// Why part of an order waits (market rules 4).
public enum WaitReason: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Nothing waits.
  case none = 0
  /// An ask without the energy behind it.
  case awaitingEnergy = 1
  /// A bid that would lift its owner above the cap.
  case awaitingHeadroom = 2
  /// The instrument is halted: nothing of the order is live.
  case halted = 3
}

/// What a transfer moves.
public enum AssetKind: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Free cash of a currency.
  case cash = 0
  /// Energy of an area.
  case energy = 1
}

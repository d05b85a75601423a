// Enumerations of the market. Their raw values are those of the wire and the journal and are never
// reused.

/// Buy or sell (FIX 54).
public enum Side: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// A bid.
  case buy = 0
  /// An ask.
  case sell = 1
  /// The other side.
  @inlinable @inline(__always) public var opposite: Side { self == .buy ? .sell : .buy }
}

/// Limit or market (FIX 40). The limit of a market order is the edge of the price band.
public enum OrderType: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Executes at its price or better.
  case limit = 0
  /// Executes at any price in the band; only with immediate-or-cancel or fill-or-kill.
  case market = 1
}

/// How long an order stays open (FIX 59).
public enum TimeInForce: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Good till cancelled.
  case goodTillCancel = 0
  /// Executes on entry as far as possible; the rest is cancelled.
  case immediateOrCancel = 1
  /// Executes in full on entry or not at all.
  case fillOrKill = 2
  /// Good till its expire time.
  case goodTillTime = 3

  /// Whether quantity that does not execute on entry is cancelled, so that the order never rests.
  @inlinable @inline(__always) public var isImmediate: Bool {
    self == .immediateOrCancel || self == .fillOrKill
  }
}

/// What happens when an entering order meets an order of its own account (market rules 5).
public enum SelfTradePrevention: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// The entering order is cancelled. The default.
  case cancelNewer = 0
  /// The resting order is cancelled; the entering one continues to match.
  case cancelOlder = 1
  /// Both are cancelled.
  case cancelBoth = 2
  /// Both orders are reduced by the smaller executable quantity, without a trade.
  case decrementBoth = 3
}

/// Between which orders the prevention of self-trades applies (market rules 5).
public enum SelfTradeScope: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Orders of one account. The default.
  case account = 0
  /// Orders of all accounts of the participant.
  case participant = 1
  /// In a command: as the session is registered; of a new one `account`.
  case unchanged = 2
}

/// The kind of contract that an instrument is.
public enum InstrumentKind: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Stored energy, delivered with the trade.
  case spot = 0
}

/// The trading state of an instrument.
public enum InstrumentState: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Orders enter and trade.
  case open = 0
  /// Orders rest without cover. No order enters or trades; cancels are accepted.
  case halted = 1
  /// All orders were cancelled. This state is final.
  case closed = 2
}

/// The set of roles that a session identity has.
public struct Roles: OptionSet, Sendable, Hashable, BitwiseCopyable {
  /// The bits of the wire format.
  public let rawValue: UInt8
  /// The roles with these bits.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// Permits orders and transfers for the participant's accounts.
  @inlinable public static var trading: Roles { Roles(rawValue: 1) }
  /// Permits meter readings for any account; the meter signs each reading.
  @inlinable public static var metering: Roles { Roles(rawValue: 2) }
  /// Permits reference data, deposits, halts and all other operator commands.
  @inlinable public static var administration: Roles { Roles(rawValue: 4) }
  /// Receives copies of the reports of all sessions of the participant, and settlement notices.
  @inlinable public static var dropCopy: Roles { Roles(rawValue: 8) }
  /// Reserved; no session can have it.
  @inlinable public static var issuer: Roles { Roles(rawValue: 16) }
  /// Permits accounts, sessions, blocks, limits and cancels of the participant itself.
  @inlinable public static var participantAdministration: Roles { Roles(rawValue: 32) }
  /// Receives copies of the reports of all sessions of all participants, and settlement notices.
  @inlinable public static var surveillance: Roles { Roles(rawValue: 64) }
  /// All roles that a session can have.
  @inlinable public static var all: Roles {
    first.union([.participantAdministration, .surveillance])
  }
  /// The roles before version 4 of the rules.
  @inlinable public static var first: Roles { [.trading, .metering, .administration, .dropCopy] }
  /// The roles that define something: the operator's and the participant administrator's.
  @inlinable public static var administrations: Roles {
    [.administration, .participantAdministration]
  }
}

/// Why an order or a part of it was cancelled.
public enum CancelReason: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// The owner cancelled it.
  case user = 0
  /// Its expire time passed.
  case expired = 1
  /// The rest of an immediate-or-cancel order.
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
  /// A post-only order got cover and would have traded when it entered the live book.
  case postOnly = 9
  /// The operator replaced or revoked its session's key and had its orders cancelled.
  case revoked = 10
  /// It no longer fits its instrument, a parameter of which was changed.
  case definition = 11
  /// Its participant, account or session was blocked.
  case blocked = 12
  /// Its account's orders traded to and fro with others in one command (market rules 4, "Circles").
  case circle = 13
}

/// What a parameter belongs to.
public enum ParameterSubject: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// A market area.
  case area = 0
  /// An instrument.
  case instrument = 1
  /// A link between areas; there are none yet.
  case link = 2
  /// A pool; there are none yet.
  case pool = 3
}

/// What `SetParameter` changes. The unit of its value is that of the definition's field.
public enum Parameter: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Of an instrument: the lower edge of the price band, 1e-5 per kWh.
  case lowestPrice = 0
  /// Of an instrument: the upper edge of the price band, 1e-5 per kWh.
  case highestPrice = 1
  /// Of an instrument: the price step, 1e-5 per kWh.
  case tick = 2
  /// Of an instrument: the quantity step, Wh.
  case lot = 3
  /// Of an instrument: the fee of the resting side, in parts per million.
  case makerFee = 4
  /// Of an instrument: the fee of the entering side, in parts per million.
  case takerFee = 5
  /// Of an area: the target storage cost per user, Cu, 1e-8.
  case storageCost = 6
  /// Of an area: the storage price per kWh of capacity, P, 1e-8.
  case storagePrice = 7
  /// Of an area: the part of produced energy that is lost, in parts per million.
  case lossFactor = 8
  /// Of an area: what the surrounding grid pays for exports, 1e-5 per kWh.
  case feedInPrice = 9
  /// Of an area: what the surrounding grid charges for imports, 1e-5 per kWh.
  case retailPrice = 10
  /// Of an area: the longest interval whose reading uses its own production first, s.
  case ownUse = 11
  /// Of an area: whether readings trade with other accounts before they trade with the grid; 0 or 1.
  case localFirst = 12
  /// Of an area: how long after its beginning an interval can be read and corrected, s.
  case readingWindow = 13
  /// Of an area: the worst quality of a reading whose production counts (`ReadingQuality`).
  case mintedQuality = 14
  /// Of an area: above this much notional that the ledger has not confirmed, bids and asks that would wait
  /// are refused, 1e-8; 0: no limit.
  case unsettledLimit = 15

  /// The kind of subject that has the parameter.
  public var subject: ParameterSubject {
    rawValue < Parameter.storageCost.rawValue ? .instrument : .area
  }
}

/// What `SetAccount` makes of an account (market rules 2).
public enum AccountState: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// It stays as it is.
  case unchanged = 0
  /// It is open, again.
  case open = 1
  /// It takes no orders, instructions, deposits, transfers and meters.
  case closed = 2
}

/// How a reading came about (market rules 7). A higher value is a worse quality.
public enum ReadingQuality: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// The meter measured it.
  case measured = 0
  /// The metering operator formed it by its rules in place of a measurement.
  case substituted = 1
  /// It is an estimate; a better one follows.
  case estimated = 2
}

/// Who answers for a meter's readings. The exchange does not judge it.
public enum MeterAttestation: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// The device: its key signs them.
  case device = 0
  /// A metering operator: sessions with the metering role may send them unsigned.
  case meteringOperator = 1
}

/// What a meter measures. It means nothing to the exchange.
public enum MeterTechnology: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Not told.
  case unknown = 0
  /// Photovoltaics.
  case solar = 1
  /// Wind.
  case wind = 2
  /// Water.
  case hydro = 3
  /// Biomass or biogas.
  case biomass = 4
  /// Heat and power together.
  case cogeneration = 5
  /// A battery.
  case battery = 6
  /// A vehicle.
  case vehicle = 7
  /// Consumption only.
  case consumption = 8
}

/// What becomes of a session's open orders when it is registered again (market rules 2).
public enum SessionOrders: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// They are cancelled when the session is revoked, and stay otherwise; before version 5 of the
  /// rules they always stay.
  case standard = 0
  /// All are cancelled, those of standing instructions and those that outlive the session too.
  case cancel = 1
  /// They stay.
  case keep = 2
}

/// Why part of an order waits (market rules 4).
public enum WaitReason: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// No quantity waits.
  case none = 0
  /// An ask lacks energy.
  case awaitingEnergy = 1
  /// A bid lacks headroom: it would bring its owner above the cap.
  case awaitingHeadroom = 2
  /// The instrument is halted, so the whole order waits.
  case halted = 3
}

/// The kind of asset that a transfer moves.
public enum AssetKind: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Free cash of a currency.
  case cash = 0
  /// Energy of an area.
  case energy = 1
}

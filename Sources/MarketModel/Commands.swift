// Everything that can change the exchange. Meter readings, timer ticks, settlement confirmations and
// operator acts are commands like orders: replaying the commands rebuilds the state, byte for byte.
// Every payload is BitwiseCopyable: it crosses rings and is written to the journal field by field.

/// One input of the exchange, stamped by the sequencer.
public struct Command: Sendable, BitwiseCopyable {
  /// Position in the journal. Stamped by the sequencer.
  public var sequence: SequenceNumber
  /// When it was sequenced; never decreases. Stamped by the sequencer.
  public var time: Timestamp
  /// Who sent it; decides what it may do. `.exchange` for the exchange's own.
  public var session: SessionId
  /// The client's message sequence number, echoed in a reject. 0 for the exchange's own.
  public var clientSequence: UInt64
  /// What is asked.
  public var body: Body

  /// A command as a gateway makes it; the sequencer stamps the rest.
  @inlinable public init(
    session: SessionId, clientSequence: UInt64 = 0, body: Body,
    sequence: SequenceNumber = .none, time: Timestamp = Timestamp(nanoseconds: 0)
  ) {
    (self.sequence, self.time, self.session) = (sequence, time, session)
    (self.clientSequence, self.body) = (clientSequence, body)
  }

  /// What can be asked of the exchange. The frequent commands are cases of their own and are read where
  /// they stand (`CommandLayout`); the others belong to a family.
  public enum Body: Sendable, BitwiseCopyable {
    case enter(NewOrder)
    case replace(ReplaceOrder)
    case cancel(CancelOrder)
    case meterReading(MeterReading)
    case order(OrderCommand)
    case cash(CashCommand)
    case reference(ReferenceCommand)
    case session(SessionCommand)
    case control(ControlCommand)
  }
}

/// A new order (FIX 35=D).
public struct NewOrder: Sendable, BitwiseCopyable, Hashable {
  /// Owner; must belong to the session's participant.
  public var account: AccountId
  /// What to trade.
  public var instrument: InstrumentId
  /// Buy or sell.
  public var side: Side
  /// Limit or market.
  public var type: OrderType
  /// How long it stands.
  public var timeInForce: TimeInForce
  /// What to do when it meets an order of the same account.
  public var selfTradePrevention: SelfTradePrevention
  /// Rejected if it would trade on entry.
  public var postOnly: Bool
  /// Strictly increasing per account.
  public var clientOrderId: ClientOrderId
  /// The limit; ignored for a market order.
  public var price: Price
  /// How much, in whole lots.
  public var quantity: Energy
  /// What must execute on entry, or the order is cancelled; 0: nothing. Whole lots.
  public var minimumQuantity: Energy
  /// When a good-till-time order is cancelled; `.never` otherwise.
  public var expireTime: Timestamp
  /// What the market sees of it at a time (iceberg), in whole lots; 0: all of it.
  public var displayQuantity: Energy
  /// Another session of the participant whose order it is: its reports go there; `.exchange`: the sender's.
  public var onBehalfOf: SessionId

  /// A good-till-cancelled limit order unless told otherwise.
  @inlinable public init(
    account: AccountId, instrument: InstrumentId, side: Side, type: OrderType = .limit,
    timeInForce: TimeInForce = .goodTillCancel,
    selfTradePrevention: SelfTradePrevention = .cancelNewer, postOnly: Bool = false,
    clientOrderId: ClientOrderId, price: Price, quantity: Energy,
    minimumQuantity: Energy = .zero, expireTime: Timestamp = .never,
    displayQuantity: Energy = .zero, onBehalfOf: SessionId = .exchange
  ) {
    (self.account, self.instrument, self.side, self.type) = (account, instrument, side, type)
    (self.timeInForce, self.selfTradePrevention) = (timeInForce, selfTradePrevention)
    (self.postOnly, self.clientOrderId, self.price) = (postOnly, clientOrderId, price)
    (self.quantity, self.minimumQuantity) = (quantity, minimumQuantity)
    (self.expireTime, self.displayQuantity) = (expireTime, displayQuantity)
    self.onBehalfOf = onBehalfOf
  }
}

/// A change of an open order's price or total quantity (FIX 35=G). Lowering the quantity keeps its
/// place; raising it or changing the price loses it. The order id stays.
public struct ReplaceOrder: Sendable, BitwiseCopyable, Hashable {
  /// Owner.
  public var account: AccountId
  /// The order to change.
  public var order: OrderId
  /// New client order id, strictly increasing per account.
  public var clientOrderId: ClientOrderId
  /// New limit.
  public var price: Price
  /// New total quantity, what has executed included (FIX OrderQty).
  public var quantity: Energy

  /// A replace of `order`.
  @inlinable public init(
    account: AccountId, order: OrderId, clientOrderId: ClientOrderId, price: Price,
    quantity: Energy
  ) {
    (self.account, self.order, self.clientOrderId) = (account, order, clientOrderId)
    (self.price, self.quantity) = (price, quantity)
  }
}

/// A cancel of an open order (FIX 35=F).
public struct CancelOrder: Sendable, BitwiseCopyable, Hashable {
  /// Owner.
  public var account: AccountId
  /// The order; `.null` to name it by `clientOrderId`, which costs a walk of the account's orders.
  public var order: OrderId
  /// The order's client order id, used when `order` is null.
  public var clientOrderId: ClientOrderId

  /// A cancel by engine id, or by client order id when `order` is null.
  @inlinable public init(
    account: AccountId, order: OrderId, clientOrderId: ClientOrderId = .engine
  ) {
    (self.account, self.order, self.clientOrderId) = (account, order, clientOrderId)
  }
}

/// Cancels every open order of an account that passes the filter (FIX 35=q).
public struct MassCancel: Sendable, BitwiseCopyable, Hashable {
  /// Which sides.
  public enum Sides: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    case buy = 0
    case sell = 1
    case both = 2
    /// Whether orders of `side` pass.
    @inlinable public func contains(_ side: Side) -> Bool {
      self == .both || rawValue == side.rawValue
    }
  }
  /// Owner.
  public var account: AccountId
  /// Only this instrument; `.null` for all.
  public var instrument: InstrumentId
  /// Only this side, or both.
  public var sides: Sides

  /// A mass cancel of `account`.
  @inlinable public init(account: AccountId, instrument: InstrumentId = .null, sides: Sides = .both)
  {
    (self.account, self.instrument, self.sides) = (account, instrument, sides)
  }
}

/// Leaves a standing instruction with the engine, or removes it (market rules 8).
public struct SetAgent: Sendable, BitwiseCopyable, Hashable {
  /// For whom.
  public var account: AccountId
  /// The spot instrument it trades.
  public var instrument: InstrumentId
  /// Whether it sells.
  public var sells: Bool
  /// Whether it buys. Neither: the instruction is removed.
  public var buys: Bool
  /// Price of its asks.
  public var sellPrice: Price
  /// Sells when the energy is at or above this.
  public var sellAbove: Energy
  /// Price of its bids.
  public var buyPrice: Price
  /// Buys when the energy is at or below this.
  public var buyBelow: Energy
  /// Level it trades towards; negative: half of the account's cap.
  public var target: Energy

  /// An instruction for `account`; remove it by neither selling nor buying.
  @inlinable public init(
    account: AccountId, instrument: InstrumentId, sells: Bool = false, buys: Bool = false,
    sellPrice: Price = .zero, sellAbove: Energy = .zero, buyPrice: Price = .zero,
    buyBelow: Energy = .zero, target: Energy = Energy(wattHours: -1)
  ) {
    (self.account, self.instrument, self.sells, self.buys) = (account, instrument, sells, buys)
    (self.sellPrice, self.sellAbove) = (sellPrice, sellAbove)
    (self.buyPrice, self.buyBelow, self.target) = (buyPrice, buyBelow, target)
  }
}

/// Moves free cash or energy between two accounts, at once (market rules 6).
public struct Transfer: Sendable, BitwiseCopyable, Hashable {
  /// Who sends; must belong to the session's participant.
  public var from: AccountId
  /// Who receives; any participant's.
  public var to: AccountId
  /// Cash or energy.
  public var asset: AssetKind
  /// Which currency, for cash.
  public var currency: Currency
  /// Which area, for energy.
  public var area: AreaId
  /// 1e-8 currency or Wh; positive.
  public var amount: Int64
  /// Strictly increasing per sending account, shared with its orders.
  public var clientOrderId: ClientOrderId

  /// A transfer of `amount`.
  @inlinable public init(
    from: AccountId, to: AccountId, asset: AssetKind, currency: Currency = Currency(0),
    area: AreaId = .null, amount: Int64, clientOrderId: ClientOrderId
  ) {
    (self.from, self.to, self.asset, self.currency) = (from, to, asset, currency)
    (self.area, self.amount, self.clientOrderId) = (area, amount, clientOrderId)
  }
}

/// A meter's reading. Its signature was verified by the gateway, never by the engine.
public struct MeterReading: Sendable, BitwiseCopyable, Hashable {
  /// The meter.
  public var meter: MeterId
  /// The meter's register sequence: each reading's is higher than the one before.
  public var registerSequence: UInt64
  /// Start of the metered interval.
  public var intervalStart: Timestamp
  /// End of the metered interval, exclusive.
  public var intervalEnd: Timestamp
  /// Energy produced in the interval; not negative.
  public var produced: Energy
  /// Energy consumed in the interval; not negative.
  public var consumed: Energy

  /// A reading of `meter`.
  @inlinable public init(
    meter: MeterId, registerSequence: UInt64, intervalStart: Timestamp, intervalEnd: Timestamp,
    produced: Energy, consumed: Energy
  ) {
    (self.meter, self.registerSequence) = (meter, registerSequence)
    (self.intervalStart, self.intervalEnd) = (intervalStart, intervalEnd)
    (self.produced, self.consumed) = (produced, consumed)
  }
}

/// A deposit or a withdrawal of cash (role administration).
public struct CashMovement: Sendable, BitwiseCopyable, Hashable {
  /// Whose cash.
  public var account: AccountId
  /// Which currency.
  public var currency: Currency
  /// How much; positive.
  public var amount: Money
  /// The operator's reference, strictly increasing per account over deposits and withdrawals, so
  /// that resending is safe.
  public var reference: UInt64

  /// A movement of `amount`.
  @inlinable public init(account: AccountId, currency: Currency, amount: Money, reference: UInt64) {
    (self.account, self.currency) = (account, currency)
    (self.amount, self.reference) = (amount, reference)
  }
}

/// Admits a participant (role administration).
public struct CreateParticipant: Sendable, BitwiseCopyable, Hashable {
  /// Its number, unused.
  public var participant: ParticipantId
  /// Its short name.
  public var name: Label

  /// Admits `participant`.
  @inlinable public init(participant: ParticipantId, name: Label) {
    (self.participant, self.name) = (participant, name)
  }
}

/// Registers a session identity and its public key (role administration).
public struct RegisterSession: Sendable, BitwiseCopyable, Hashable {
  /// Its number; registering it again replaces key and roles.
  public var session: SessionId
  /// For whom it acts.
  public var participant: ParticipantId
  /// What it may do; empty: revoked.
  public var roles: Roles
  /// Ed25519 key that signs Negotiate and Establish.
  public var publicKey: PublicKey

  /// Registers `session`.
  @inlinable public init(
    session: SessionId, participant: ParticipantId, roles: Roles, publicKey: PublicKey
  ) {
    (self.session, self.participant) = (session, participant)
    (self.roles, self.publicKey) = (roles, publicKey)
  }
}

/// Opens an account (role administration).
public struct CreateAccount: Sendable, BitwiseCopyable, Hashable {
  /// Its number, unused.
  public var account: AccountId
  /// Who acts for it.
  public var participant: ParticipantId

  /// Opens `account`.
  @inlinable public init(account: AccountId, participant: ParticipantId) {
    (self.account, self.participant) = (account, participant)
  }
}

/// Gives an account its own cap in an area (role administration; market rules 3).
public struct SetCap: Sendable, BitwiseCopyable, Hashable {
  /// Whose.
  public var account: AccountId
  /// Where.
  public var area: AreaId
  /// Bmax; negative: back to the area's default.
  public var cap: Energy

  /// Sets the cap of `account` in `area`.
  @inlinable public init(account: AccountId, area: AreaId, cap: Energy) {
    (self.account, self.area, self.cap) = (account, area, cap)
  }
}

/// Opens a market area (role administration).
public struct CreateArea: Sendable, BitwiseCopyable, Hashable {
  /// Its number, unused.
  public var area: AreaId
  /// What it is paid in.
  public var currency: Currency
  /// EIC code.
  public var code: Label
  /// Target storage cost per user, Cu (market rules 3).
  public var storageCost: Money
  /// Storage price per kWh of capacity, P; positive. Default cap = 2 Cu / (1.5 P).
  public var storagePrice: Money
  /// What the surrounding grid pays for exports; not negative.
  public var feedInPrice: Price
  /// What the surrounding grid charges for imports; not negative.
  public var retailPrice: Price
  /// Part of produced energy lost on its way into the storage.
  public var lossFactor: Rate

  /// Opens `area`.
  @inlinable public init(
    area: AreaId, currency: Currency, code: Label, storageCost: Money, storagePrice: Money,
    feedInPrice: Price, retailPrice: Price, lossFactor: Rate = .zero
  ) {
    (self.area, self.currency, self.code) = (area, currency, code)
    (self.storageCost, self.storagePrice) = (storageCost, storagePrice)
    (self.feedInPrice, self.retailPrice) = (feedInPrice, retailPrice)
    self.lossFactor = lossFactor
  }
}

/// Changes the prices of the surrounding grid (role administration).
public struct SetTariff: Sendable, BitwiseCopyable, Hashable {
  /// Where.
  public var area: AreaId
  /// What the grid pays for exports; not negative.
  public var feedInPrice: Price
  /// What the grid charges for imports; not negative.
  public var retailPrice: Price

  /// Sets the tariff of `area`.
  @inlinable public init(area: AreaId, feedInPrice: Price, retailPrice: Price) {
    (self.area, self.feedInPrice, self.retailPrice) = (area, feedInPrice, retailPrice)
  }
}

/// Lists an instrument (role administration). It starts open.
public struct CreateInstrument: Sendable, BitwiseCopyable, Hashable {
  /// Its number, unused.
  public var instrument: InstrumentId
  /// Whose energy.
  public var area: AreaId
  /// Spot.
  public var kind: InstrumentKind
  /// Symbol (FIX 55).
  public var symbol: Label
  /// Price step; prices are multiples of it. Positive.
  public var tick: Price
  /// Quantity step. Positive.
  public var lot: Energy
  /// Lower edge of the price band, a multiple of the tick.
  public var lowestPrice: Price
  /// Upper edge of the price band, a multiple of the tick.
  public var highestPrice: Price
  /// Fee of the resting side.
  public var makerFee: Rate
  /// Fee of the entering side.
  public var takerFee: Rate

  /// Lists `instrument`.
  @inlinable public init(
    instrument: InstrumentId, area: AreaId, kind: InstrumentKind = .spot, symbol: Label,
    tick: Price, lot: Energy, lowestPrice: Price, highestPrice: Price, makerFee: Rate = .zero,
    takerFee: Rate = .zero
  ) {
    (self.instrument, self.area, self.kind, self.symbol) = (instrument, area, kind, symbol)
    (self.tick, self.lot) = (tick, lot)
    (self.lowestPrice, self.highestPrice) = (lowestPrice, highestPrice)
    (self.makerFee, self.takerFee) = (makerFee, takerFee)
  }
}

/// Opens, halts or closes an instrument (role administration).
public struct SetInstrumentState: Sendable, BitwiseCopyable, Hashable {
  /// Which.
  public var instrument: InstrumentId
  /// The new state; closed is final.
  public var state: InstrumentState

  /// Sets the state of `instrument`.
  @inlinable public init(instrument: InstrumentId, state: InstrumentState) {
    (self.instrument, self.state) = (instrument, state)
  }
}

/// Registers a meter and authorises it for one account (role administration).
public struct RegisterMeter: Sendable, BitwiseCopyable, Hashable {
  /// Its number, unused.
  public var meter: MeterId
  /// Whose energy it meters.
  public var account: AccountId
  /// Where.
  public var area: AreaId
  /// Ed25519 key that signs its readings.
  public var publicKey: PublicKey

  /// Registers `meter`.
  @inlinable public init(meter: MeterId, account: AccountId, area: AreaId, publicKey: PublicKey) {
    (self.meter, self.account, self.area, self.publicKey) = (meter, account, area, publicKey)
  }
}

/// The ledger has applied a settlement batch (from the settler).
public struct SettlementConfirmed: Sendable, BitwiseCopyable, Hashable {
  /// The batch, 1, 2, 3 ...
  public var batch: UInt64
  /// Last command it covers.
  public var lastSequence: SequenceNumber

  /// Confirms `batch`.
  @inlinable public init(batch: UInt64, lastSequence: SequenceNumber) {
    (self.batch, self.lastSequence) = (batch, lastSequence)
  }
}

/// Puts a version of the rules in force, from the next command on (role administration). Upwards only: what was
/// decided by older rules stays, and a journal replays with the rules that were in force.
public struct SetRules: Sendable, BitwiseCopyable, Hashable {
  /// The version, above the present one.
  public var version: UInt32

  /// Puts `version` in force.
  @inlinable public init(version: UInt32) { self.version = version }
}

/// Versions of the rules. Every change that makes other events of the same commands takes a number, so that
/// old journals replay as they were: docs/MARKET-RULES.md says what each changed.
public enum RulesVersion {
  /// What a journal without `SetRules` is replayed with.
  public static let first: UInt32 = 1
  /// What a new market begins with.
  public static let newest: UInt32 = 2
}

/// The hash of the exchange's history before this command, written every so many commands;
/// a replay that arrives at another one has diverged and stops.
public struct Checkpoint: Sendable, BitwiseCopyable, Hashable {
  /// Rolling hash over all events so far.
  public var eventHash: UInt64
  /// Hash of the whole state; 0 when it was not taken.
  public var stateHash: UInt64

  /// A checkpoint with these hashes.
  @inlinable public init(eventHash: UInt64, stateHash: UInt64) {
    (self.eventHash, self.stateHash) = (eventHash, stateHash)
  }
}

// The records of the reference model: plain values with integers in the units of the rules.

import MarketModel

/// The key of a position: account and area.
struct PositionKey: Hashable {
  let account: AccountId
  let area: AreaId
}

/// The key of a holding: account and currency.
struct CashKey: Hashable {
  let account: AccountId
  let currency: Currency

  init(_ account: AccountId, _ currency: Currency) {
    (self.account, self.currency) = (account, currency)
  }
}

/// An instrument.
struct PriceLevel: Hashable {
  let instrument: InstrumentId
  let side: Side
  let price: Int64

  init(_ instrument: InstrumentId, _ side: Side, _ price: Int64) {
    (self.instrument, self.side, self.price) = (instrument, side, price)
  }
}

struct ModelCash {
  var free: Int64 = 0
  var reserved: Int64 = 0
}

struct ModelAccount {
  let participant: ParticipantId
  var lastClientOrderId: ClientOrderId = .engine
  var lastReference: UInt64 = 0
  var label: Label = .empty
  var isClosed = false
}

struct ModelArea {
  var definition: CreateArea
  var defaultCap: Int64
  /// Storage cost and price, from which a change of one of them computes the cap.
  var storageCost: Int64?
  var storagePrice: Int64?
  /// The longest interval whose reading uses its own production first, s.
  var ownUse: Int64 = 900
  /// Whether readings trade with other accounts before they trade with the grid.
  var localFirst = false
  /// How long after its beginning an interval can be read, s.
  var readingWindow: UInt64 = 3_888_000
  /// The worst quality whose production counts.
  var mintedQuality: Int64 = 1
  /// What the grid pays and charges and what is lost, since when; from version 8 on.
  var tariffs: [ModelTariff] = []
  /// The limit of what is not settled, 1e-8; 0: none.
  var unsettledLimit: Int64 = 0
  /// What is not settled, oldest first (section 16).
  var unsettled: [ModelPart] = []
  /// The commands of a part.
  var unsettledSpan: UInt64 = 1
  /// Gross production since the start, Wh.
  var produced: Int64 = 0
  /// Energy imported from the grid since the start, Wh.
  var imported: Int64 = 0
  /// Cash of the house accounts, 1e-8.
  var fees: Int64 = 0
  var grid: Int64 = 0
}

/// The trades of consecutive commands.
struct ModelPart {
  var last: UInt64
  var notional: Int64
}

struct ModelInstrument {
  var definition: CreateInstrument
  var state: InstrumentState = .open
}

struct ModelMeter {
  /// What holds for intervals that begin at `from` or later; account null: nothing.
  var definition: RegisterMeter
  var from = Timestamp(nanoseconds: 0)
  /// What holds for earlier ones; `nil`: nothing.
  var before: RegisterMeter?
  /// Register sequence of the last reading under the former key, where the key changed.
  var sequenceBefore: UInt64?
  var lastSequence: UInt64 = 0
  var lastEnd = Timestamp(nanoseconds: 0)
  /// What readings took beyond the rated power, W x ns; counted since version 5.
  var beyond = (produced: Int128(0), consumed: Int128(0))
  /// The rest of its losses, 1e-6 Wh; carried since version 6.
  var lossRest: Int128 = 0
  /// From version 7 on: settled intervals, ascending.
  var kept: [ModelReading] = []
  /// The end of the last reading when version 8 began.
  var settled: UInt64 = 0
  /// Before it, readings gave way or former accounts are forgotten.
  var tooLate: UInt64 = 0
  /// What held before `before`, until when; the newest first.
  var formers: [(until: UInt64, held: RegisterMeter?)] = []
}

/// Prices of the grid and loss factor from a moment on.
struct ModelTariff {
  var from: UInt64
  var feedIn: Int64
  var retail: Int64
  var loss: Rate

  init(from: UInt64, _ area: CreateArea) {
    self.from = from
    (feedIn, retail, loss) = (area.feedInPrice.ticks, area.retailPrice.ticks, area.lossFactor)
  }
}

/// A settled interval with its newest version.
struct ModelReading {
  var reading: MeterReading
  /// Counted production, Wh.
  var produced: Int64
  var usesOwn: Bool
  /// Whether it began at the time of its first reading or later.
  var isAhead: Bool
  var exported: Int64
  var imported: Int64

  var start: UInt64 { reading.intervalStart.nanoseconds }
  var end: UInt64 { reading.intervalEnd.nanoseconds }
  var own: Int64 { usesOwn ? min(produced, reading.consumed.wattHours) : 0 }
}

struct ModelPosition {
  let key: PositionKey
  var energy: Int64 = 0
  /// The individual cap, Wh; negative: the area's default applies.
  var ownCap: Int64 = -1
  var agent: ModelAgent?
  /// Whether a balance changed since the standing instruction ran last.
  var mustRunAgent = false
  /// Whether a balance or the cap changed since the last balance event.
  var changed = false
}

struct ModelAgent {
  let instruction: SetAgent
  let session: SessionId
}

struct ModelOrder {
  var id: OrderId
  let account: AccountId
  let instrument: InstrumentId
  let position: PositionKey
  let session: SessionId
  var clientOrderId: ClientOrderId
  let side: Side
  let type: OrderType
  let timeInForce: TimeInForce
  let prevention: SelfTradePrevention
  let scope: SelfTradeScope
  let postOnly: Bool
  var lot: Int64
  var price: Int64
  var quantity: Int64
  var leaves: Int64
  var covered: Int64
  let expireTime: Timestamp
  /// Number of the entry, or of the last replace that lost the priority.
  var arrival: Int
  /// Number of its entry into the list that contains it.
  var place: Int
  /// Whether it is in a list; `false` while it is matching.
  var isResting: Bool
  /// Size of a displayed slice, Wh; 0: the order is no iceberg.
  let display: Int64
  /// The order as it was sent.
  let request: NewOrder
  /// The fee rates at which it reserved its cash, and trades.
  var makerFee: Rate
  var takerFee: Rate
  /// Rest of the displayed slice, Wh.
  var displayedSlice: Int64 = 0
  /// Whether it pays from the free cash instead of a reservation at its limit (section 6).
  var isWalked = false

  var executed: Int64 { quantity - leaves }
  /// The quantity that trades before the order loses its priority, Wh.
  var inPlace: Int64 { display == 0 ? covered : min(covered, displayedSlice) }
}

extension Side {
  /// Whether `a` goes before `b` on this side: bids high to low, asks low to high.
  func isBetter(_ a: Int64, than b: Int64) -> Bool { self == .buy ? a > b : a < b }
}

extension ReferenceModel {
  /// Throws the refusal of a failed check.
  func require(
    _ holds: Bool, _ code: RejectCode, _ limit: Int64 = 0, _ field: RejectField = RejectField.none
  ) throws(Refusal) {
    if !holds { throw Refusal(code, limit: limit, field: field) }
  }

  func position(_ key: PositionKey) -> ModelPosition? {
    positions.first { $0.key == key }
  }

  /// Changes a position; creates it when there is none.
  mutating func change(_ key: PositionKey, _ body: (inout ModelPosition) -> Void) {
    if let index = positions.firstIndex(where: { $0.key == key }) {
      body(&positions[index])
    } else {
      var position = ModelPosition(key: key)
      body(&position)
      positions.append(position)
      if let area = areas[key.area] {
        cash[CashKey(key.account, area.definition.currency), default: ModelCash()].free += 0
      }
    }
  }

  /// The cap, Bmax, Wh.
  func cap(_ key: PositionKey) -> Int64 {
    let own = position(key)?.ownCap ?? -1
    return own >= 0 ? own : areas[key.area]?.defaultCap ?? 0
  }

  func free(_ account: AccountId, _ currency: Currency) -> Int64 {
    cash[CashKey(account, currency)]?.free ?? 0
  }

  func free(_ key: PositionKey) -> Int64 {
    areas[key.area].map { free(key.account, $0.definition.currency) } ?? 0
  }

  /// Changes a position's free cash by a trade or a reading.
  mutating func pay(_ key: PositionKey, _ amount: Int64) {
    guard let area = areas[key.area], amount != 0 else { return }
    cash[CashKey(key.account, area.definition.currency), default: ModelCash()].free += amount
    change(key) { ($0.mustRunAgent, $0.changed) = (true, true) }
  }

  /// Changes a position's energy.
  mutating func store(_ key: PositionKey, _ amount: Int64) {
    guard amount != 0 else { return }
    change(key) {
      $0.energy += amount
      ($0.mustRunAgent, $0.changed) = (true, true)
    }
  }

  /// ceil(rate x |amount|), computed without overflow.
  func roundedUp(_ rate: Rate, of amount: Int64) -> Int64 {
    let parts = Int64(rate.partsPerMillion)
    let (whole, rest) = abs(amount).quotientAndRemainder(dividingBy: 1_000_000)
    return whole * parts + (rest * parts + 999_999) / 1_000_000
  }
}

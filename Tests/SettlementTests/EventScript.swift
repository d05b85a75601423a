import MarketModel
import Settlement

/// Makes events as the exchange would, one command each, for tests that need no exchange.
struct EventScript {
  /// The position of a command in the journal, and its events.
  struct Step {
    var sequence: SequenceNumber
    var time: Timestamp
    var events: [Event]
    var closes = false
    /// What was created by the commands before.
    var created: [ReferenceEvent] = []

    /// The reference data after this command.
    func known() -> ReferenceData {
      var known = ReferenceData()
      for event in created { known.note(event, at: time) }
      for event in events { known.note(event, at: time) }
      return known
    }
  }

  /// Commands so far.
  private(set) var steps: [Step] = []
  private var created: [ReferenceEvent] = []
  private var trades: UInt64 = 0
  private var registers: UInt64 = 0
  private var references: UInt64 = 0
  /// Market time of the next command.
  var time: UInt64 = 1_780_272_000_000_000_000

  /// A journal that starts with areas 1 (EUR) and 2 (CHF), with spot instruments 1 and 2.
  init() {
    for (area, currency) in [(AreaId(1), Currency.eur), (AreaId(2), Currency(756))] {
      let definition = CreateArea(
        area: area, currency: currency, code: .empty, storageCost: Money(units: 1),
        storagePrice: Money(units: 1), feedInPrice: .zero, retailPrice: .zero)
      let instrument = CreateInstrument(
        instrument: InstrumentId(UInt32(area.rawValue)), area: area, symbol: .empty,
        tick: Price(ticks: 1), lot: Energy(wattHours: 1), lowestPrice: Price(ticks: -100_000),
        highestPrice: Price(ticks: 100_000))
      add([.reference(.areaCreated(AreaState(definition: definition, defaultCap: .zero)))])
      add([.reference(.instrumentCreated(instrument))])
    }
  }

  /// One command with `events`, a second after the one before.
  mutating func add(_ events: [Event], closes: Bool = false) {
    steps.append(
      Step(
        sequence: SequenceNumber(UInt64(steps.count) + 1), time: Timestamp(nanoseconds: time),
        events: events, closes: closes, created: created))
    for case .reference(let event) in events { created.append(event) }
    time += 1_000_000_000
  }

  /// A checkpoint of the whole state.
  mutating func checkpoint() { add([], closes: true) }

  /// `buyer` buys `energy` Wh from `seller` at `price` ticks.
  mutating func trade(
    _ buyer: UInt32, _ seller: UInt32, energy: Int64, price: Int64, buyerFee: Int64 = 0,
    sellerFee: Int64 = 0, area: UInt32 = 1
  ) {
    trades += 1
    add([
      .trade(
        Trade(
          trade: TradeId(trades), instrument: InstrumentId(area), aggressor: .buy,
          price: Price(ticks: price), quantity: Energy(wattHours: energy),
          notional: Money(units: price * energy), buyer: Self.party(buyer, fee: buyerFee),
          seller: Self.party(seller, fee: sellerFee)))
    ])
  }

  /// A reading of `account`'s meter.
  mutating func meter(
    _ account: UInt32, produced: Int64 = 0, lost: Int64 = 0, exported: Int64 = 0,
    revenue: Int64 = 0, burned: Int64 = 0, imported: Int64 = 0, bought: Int64 = 0,
    cost: Int64 = 0, area: UInt16 = 1
  ) {
    registers += 1
    let reading = MeterReading(
      meter: MeterId(account), registerSequence: registers,
      intervalStart: Timestamp(nanoseconds: time),
      intervalEnd: Timestamp(nanoseconds: time + 900_000_000_000),
      produced: Energy(wattHours: produced),
      consumed: Energy(wattHours: burned + imported + bought))
    add([
      .metered(
        Metered(
          reading: reading, session: SessionId(1), clientSequence: 1, account: AccountId(account),
          area: AreaId(area), lost: Energy(wattHours: lost),
          exported: Energy(wattHours: exported), exportRevenue: Money(units: revenue),
          burned: Energy(wattHours: burned), imported: Energy(wattHours: imported),
          importCost: Money(units: cost)))
    ])
  }

  /// A reading of the meter with the account's number over a quarter of an hour from `start` on, at
  /// prices in ticks.
  mutating func read(
    _ account: UInt32, at start: UInt64, _ version: UInt64 = 1, produced: Int64 = 0,
    exported: Int64 = 0, feedIn: Int64 = 8_000, burned: Int64 = 0, imported: Int64 = 0,
    retail: Int64 = 30_000, quality: ReadingQuality = .measured
  ) {
    let counts = quality != .estimated
    let reading = Self.reading(account, start, version, produced, burned + imported, quality)
    add([
      .metered(
        Metered(
          reading: reading, session: SessionId(1), clientSequence: 1, account: AccountId(account),
          area: AreaId(1), lost: .zero, exported: Energy(wattHours: exported),
          exportRevenue: Money(units: exported * feedIn), burned: Energy(wattHours: burned),
          imported: Energy(wattHours: imported), importCost: Money(units: imported * retail),
          countsProduction: counts))
    ])
  }

  /// A later version of such a reading, at the prices of its interval.
  mutating func correct(
    _ account: UInt32, at start: UInt64, _ version: UInt64,
    from previous: (sequence: UInt64, produced: Int64, consumed: Int64), produced: Int64 = 0,
    consumed: Int64 = 0, lost: Int64 = 0, exportsBack: Int64 = 0, exported: Int64 = 0,
    importsBack: Int64 = 0, imported: Int64 = 0, feedIn: Int64 = 8_000, retail: Int64 = 30_000
  ) {
    var corrected = Corrected(
      reading: Self.reading(account, start, version, produced, consumed, .measured),
      session: SessionId(1), clientSequence: 1, account: AccountId(account), area: AreaId(1),
      previous: (
        previous.sequence, Energy(wattHours: previous.produced),
        Energy(wattHours: previous.consumed)
      ), usesOwn: false, countsProduction: true, lost: Energy(wattHours: lost),
      prices: (Price(ticks: feedIn), Price(ticks: retail)))
    corrected.exportsBack = Energy(wattHours: exportsBack)
    corrected.exported = Energy(wattHours: exported)
    corrected.importsBack = Energy(wattHours: importsBack)
    corrected.imported = Energy(wattHours: imported)
    add([.metering(.corrected(corrected))])
  }

  private static func reading(
    _ meter: UInt32, _ start: UInt64, _ version: UInt64, _ produced: Int64, _ consumed: Int64,
    _ quality: ReadingQuality
  ) -> MeterReading {
    MeterReading(
      meter: MeterId(meter), registerSequence: version,
      intervalStart: Timestamp(nanoseconds: start),
      intervalEnd: Timestamp(nanoseconds: start + 900_000_000_000),
      produced: Energy(wattHours: produced), consumed: Energy(wattHours: consumed),
      quality: quality)
  }

  /// `from` sends `amount` (1e-8 EUR, or Wh of area 1) to `to`.
  mutating func transfer(_ from: UInt32, _ to: UInt32, _ asset: AssetKind, _ amount: Int64) {
    references += 1
    let transfer = Transfer(
      from: AccountId(from), to: AccountId(to), asset: asset, currency: .eur, area: AreaId(1),
      amount: amount, clientOrderId: ClientOrderId(references))
    add([
      .cash(.transferred(Transferred(transfer: transfer, session: SessionId(1), clientSequence: 1)))
    ])
  }

  /// Cash comes in (or goes out, when negative).
  mutating func cash(_ account: UInt32, _ amount: Int64, _ currency: Currency = .eur) {
    references += 1
    let movement = CashMovement(
      account: AccountId(account), currency: currency, amount: Money(units: abs(amount)),
      reference: references)
    let moved = CashMoved(movement: movement, session: SessionId(1), clientSequence: 1)
    add([amount < 0 ? .cash(.withdrawn(moved)) : .cash(.deposited(moved))])
  }

  /// The reading of `account` trades with an order of `other` at `price` ticks; it pays `fee`.
  mutating func localTrade(
    _ account: UInt32, from other: UInt32, energy: Int64, price: Int64, fee: Int64 = 0,
    isSale: Bool = false
  ) {
    trades += 1
    var taker = Self.party(isSale ? other : account, fee: fee)
    (taker.order, taker.session, taker.clientOrderId) = (.null, .exchange, .engine)
    let maker = Self.party(isSale ? account : other, fee: 0)
    add([
      .trade(
        Trade(
          trade: TradeId(trades), instrument: InstrumentId(1), aggressor: isSale ? .sell : .buy,
          price: Price(ticks: price), quantity: Energy(wattHours: energy),
          notional: Money(units: price * energy), buyer: isSale ? maker : taker,
          seller: isSale ? taker : maker))
    ])
  }

  private static func party(_ account: UInt32, fee: Int64) -> TradeParty {
    TradeParty(
      order: OrderId(slot: account, generation: 1), account: AccountId(account),
      session: SessionId(1), clientOrderId: ClientOrderId(1), fee: Money(units: fee),
      leaves: .zero, covered: .zero)
  }
}

extension BatchBuilder {
  /// Feeds one command.
  mutating func feed(_ step: EventScript.Step) throws(LedgerError) -> SettlementBatch? {
    let known = step.known()
    for event in step.events { take(event, sequence: step.sequence, time: step.time, known) }
    return try endCommand(sequence: step.sequence, time: step.time, closes: step.closes)
  }

  /// All batches of `script`.
  static func batches(
    of script: EventScript, _ genesis: LedgerGenesis
  ) throws(LedgerError) -> [SettlementBatch] {
    var builder = BatchBuilder(genesis: genesis)
    var batches: [SettlementBatch] = []
    for step in script.steps {
      if let batch = try builder.feed(step) { batches.append(batch) }
    }
    return batches
  }
}

extension Settler {
  /// Feeds one command.
  mutating func feed(_ step: EventScript.Step) -> SettlementConfirmed? {
    let known = step.known()
    for event in step.events { take(event, sequence: step.sequence, time: step.time, known) }
    return endCommand(sequence: step.sequence, time: step.time, closes: step.closes)
  }
}

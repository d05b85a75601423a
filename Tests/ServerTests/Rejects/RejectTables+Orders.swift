import MarketModel

/// The tables of commands of sessions that trade or meter.
enum RejectTables {
  private static let ben: UInt32 = 3
  private static let ana: UInt32 = 2

  private static func order(
    _ what: String, _ code: RejectCode, _ limit: Int64? = 0, from session: UInt32 = 3,
    _ spoil: @escaping @Sendable (inout NewOrder) -> Void
  ) -> RejectRow {
    RejectRow("order: " + what, code, limit, from: session) { _ in Allowed.order(spoil) }
  }

  static let orders: [RejectRow] = [
    order("unknown account", .unknownAccount, 64) { $0.account = AccountId(63) },
    order("foreign account", .foreignAccount) { $0.account = Village.ana },
    order("unknown instrument", .unknownInstrument, 64) { $0.instrument = InstrumentId(9) },
    order("halted", .instrumentHalted) { $0.instrument = InstrumentId(3) },
    order("closed", .instrumentClosed) { $0.instrument = InstrumentId(4) },
    order("off tick", .offTick, 100) { $0.price = Price(ticks: 10_001) },
    order("above the band", .priceOutOfBand, 100_000) { $0.price = Price(ticks: 100_100) },
    order("off lot", .offLot, 1_000) { $0.quantity = Energy(wattHours: 1_001) },
    order("no quantity", .quantityNotPositive) { $0.quantity = .zero },
    order("too large", .quantityTooLarge, 1 << 36) {
      $0.quantity = Energy(wattHours: .max / 1_000 * 1_000)
    },
    order("beyond money", .notionalOverflow, .max) {
      ($0.instrument, $0.price) = (InstrumentId(2), Price(ticks: 1 << 36))
      $0.quantity = Energy(wattHours: 1 << 36)
    },
    order("without the cash", .insufficientCash, nil) {
      ($0.price, $0.quantity) = (Price(ticks: 100_000), Energy(wattHours: 10_000_000))
    },
    order("used client order id", .duplicateClientOrderId, nil) {
      $0.clientOrderId = ClientOrderId(1)
    },
    order("client order id too high", .clientOrderIdTooHigh, 1 << 62) {
      $0.clientOrderId = ClientOrderId(1 << 62 + 1)
    },
    order("market order that rests", .marketNotImmediate) { $0.type = .market },
    order("expire time without good till time", .badExpireTime, nil) {
      $0.expireTime = Timestamp(nanoseconds: Allowed.now)
    },
    order("good till a time that has passed", .badExpireTime, nil) {
      ($0.timeInForce, $0.expireTime) = (.goodTillTime, Timestamp(nanoseconds: 1))
    },
    order("post-only that would trade", .postOnlyWouldTrade, 20_000, from: 2) {
      ($0.account, $0.price, $0.postOnly) = (Village.ana, Price(ticks: 20_000), true)
    },
    order("minimum above the quantity", .minimumQuantityInvalid, 1_000) {
      $0.minimumQuantity = Energy(wattHours: 2_000)
    },
    order("post-only and immediate", .postOnlyImmediate) {
      ($0.postOnly, $0.timeInForce) = (true, .fillOrKill)
    },
    order("display above the quantity", .displayQuantityInvalid, 1_000) {
      $0.displayQuantity = Energy(wattHours: 2_000)
    },
    order("display too small", .displayQuantityTooSmall, 3_000) {
      $0.quantity = Energy(wattHours: 201_000)
      ($0.displayQuantity, $0.price) = (Energy(wattHours: 2_000), Price(ticks: 100))
    },
    order("on behalf of a foreign session", .foreignSession) { $0.onBehalfOf = SessionId(2) },
    order("blocked account", .blocked, 2, from: 2) { $0.account = AccountId(12) },
    order("beyond the size of the account", .orderLimit, 2_000, from: 2) {
      ($0.account, $0.quantity) = (AccountId(13), Energy(wattHours: 3_000))
    },
    order("beyond the open orders of the account", .openOrderLimit, 1, from: 2) {
      $0.account = AccountId(14)
    },
    order("beyond the day's notional", .notionalLimit, 9_999_999, from: 2) {
      $0.account = AccountId(15)
    },
    order("beyond the cash at risk", .cashLimit, 9_999_999, from: 2) { $0.account = AccountId(16) },
    order("beyond the account's share", .orderShare, 3, from: 2) { $0.account = AccountId(17) },
    order("beyond what may be unsettled", .unsettledLimit, 9_999_999) {
      $0.instrument = InstrumentId(6)
    },
  ]

  static let changes: [RejectRow] = [
    RejectRow("replace: foreign account", .foreignAccount, from: ben) { Allowed.replace($0) },
    RejectRow("replace: unknown order", .unknownOrder, from: ana) {
      Allowed.replace($0) { $0.order = OrderId(slot: 60, generation: 9) }
    },
    RejectRow("replace: nothing changes", .nothingToChange, from: ana) {
      Allowed.replace($0) { $0.quantity = Energy(wattHours: 3_000) }
    },
    RejectRow("replace: below what has executed", .quantityBelowExecuted, 1_000, from: ana) {
      Allowed.replace($0) { $0.quantity = Energy(wattHours: 1_000) }
    },
    RejectRow("replace: off tick", .offTick, 100, from: ana) {
      Allowed.replace($0) { $0.price = Price(ticks: 20_001) }
    },
    RejectRow("replace: used client order id", .duplicateClientOrderId, nil, from: ana) {
      Allowed.replace($0) { $0.clientOrderId = ClientOrderId(1) }
    },
    RejectRow("cancel: unknown order", .unknownOrder, from: ben) { _ in
      .cancel(CancelOrder(account: Village.ben, order: OrderId(slot: 60, generation: 9)))
    },
    RejectRow("cancel: foreign order", .unknownOrder, from: ben) {
      .cancel(CancelOrder(account: Village.ben, order: $0.asked))
    },
    RejectRow("cancel: foreign account", .foreignAccount, from: ben) {
      .cancel(CancelOrder(account: Village.ana, order: $0.asked))
    },
    RejectRow("mass cancel: foreign account", .foreignAccount, from: ben) { _ in
      .order(.massCancel(MassCancel(account: Village.ana)))
    },
    RejectRow("mass cancel: unknown instrument", .unknownInstrument, 64, from: ben) { _ in
      .order(.massCancel(MassCancel(account: Village.ben, instrument: InstrumentId(9))))
    },
    RejectRow("instruction: foreign account", .foreignAccount, from: ana) { _ in Allowed.agent() },
    RejectRow("instruction: blocked account", .blocked, 2, from: ana) { _ in
      Allowed.agent { $0.account = AccountId(12) }
    },
    RejectRow("instruction: unknown instrument", .unknownInstrument, 64, from: ben) { _ in
      Allowed.agent { $0.instrument = InstrumentId(9) }
    },
    RejectRow("instruction: closed instrument", .instrumentClosed, from: ben) { _ in
      Allowed.agent { $0.instrument = InstrumentId(4) }
    },
    RejectRow("instruction: off tick", .offTick, 100, from: ben) { _ in
      Allowed.agent { $0.buyPrice = Price(ticks: 1) }
    },
    RejectRow("instruction: threshold below -1", .badAmount, 1 << 61, from: ben) { _ in
      Allowed.agent { $0.buyBelow = Energy(wattHours: -2) }
    },
  ]

  private static func transfer(
    _ what: String, _ code: RejectCode, _ limit: Int64? = 0, _ field: RejectField? = nil,
    from session: UInt32 = 3, _ spoil: @escaping @Sendable (inout Transfer) -> Void
  ) -> RejectRow {
    RejectRow("transfer: " + what, code, limit, field, from: session) { _ in
      Allowed.transfer(spoil)
    }
  }

  static let movements: [RejectRow] = [
    transfer("foreign account", .foreignAccount) { ($0.from, $0.to) = ($0.to, $0.from) },
    transfer("unknown receiver", .unknownAccount, 64, .toAccount) { $0.to = AccountId(63) },
    transfer("to oneself", .sameAccount) { $0.to = $0.from },
    transfer("no amount", .badAmount, 1 << 61) { $0.amount = 0 },
    transfer("without the cash", .insufficientCash, nil) { $0.amount = 1 << 60 },
    transfer("unknown area", .unknownArea, 8) { ($0.asset, $0.area) = (.energy, AreaId(7)) },
    transfer("without the energy", .insufficientEnergy, 1_000) {
      ($0.asset, $0.amount) = (.energy, 1_001)
    },
    transfer("above the receiver's cap", .capExceeded, 0, from: 2) {
      ($0.from, $0.to, $0.asset) = (Village.ana, Village.ben, .energy)
    },
    transfer("used client order id", .duplicateClientOrderId, nil) {
      $0.clientOrderId = ClientOrderId(1)
    },
    transfer("blocked account", .blocked, 2, from: 2) { $0.from = AccountId(12) },
  ]

  private static func reading(
    _ what: String, _ code: RejectCode, _ limit: Int64? = 0, from session: UInt32 = 4,
    _ spoil: @escaping @Sendable (inout MeterReading) -> Void
  ) -> RejectRow {
    RejectRow("reading: " + what, code, limit, from: session) { _ in Allowed.reading(spoil) }
  }

  private static let quarter: UInt64 = MeterTime.start + 900_000_000_000

  static let readings: [RejectRow] = [
    reading("unknown meter", .unknownMeter, 5) { $0.meter = MeterId(9) },
    reading("replayed", .readingReplayed, 1) { $0 = FrozenMarket.reading(1) },
    reading("a register sequence out of reason", .registerSequenceTooHigh, 1 << 62) {
      $0.registerSequence = 1 << 62 + 1
    },
    reading("empty interval", .badInterval) { $0.intervalEnd = $0.intervalStart },
    reading("metered interval", .overlappingInterval, Int64(quarter)) {
      $0.intervalStart = Timestamp(nanoseconds: quarter - 1)
    },
    reading("negative", .negativeReading) { $0.consumed = Energy(wattHours: -1) },
    reading("too large", .readingTooLarge, 1 << 40) { $0.produced = Energy(wattHours: .max) },
    reading("above the rated power", .readingAboveCapacity, 250) {
      ($0.meter, $0.produced) = (MeterId(2), Energy(wattHours: 251))
    },
    reading("too long", .intervalTooLong, 86_400_000_000_000) {
      $0.intervalEnd = Timestamp(nanoseconds: quarter + 86_400_000_000_001)
    },
    reading("in the future", .intervalInFuture, nil) {
      $0.intervalStart = Timestamp(nanoseconds: Allowed.now)
      $0.intervalEnd = Timestamp(nanoseconds: Allowed.now + 1)
    },
    reading("by a session of another participant", .notPermitted, 2, from: 5) { _ in },
    // Its limit is how many there are: the rows above have put some there.
    RejectRow("decide: not in quarantine", .unknownQuarantine, nil, from: 1) { _ in
      .metering(.decideReading(DecideReading(number: 1 << 40, releases: true)))
    },
    RejectRow("place: unknown meter", .unknownMeter, 64, from: 1) { _ in
      .reference(.setMeterPlace(SetMeterPlace(meter: MeterId(60), place: .empty)))
    },
    RejectRow("place: out of range", .outOfRange, 64, .meter, from: 1) { _ in
      .reference(.setMeterPlace(SetMeterPlace(meter: MeterId(65), place: .empty)))
    },
  ]
}

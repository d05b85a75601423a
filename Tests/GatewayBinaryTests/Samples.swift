import MarketModel

/// One sample of each event, with different values in all fields.
enum Sample {
  static let createArea = CreateArea(
    area: GatewayWorld.area, currency: .eur, code: Label(low: 0x6162_6364_6566_6768, high: 0x65),
    storageCost: Money(units: 300), storagePrice: Money(units: 200),
    feedInPrice: Price(ticks: 800), retailPrice: Price(ticks: 3000),
    lossFactor: Rate(partsPerMillion: 4))
  static let createInstrument = CreateInstrument(
    instrument: GatewayWorld.instrument, area: GatewayWorld.area,
    symbol: Label(low: 0x5350_4F54, high: 0), tick: Price(ticks: 10),
    lot: Energy(wattHours: 100), lowestPrice: Price(ticks: -500),
    highestPrice: Price(ticks: 90_000), makerFee: Rate(partsPerMillion: 11),
    takerFee: Rate(partsPerMillion: 12))
  static let limitOrder = NewOrder(
    account: GatewayWorld.account, instrument: GatewayWorld.instrument, side: .sell,
    timeInForce: .goodTillCancel, selfTradePrevention: .cancelOlder, postOnly: true,
    clientOrderId: ClientOrderId(21), price: Price(ticks: -22), quantity: Energy(wattHours: 2300))
  static let marketOrder = NewOrder(
    account: GatewayWorld.account, instrument: GatewayWorld.instrument, side: .buy,
    type: .market, timeInForce: .immediateOrCancel, selfTradePrevention: .decrementBoth,
    clientOrderId: ClientOrderId(31), price: Price(ticks: 32), quantity: Energy(wattHours: 3300))
  static let timedOrder = NewOrder(
    account: GatewayWorld.account, instrument: GatewayWorld.instrument, side: .buy,
    timeInForce: .goodTillTime, selfTradePrevention: .cancelBoth,
    clientOrderId: ClientOrderId(41), price: Price(ticks: 42), quantity: Energy(wattHours: 4300),
    minimumQuantity: Energy(wattHours: 44), expireTime: Timestamp(nanoseconds: 45))
  static let iceberg = NewOrder(
    account: GatewayWorld.account, instrument: GatewayWorld.instrument, side: .sell,
    clientOrderId: ClientOrderId(46), price: Price(ticks: 47), quantity: Energy(wattHours: 4800),
    displayQuantity: Energy(wattHours: 4900))
  static let replace = ReplaceOrder(
    account: GatewayWorld.account, order: OrderId(51), clientOrderId: ClientOrderId(52),
    price: Price(ticks: 53), quantity: Energy(wattHours: 54))
  static let agent = SetAgent(
    account: GatewayWorld.account, instrument: GatewayWorld.instrument, sells: true, buys: false,
    sellPrice: Price(ticks: 61), sellAbove: Energy(wattHours: 62), buyPrice: Price(ticks: 63),
    buyBelow: Energy(wattHours: 64), target: Energy(wattHours: -1))
  static let transfer = Transfer(
    from: GatewayWorld.account, to: GatewayWorld.otherAccount, asset: .energy, currency: .eur,
    area: GatewayWorld.area, amount: 71, clientOrderId: ClientOrderId(72))
  static let reading = MeterReading(
    meter: GatewayWorld.meter, registerSequence: 81,
    intervalStart: Timestamp(nanoseconds: 82), intervalEnd: Timestamp(nanoseconds: 83),
    produced: Energy(wattHours: 84), consumed: Energy(wattHours: 85))
  static let movement = CashMovement(
    account: GatewayWorld.account, currency: .eur, amount: Money(units: 91), reference: 92)

  /// An order of `session` after a change.
  static func order(_ session: SessionId, waits: Int64 = 300) -> OrderState {
    OrderState(
      order: OrderId(slot: 3, generation: 2), account: GatewayWorld.account,
      instrument: GatewayWorld.instrument, session: session, clientOrderId: ClientOrderId(101),
      side: .sell, type: .limit, timeInForce: .goodTillTime, waitReason: .awaitingEnergy,
      price: Price(ticks: 102), quantity: Energy(wattHours: 1000),
      leaves: Energy(wattHours: 1000), covered: Energy(wattHours: 1000 - waits))
  }

  static func party(_ session: SessionId, _ seed: Int64) -> TradeParty {
    TradeParty(
      order: OrderId(slot: UInt32(seed), generation: 1), account: AccountId(UInt32(seed + 1)),
      session: session, clientOrderId: ClientOrderId(UInt64(seed + 2)),
      fee: Money(units: seed + 3), leaves: Energy(wattHours: seed + 4),
      covered: Energy(wattHours: seed + 4))
  }

  static let balance = Balance(
    account: GatewayWorld.account, area: GatewayWorld.area, currency: .eur,
    free: Money(units: -201), reserved: Money(units: 202), energy: Energy(wattHours: 203),
    cap: Energy(wattHours: 2040), coveredAsks: Energy(wattHours: 205),
    coveredBids: Energy(wattHours: 206), openAsks: Energy(wattHours: 207),
    openBids: Energy(wattHours: 208))

  static func metered(_ session: SessionId, reference: UInt64) -> Metered {
    Metered(
      reading: reading, session: session, clientSequence: reference,
      account: GatewayWorld.account, area: GatewayWorld.area, lost: Energy(wattHours: 301),
      exported: Energy(wattHours: 302), exportRevenue: Money(units: 303),
      burned: Energy(wattHours: 304), imported: Energy(wattHours: 305),
      importCost: Money(units: 306), usesOwn: true, localCost: Money(units: 307),
      soldLocally: Energy(wattHours: 308), localRevenue: Money(units: 309))
  }
}

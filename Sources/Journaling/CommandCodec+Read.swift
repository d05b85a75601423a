import MarketModel

// Field by field in the order of the drawing in CommandCodec.swift; one line a field.

extension CommandCodec {
  /// Reads the payload of a command of `kind`.
  static func readBody(
    _ kind: Kind, from reader: inout RecordReader
  ) throws(Failure) -> Command.Body {
    switch kind {
    case .enter: .enter(try enter(&reader))
    case .enterIceberg: .enter(try enterIceberg(&reader))
    case .enterOnBehalf: .enter(try enterOnBehalf(&reader))
    case .replace: .replace(try replace(&reader))
    case .cancel: .cancel(try cancel(&reader))
    case .massCancel: .order(.massCancel(try massCancel(&reader)))
    case .setAgent: .order(.setAgent(try setAgent(&reader)))
    case .transfer: .cash(.transfer(try transfer(&reader)))
    case .meterReading: .meterReading(try meterReading(&reader))
    case .deposit: .cash(.deposit(try cash(&reader)))
    case .withdraw: .cash(.withdraw(try cash(&reader)))
    case .createParticipant: .reference(.createParticipant(try createParticipant(&reader)))
    case .registerSession: .reference(.registerSession(try registerSession(&reader)))
    case .createAccount: .reference(.createAccount(try createAccount(&reader)))
    case .setCap: .reference(.setCap(try setCap(&reader)))
    case .createArea: .reference(.createArea(try createArea(&reader)))
    case .setTariff: .reference(.setTariff(try setTariff(&reader)))
    case .createInstrument: .reference(.createInstrument(try createInstrument(&reader)))
    case .setInstrumentState: .reference(.setInstrumentState(try setInstrumentState(&reader)))
    case .registerMeter: .reference(.registerMeter(try registerMeter(&reader)))
    case .tick: .control(.tick)
    case .settlementConfirmed: .control(.settlementConfirmed(try settlementConfirmed(&reader)))
    case .beginSession: .session(.beginSession(beginSession(&reader)))
    case .endSession: .session(.endSession(try endSession(&reader)))
    case .checkpoint: .control(.checkpoint(try checkpoint(&reader)))
    case .setRules: .control(.setRules(try setRules(&reader)))
    }
  }

  private static func enter(_ reader: inout RecordReader) throws(Failure) -> NewOrder {
    let account = reader.account()
    let instrument = reader.instrument()
    let side = try reader.value(Side.self)
    let type = try reader.value(OrderType.self)
    let timeInForce = try reader.value(TimeInForce.self)
    let selfTradePrevention = try reader.value(SelfTradePrevention.self)
    let postOnly = try reader.flag()
    try reader.reserved(3)
    let clientOrderId = reader.clientOrderId()
    let price = reader.price()
    let quantity = reader.energy()
    let minimumQuantity = reader.energy()
    let expireTime = reader.time()
    return NewOrder(
      account: account, instrument: instrument, side: side, type: type,
      timeInForce: timeInForce, selfTradePrevention: selfTradePrevention, postOnly: postOnly,
      clientOrderId: clientOrderId, price: price, quantity: quantity,
      minimumQuantity: minimumQuantity, expireTime: expireTime)
  }

  private static func enterIceberg(_ reader: inout RecordReader) throws(Failure) -> NewOrder {
    var order = try enter(&reader)
    order.displayQuantity = reader.energy()
    // Without it the command has another kind, and each command one encoding only.
    if order.displayQuantity == .zero {
      throw .unknownValue(.enterIceberg, payloadOffset: 56, value: 0)
    }
    return order
  }

  private static func enterOnBehalf(_ reader: inout RecordReader) throws(Failure) -> NewOrder {
    var order = try enter(&reader)
    order.displayQuantity = reader.energy()
    order.onBehalfOf = SessionId(reader.u32())
    if order.onBehalfOf == .exchange {
      throw .unknownValue(.enterOnBehalf, payloadOffset: 64, value: 0)
    }
    try reader.reserved(4)
    return order
  }

  private static func replace(_ reader: inout RecordReader) throws(Failure) -> ReplaceOrder {
    let account = reader.account()
    try reader.reserved(4)
    let order = OrderId(reader.u64())
    let clientOrderId = reader.clientOrderId()
    let price = reader.price()
    let quantity = reader.energy()
    return ReplaceOrder(
      account: account, order: order, clientOrderId: clientOrderId, price: price,
      quantity: quantity)
  }

  private static func cancel(_ reader: inout RecordReader) throws(Failure) -> CancelOrder {
    let account = reader.account()
    try reader.reserved(4)
    let order = OrderId(reader.u64())
    let clientOrderId = reader.clientOrderId()
    return CancelOrder(account: account, order: order, clientOrderId: clientOrderId)
  }

  private static func massCancel(_ reader: inout RecordReader) throws(Failure) -> MassCancel {
    let account = reader.account()
    let instrument = reader.instrument()
    let sides = try reader.value(MassCancel.Sides.self)
    try reader.reserved(7)
    return MassCancel(account: account, instrument: instrument, sides: sides)
  }

  private static func setAgent(_ reader: inout RecordReader) throws(Failure) -> SetAgent {
    let account = reader.account()
    let instrument = reader.instrument()
    let sells = try reader.flag()
    let buys = try reader.flag()
    try reader.reserved(6)
    let sellPrice = reader.price()
    let sellAbove = reader.energy()
    let buyPrice = reader.price()
    let buyBelow = reader.energy()
    let target = reader.energy()
    return SetAgent(
      account: account, instrument: instrument, sells: sells, buys: buys, sellPrice: sellPrice,
      sellAbove: sellAbove, buyPrice: buyPrice, buyBelow: buyBelow, target: target)
  }

  private static func transfer(_ reader: inout RecordReader) throws(Failure) -> Transfer {
    let from = reader.account()
    let to = reader.account()
    let amount = reader.i64()
    let clientOrderId = reader.clientOrderId()
    let currency = reader.currency()
    let area = reader.area()
    let asset = try reader.value(AssetKind.self)
    try reader.reserved(3)
    return Transfer(
      from: from, to: to, asset: asset, currency: currency, area: area, amount: amount,
      clientOrderId: clientOrderId)
  }

  private static func meterReading(_ reader: inout RecordReader) throws(Failure) -> MeterReading {
    let meter = MeterId(reader.u32())
    try reader.reserved(4)
    let registerSequence = reader.u64()
    let intervalStart = reader.time()
    let intervalEnd = reader.time()
    let produced = reader.energy()
    let consumed = reader.energy()
    return MeterReading(
      meter: meter, registerSequence: registerSequence, intervalStart: intervalStart,
      intervalEnd: intervalEnd, produced: produced, consumed: consumed)
  }

  private static func cash(_ reader: inout RecordReader) throws(Failure) -> CashMovement {
    let account = reader.account()
    let currency = reader.currency()
    try reader.reserved(2)
    let amount = reader.money()
    let reference = reader.u64()
    return CashMovement(account: account, currency: currency, amount: amount, reference: reference)
  }

  private static func createParticipant(_ reader: inout RecordReader) throws(Failure)
    -> CreateParticipant
  {
    let participant = ParticipantId(reader.u32())
    try reader.reserved(4)
    let name = reader.label()
    return CreateParticipant(participant: participant, name: name)
  }

  private static func registerSession(_ reader: inout RecordReader) throws(Failure)
    -> RegisterSession
  {
    let session = SessionId(reader.u32())
    let participant = ParticipantId(reader.u32())
    let roles = Roles(rawValue: reader.u8())
    try reader.reserved(7)
    let publicKey = reader.publicKey()
    return RegisterSession(
      session: session, participant: participant, roles: roles, publicKey: publicKey)
  }

  private static func createAccount(_ reader: inout RecordReader) throws(Failure) -> CreateAccount {
    let account = reader.account()
    let participant = ParticipantId(reader.u32())
    return CreateAccount(account: account, participant: participant)
  }

  private static func setCap(_ reader: inout RecordReader) throws(Failure) -> SetCap {
    let account = reader.account()
    let area = reader.area()
    try reader.reserved(2)
    let cap = reader.energy()
    return SetCap(account: account, area: area, cap: cap)
  }

  private static func createArea(_ reader: inout RecordReader) throws(Failure) -> CreateArea {
    let area = reader.area()
    let currency = reader.currency()
    let lossFactor = reader.rate()
    let code = reader.label()
    let storageCost = reader.money()
    let storagePrice = reader.money()
    let feedInPrice = reader.price()
    let retailPrice = reader.price()
    return CreateArea(
      area: area, currency: currency, code: code, storageCost: storageCost,
      storagePrice: storagePrice, feedInPrice: feedInPrice, retailPrice: retailPrice,
      lossFactor: lossFactor)
  }

  private static func setTariff(_ reader: inout RecordReader) throws(Failure) -> SetTariff {
    let area = reader.area()
    try reader.reserved(6)
    let feedInPrice = reader.price()
    let retailPrice = reader.price()
    return SetTariff(area: area, feedInPrice: feedInPrice, retailPrice: retailPrice)
  }

  private static func createInstrument(_ reader: inout RecordReader) throws(Failure)
    -> CreateInstrument
  {
    let instrument = reader.instrument()
    let area = reader.area()
    let kind = try reader.value(InstrumentKind.self)
    try reader.reserved(1)
    let symbol = reader.label()
    let tick = reader.price()
    let lot = reader.energy()
    let lowestPrice = reader.price()
    let highestPrice = reader.price()
    let makerFee = reader.rate()
    let takerFee = reader.rate()
    return CreateInstrument(
      instrument: instrument, area: area, kind: kind, symbol: symbol, tick: tick, lot: lot,
      lowestPrice: lowestPrice, highestPrice: highestPrice, makerFee: makerFee,
      takerFee: takerFee)
  }

  private static func setInstrumentState(_ reader: inout RecordReader) throws(Failure)
    -> SetInstrumentState
  {
    let instrument = reader.instrument()
    let state = try reader.value(InstrumentState.self)
    try reader.reserved(3)
    return SetInstrumentState(instrument: instrument, state: state)
  }

  private static func registerMeter(_ reader: inout RecordReader) throws(Failure) -> RegisterMeter {
    let meter = MeterId(reader.u32())
    let account = reader.account()
    let area = reader.area()
    try reader.reserved(6)
    let publicKey = reader.publicKey()
    return RegisterMeter(meter: meter, account: account, area: area, publicKey: publicKey)
  }

  private static func settlementConfirmed(_ reader: inout RecordReader) throws(Failure)
    -> SettlementConfirmed
  {
    let batch = reader.u64()
    let lastSequence = SequenceNumber(reader.u64())
    return SettlementConfirmed(batch: batch, lastSequence: lastSequence)
  }

  private static func beginSession(_ reader: inout RecordReader) -> BeginSession {
    let session = SessionId(reader.u32())
    let cancelAfter = reader.u32()
    let version = reader.u64()
    return BeginSession(session: session, version: version, cancelAfter: cancelAfter)
  }

  private static func endSession(_ reader: inout RecordReader) throws(Failure) -> EndSession {
    let session = SessionId(reader.u32())
    try reader.reserved(4)
    let version = reader.u64()
    return EndSession(session: session, version: version)
  }

  private static func checkpoint(_ reader: inout RecordReader) throws(Failure) -> Checkpoint {
    let eventHash = reader.u64()
    let stateHash = reader.u64()
    return Checkpoint(eventHash: eventHash, stateHash: stateHash)
  }

  private static func setRules(_ reader: inout RecordReader) throws(Failure) -> SetRules {
    let version = reader.u32()
    try reader.reserved(4)
    guard version <= RulesVersion.newest else { throw .newerRules(version) }
    return SetRules(version: version)
  }
}

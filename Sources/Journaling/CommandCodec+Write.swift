import MarketModel

// Field by field in the order of the drawing in CommandCodec.swift; one line a field.

extension CommandCodec {
  /// Writes the payload of `body`.
  static func write(_ body: Command.Body, to writer: inout RecordWriter) {
    switch body {
    case .enter(let value): write(value, to: &writer)
    case .replace(let value): write(value, to: &writer)
    case .cancel(let value): write(value, to: &writer)
    case .order(.massCancel(let value)): write(value, to: &writer)
    case .order(.setAgent(let value)): write(value, to: &writer)
    case .cash(.transfer(let value)): write(value, to: &writer)
    case .meterReading(let value): write(value, to: &writer)
    case .cash(.deposit(let value)): write(value, to: &writer)
    case .cash(.withdraw(let value)): write(value, to: &writer)
    case .reference(.createParticipant(let value)): write(value, to: &writer)
    case .reference(.registerSession(let value)): write(value, to: &writer)
    case .reference(.createAccount(let value)): write(value, to: &writer)
    case .reference(.setCap(let value)): write(value, to: &writer)
    case .reference(.createArea(let value)): write(value, to: &writer)
    case .reference(.setTariff(let value)): write(value, to: &writer)
    case .reference(.createInstrument(let value)): write(value, to: &writer)
    case .reference(.setInstrumentState(let value)): write(value, to: &writer)
    case .reference(.registerMeter(let value)): write(value, to: &writer)
    case .control(.tick): break
    case .control(.settlementConfirmed(let value)): write(value, to: &writer)
    case .session(.beginSession(let value)): write(value, to: &writer)
    case .session(.endSession(let value)): write(value, to: &writer)
    case .control(.checkpoint(let value)): write(value, to: &writer)
    case .control(.setRules(let value)): write(value, to: &writer)
    }
  }

  private static func write(_ value: NewOrder, to writer: inout RecordWriter) {
    writer.put(value.account.rawValue)
    writer.put(value.instrument.rawValue)
    writer.put(value.side.rawValue)
    writer.put(value.type.rawValue)
    writer.put(value.timeInForce.rawValue)
    writer.put(value.selfTradePrevention.rawValue)
    writer.put(value.postOnly)
    writer.reserve(3)
    writer.put(value.clientOrderId.rawValue)
    writer.put(value.price.ticks)
    writer.put(value.quantity.wattHours)
    writer.put(value.minimumQuantity.wattHours)
    writer.put(value.expireTime.nanoseconds)
    let isOnBehalf = value.onBehalfOf != .exchange
    if isOnBehalf || value.displayQuantity != .zero { writer.put(value.displayQuantity.wattHours) }
    if isOnBehalf {
      writer.put(value.onBehalfOf.rawValue)
      writer.reserve(4)
    }
  }

  private static func write(_ value: ReplaceOrder, to writer: inout RecordWriter) {
    writer.put(value.account.rawValue)
    writer.reserve(4)
    writer.put(value.order.rawValue)
    writer.put(value.clientOrderId.rawValue)
    writer.put(value.price.ticks)
    writer.put(value.quantity.wattHours)
  }

  private static func write(_ value: CancelOrder, to writer: inout RecordWriter) {
    writer.put(value.account.rawValue)
    writer.reserve(4)
    writer.put(value.order.rawValue)
    writer.put(value.clientOrderId.rawValue)
  }

  private static func write(_ value: MassCancel, to writer: inout RecordWriter) {
    writer.put(value.account.rawValue)
    writer.put(value.instrument.rawValue)
    writer.put(value.sides.rawValue)
    writer.reserve(7)
  }

  private static func write(_ value: SetAgent, to writer: inout RecordWriter) {
    writer.put(value.account.rawValue)
    writer.put(value.instrument.rawValue)
    writer.put(value.sells)
    writer.put(value.buys)
    writer.reserve(6)
    writer.put(value.sellPrice.ticks)
    writer.put(value.sellAbove.wattHours)
    writer.put(value.buyPrice.ticks)
    writer.put(value.buyBelow.wattHours)
    writer.put(value.target.wattHours)
  }

  private static func write(_ value: Transfer, to writer: inout RecordWriter) {
    writer.put(value.from.rawValue)
    writer.put(value.to.rawValue)
    writer.put(value.amount)
    writer.put(value.clientOrderId.rawValue)
    writer.put(value.currency.rawValue)
    writer.put(value.area.rawValue)
    writer.put(value.asset.rawValue)
    writer.reserve(3)
  }

  private static func write(_ value: MeterReading, to writer: inout RecordWriter) {
    writer.put(value.meter.rawValue)
    writer.reserve(4)
    writer.put(value.registerSequence)
    writer.put(value.intervalStart.nanoseconds)
    writer.put(value.intervalEnd.nanoseconds)
    writer.put(value.produced.wattHours)
    writer.put(value.consumed.wattHours)
  }

  private static func write(_ value: CashMovement, to writer: inout RecordWriter) {
    writer.put(value.account.rawValue)
    writer.put(value.currency.rawValue)
    writer.reserve(2)
    writer.put(value.amount.units)
    writer.put(value.reference)
  }

  private static func write(_ value: CreateParticipant, to writer: inout RecordWriter) {
    writer.put(value.participant.rawValue)
    writer.reserve(4)
    writer.put(value.name)
  }

  private static func write(_ value: RegisterSession, to writer: inout RecordWriter) {
    writer.put(value.session.rawValue)
    writer.put(value.participant.rawValue)
    writer.put(value.roles.rawValue)
    writer.reserve(7)
    writer.put(value.publicKey)
  }

  private static func write(_ value: CreateAccount, to writer: inout RecordWriter) {
    writer.put(value.account.rawValue)
    writer.put(value.participant.rawValue)
  }

  private static func write(_ value: SetCap, to writer: inout RecordWriter) {
    writer.put(value.account.rawValue)
    writer.put(value.area.rawValue)
    writer.reserve(2)
    writer.put(value.cap.wattHours)
  }

  private static func write(_ value: CreateArea, to writer: inout RecordWriter) {
    writer.put(value.area.rawValue)
    writer.put(value.currency.rawValue)
    writer.put(value.lossFactor.partsPerMillion)
    writer.put(value.code)
    writer.put(value.storageCost.units)
    writer.put(value.storagePrice.units)
    writer.put(value.feedInPrice.ticks)
    writer.put(value.retailPrice.ticks)
  }

  private static func write(_ value: SetTariff, to writer: inout RecordWriter) {
    writer.put(value.area.rawValue)
    writer.reserve(6)
    writer.put(value.feedInPrice.ticks)
    writer.put(value.retailPrice.ticks)
  }

  private static func write(_ value: CreateInstrument, to writer: inout RecordWriter) {
    writer.put(value.instrument.rawValue)
    writer.put(value.area.rawValue)
    writer.put(value.kind.rawValue)
    writer.reserve(1)
    writer.put(value.symbol)
    writer.put(value.tick.ticks)
    writer.put(value.lot.wattHours)
    writer.put(value.lowestPrice.ticks)
    writer.put(value.highestPrice.ticks)
    writer.put(value.makerFee.partsPerMillion)
    writer.put(value.takerFee.partsPerMillion)
  }

  private static func write(_ value: SetInstrumentState, to writer: inout RecordWriter) {
    writer.put(value.instrument.rawValue)
    writer.put(value.state.rawValue)
    writer.reserve(3)
  }

  private static func write(_ value: RegisterMeter, to writer: inout RecordWriter) {
    writer.put(value.meter.rawValue)
    writer.put(value.account.rawValue)
    writer.put(value.area.rawValue)
    writer.reserve(6)
    writer.put(value.publicKey)
  }

  private static func write(_ value: SettlementConfirmed, to writer: inout RecordWriter) {
    writer.put(value.batch)
    writer.put(value.lastSequence.rawValue)
  }

  private static func write(_ value: BeginSession, to writer: inout RecordWriter) {
    writer.put(value.session.rawValue)
    writer.put(value.cancelAfter)
    writer.put(value.version)
  }

  private static func write(_ value: EndSession, to writer: inout RecordWriter) {
    writer.put(value.session.rawValue)
    writer.reserve(4)
    writer.put(value.version)
  }

  private static func write(_ value: Checkpoint, to writer: inout RecordWriter) {
    writer.put(value.eventHash)
    writer.put(value.stateHash)
  }

  private static func write(_ value: SetRules, to writer: inout RecordWriter) {
    writer.put(value.version)
    writer.reserve(4)
  }
}

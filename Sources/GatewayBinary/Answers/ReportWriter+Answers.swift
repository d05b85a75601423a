import GatewayKit
import MarketModel
import Wire

// Encoding of answers and market data, which have no report number.

extension ReportWriter {
  /// Maximum number of blockers of an Explanation in the schema.
  private static let mostBlockers = 64
  /// Maximum number of levels of a LevelSnapshot in the schema.
  static let mostLevels = 120
  /// Length of a level in a LevelSnapshot in bytes, rounded up.
  static let levelLength = 32

  func orderStatus(_ time: Timestamp, reference: UInt64, _ state: OrderState) {
    guard let frame = room(OrderStatusEncoder.frameLength) else { return }
    OrderStatusEncoder(
      into: frame, seqNo: 0, transactTime: time, refSeqNo: reference, orderId: state.order,
      clientOrderId: state.clientOrderId, price: state.price, quantity: state.quantity,
      leaves: state.leaves, covered: state.covered, account: state.account,
      instrument: state.instrument, side: state.side, orderType: state.type,
      timeInForce: state.timeInForce, waitReason: state.waitReason)
    replaceNewValues(frame)
  }

  func explanation(_ time: Timestamp, reference: UInt64, _ explanation: OrderExplanation) {
    let (all, best) = (explanation.blockers, explanation.bestOpposite)
    let blockers = all.prefix(Self.mostBlockers)
    let length = ExplanationEncoder.frameLength(blockerCount: blockers.count)
    guard let frame = room(length) else { return }
    let state = explanation.state
    let encoder = ExplanationEncoder(
      into: frame, seqNo: 0, transactTime: time, refSeqNo: reference, orderId: state.order,
      leaves: state.leaves, covered: state.covered, waiting: state.waiting,
      bestOpposite: best ?? .zero, account: state.account,
      instrument: state.instrument, side: state.side, reason: explanation.strongest,
      hasBestOpposite: best != nil,
      moreBlockers: blockers.count < all.count || explanation.hasMoreBlockers,
      ahead: explanation.ahead, ownOrderId: explanation.ownOrder?.order ?? .null,
      aheadAtLeast: explanation.isAheadPartial,
      blockerCount: blockers.count)
    for (index, blocker) in blockers.enumerated() {
      encoder.setBlocker(
        at: index, orderId: blocker.order, clientOrderId: blocker.clientOrderId,
        price: blocker.price, used: blocker.used)
    }
    replaceNewValues(frame)
  }

  func status(_ time: Timestamp, reference: UInt64, _ status: ServerStatus) {
    guard let frame = room(StatusEncoder.frameLength) else { return }
    StatusEncoder(
      into: frame, seqNo: 0, transactTime: time, refSeqNo: reference,
      lastSequence: status.lastSequence, durableSequence: status.durableSequence,
      eventHash: status.eventHash, stateHash: status.stateHash,
      settledSequence: status.settledSequence, settledBatch: status.settledBatch,
      tradeCount: status.tradeCount, openOrderCount: status.openOrderCount,
      connectionCount: status.connectionCount, participantCount: status.participantCount,
      accountCount: status.accountCount, areaCount: status.areaCount,
      instrumentCount: status.instrumentCount, meterCount: status.meterCount,
      rulesVersion: status.rulesVersion, refusedCommandCount: status.refusedCommandCount,
      historyLag: status.historyLag &+ 1)
  }

  func area(
    _ time: Timestamp, reference: UInt64, _ area: ReferenceData.Area, _ readings: AreaReadings
  ) {
    guard let frame = room(AreaDefinitionEncoder.frameLength) else { return }
    let definition = area.definition
    AreaDefinitionEncoder(
      into: frame, seqNo: 0, transactTime: time, refSeqNo: reference,
      storageCost: definition.storageCost, storagePrice: definition.storagePrice,
      defaultCap: area.defaultCap, feedInPrice: definition.feedInPrice,
      retailPrice: definition.retailPrice, areaCode: definition.code,
      lossFactor: definition.lossFactor, area: definition.area, currency: definition.currency,
      ownUse: readings.ownUse, localFirst: readings.isLocalFirst,
      mintedQuality: readings.mintedQuality, readingWindow: readings.readingWindow)
  }

  func instrument(_ time: Timestamp, reference: UInt64, _ instrument: ReferenceData.Instrument) {
    guard let frame = room(InstrumentDefinitionEncoder.frameLength) else { return }
    let definition = instrument.definition
    InstrumentDefinitionEncoder(
      into: frame, seqNo: 0, transactTime: time, refSeqNo: reference, tickSize: definition.tick,
      lot: definition.lot, lowestPrice: definition.lowestPrice,
      highestPrice: definition.highestPrice, symbol: definition.symbol,
      makerFee: definition.makerFee, takerFee: definition.takerFee,
      instrument: definition.instrument, area: definition.area, kind: definition.kind,
      state: instrument.state)
    replaceNewValues(frame)
  }

  func referenceDataEnd(_ time: Timestamp, reference: UInt64, areas: Int, instruments: Int) {
    guard let frame = room(ReferenceDataEndEncoder.frameLength) else { return }
    ReferenceDataEndEncoder(
      into: frame, seqNo: 0, transactTime: time, refSeqNo: reference, areaCount: UInt32(areas),
      instrumentCount: UInt32(instruments))
  }
}

// MARK: - Market data

extension ReportWriter {
  /// Writes one message of an area's channel; `sequence` is 0 in a snapshot.
  func marketData(_ update: FeedUpdate, area: AreaId, sequence: UInt64, _ time: Timestamp) {
    switch update {
    case .add(let order): add(order, area, sequence)
    case .modify(let order): modify(order, area, sequence)
    case .delete(let order): delete(order, area, sequence)
    case .trade(let trade): marketTrade(trade, area, sequence, time)
    case .state(let instrument, let state):
      guard let frame = room(StateChangeEncoder.frameLength) else { return }
      StateChangeEncoder(
        into: frame, seqNo: sequence, transactTime: time, instrument: instrument, area: area,
        state: state)
      replaceNewValues(frame)
    }
  }

  /// Writes one LevelSnapshot with at most `mostLevels` levels.
  func levels(
    _ levels: [FeedLevel], of instrument: ReferenceData.Instrument, _ time: Timestamp
  ) {
    let length = LevelSnapshotEncoder.frameLength(levelCount: levels.count)
    guard let frame = room(length) else { return }
    let encoder = LevelSnapshotEncoder(
      into: frame, seqNo: 0, transactTime: time, instrument: instrument.definition.instrument,
      area: instrument.definition.area, state: instrument.state, levelCount: levels.count)
    for (index, level) in levels.enumerated() {
      encoder.setLevel(
        at: index, price: level.price, total: level.total, live: level.live,
        orderCount: level.orders, side: level.side)
    }
    replaceNewValues(frame)
  }

  /// Writes a price level as of message `sequence` of an area's channel.
  func level(_ level: FeedLevel, of instrument: InstrumentId, area: AreaId, sequence: UInt64) {
    guard let frame = room(LevelUpdateEncoder.frameLength) else { return }
    LevelUpdateEncoder(
      into: frame, seqNo: sequence, price: level.price, total: level.total, live: level.live,
      orderCount: level.orders, instrument: instrument, area: area, side: level.side)
  }

  func snapshotEnd(_ time: Timestamp, reference: UInt64, area: AreaId, last: UInt64) {
    guard let frame = room(SnapshotEndEncoder.frameLength) else { return }
    SnapshotEndEncoder(
      into: frame, seqNo: last, transactTime: time, refSeqNo: reference, area: area)
  }

  func top(_ top: FeedTop, area: AreaId, sequence: UInt64, _ time: Timestamp) {
    guard let frame = room(TopOfBookEncoder.frameLength) else { return }
    var sides: TopSides = []
    if top.bid != nil { sides.insert(.bid) }
    if top.ask != nil { sides.insert(.ask) }
    if top.liveBid != nil { sides.insert(.liveBid) }
    if top.liveAsk != nil { sides.insert(.liveAsk) }
    TopOfBookEncoder(
      into: frame, seqNo: sequence, transactTime: time, bidPrice: top.bid?.price ?? .zero,
      bidTotal: top.bid?.total ?? .zero, bidLive: top.bid?.live ?? .zero,
      askPrice: top.ask?.price ?? .zero, askTotal: top.ask?.total ?? .zero,
      askLive: top.ask?.live ?? .zero, liveBidPrice: top.liveBid ?? .zero,
      liveAskPrice: top.liveAsk ?? .zero, instrument: top.instrument, area: area, sides: sides)
  }

  private func add(_ order: FeedOrder, _ area: AreaId, _ sequence: UInt64) {
    guard let frame = room(OrderAddEncoder.frameLength) else { return }
    OrderAddEncoder(
      into: frame, seqNo: sequence, orderId: order.order, price: order.price, total: order.total,
      live: order.live, instrument: order.instrument, area: area, side: order.side)
  }

  private func modify(_ order: FeedOrder, _ area: AreaId, _ sequence: UInt64) {
    guard let frame = room(OrderModifyEncoder.frameLength) else { return }
    OrderModifyEncoder(
      into: frame, seqNo: sequence, orderId: order.order, price: order.price, total: order.total,
      live: order.live, instrument: order.instrument, area: area, side: order.side)
  }

  private func delete(_ order: FeedOrder, _ area: AreaId, _ sequence: UInt64) {
    guard let frame = room(OrderDeleteEncoder.frameLength) else { return }
    OrderDeleteEncoder(
      into: frame, seqNo: sequence, orderId: order.order, price: order.price,
      instrument: order.instrument, area: area, side: order.side)
  }

  private func marketTrade(
    _ trade: FeedTrade, _ area: AreaId, _ sequence: UInt64, _ time: Timestamp
  ) {
    guard let frame = room(MarketTradeEncoder.frameLength) else { return }
    MarketTradeEncoder(
      into: frame, seqNo: sequence, transactTime: time, tradeId: trade.trade,
      restingOrderId: trade.resting, price: trade.price, quantity: trade.quantity,
      instrument: trade.instrument, area: area, aggressor: trade.aggressor, isLocal: trade.isLocal)
  }
}

extension OrderExplanation {
  /// The most important reason, as an enumeration of the schema. `instrumentClosed` is never sent,
  /// because closing an instrument cancels its orders.
  fileprivate var strongest: ExplanationReason {
    switch reasons.first {
    case nil, .behind, .noCrossingPrice: .noCrossingPrice
    case .awaitingEnergy: .awaitingEnergy
    case .awaitingHeadroom: .awaitingHeadroom
    case .instrumentHalted: .instrumentHalted
    case .ownOrder: .ownOrder
    }
  }
}

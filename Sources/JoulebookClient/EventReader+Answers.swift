import MarketModel
import Wire

extension ExplanationDecoder {
  func event() throws(ClientError) -> ClientEvent {
    .explanation(
      OrderExplanationReport(
        reference: refSeqNo, order: orderId, account: account, instrument: instrument,
        side: try EventReader.known(side), reason: reasonRaw, leaves: leaves, covered: covered,
        waiting: waiting, bestOpposite: hasBestOpposite ? bestOpposite : nil,
        blockers: blockers.map {
          OrderExplanation.Blocker(
            order: $0.orderId, clientOrderId: $0.clientOrderId, price: $0.price, used: $0.used)
        }, hasMoreBlockers: moreBlockers, ahead: ahead, isAheadPartial: aheadAtLeast,
        ownOrder: ownOrderId))
  }
}

extension AreaDefinitionDecoder {
  func event() throws(ClientError) -> ClientEvent {
    .area(
      AreaState(
        definition: CreateArea(
          area: area, currency: currency, code: areaCode, storageCost: storageCost,
          storagePrice: storagePrice, feedInPrice: feedInPrice, retailPrice: retailPrice,
          lossFactor: lossFactor), defaultCap: defaultCap,
        readings: AreaReadings(
          ownUse: ownUse, isLocalFirst: localFirst, readingWindow: readingWindow,
          mintedQuality: try EventReader.known(mintedQuality))), reference: refSeqNo)
  }
}

extension InstrumentDefinitionDecoder {
  func event() throws(ClientError) -> ClientEvent {
    .instrument(
      CreateInstrument(
        instrument: instrument, area: area, kind: try EventReader.known(kind), symbol: symbol,
        tick: tickSize, lot: lot, lowestPrice: lowestPrice, highestPrice: highestPrice,
        makerFee: makerFee, takerFee: takerFee), try EventReader.known(state),
      reference: refSeqNo)
  }
}

extension StateChangeDecoder {
  func event() throws(ClientError) -> ClientEvent {
    .stateChanged(instrument, try EventReader.known(state), area: area)
  }
}

extension ReferenceDataEndDecoder {
  func event() -> ClientEvent {
    .referenceDataEnd(areas: areaCount, instruments: instrumentCount, reference: refSeqNo)
  }
}

extension OrderAddDecoder {
  func event() throws(ClientError) -> ClientEvent {
    .bookAdd(
      BookOrder(
        order: orderId, instrument: instrument, area: area, side: try EventReader.known(side),
        price: price, total: total, live: live))
  }
}

extension OrderModifyDecoder {
  func event() throws(ClientError) -> ClientEvent {
    .bookModify(
      BookOrder(
        order: orderId, instrument: instrument, area: area, side: try EventReader.known(side),
        price: price, total: total, live: live))
  }
}

extension OrderDeleteDecoder {
  func event() throws(ClientError) -> ClientEvent {
    .bookDelete(
      BookOrder(
        order: orderId, instrument: instrument, area: area, side: try EventReader.known(side),
        price: price, total: .zero, live: .zero))
  }
}

extension MarketTradeDecoder {
  func event() throws(ClientError) -> ClientEvent {
    .marketTrade(
      MarketTradeReport(
        trade: tradeId, resting: restingOrderId, instrument: instrument, area: area,
        aggressor: try EventReader.known(aggressor), price: price, quantity: quantity,
        isLocal: isLocal))
  }
}

extension LevelSnapshotDecoder {
  func event() throws(ClientError) -> ClientEvent {
    var list: [LevelsReport.Level] = []
    for level in levels {
      list.append(
        LevelsReport.Level(
          side: try EventReader.known(level.side), price: level.price, total: level.total,
          live: level.live, orders: level.orderCount))
    }
    return .levels(
      LevelsReport(
        instrument: instrument, area: area, state: try EventReader.known(state), levels: list))
  }
}

extension LevelUpdateDecoder {
  func event() throws(ClientError) -> ClientEvent {
    .level(
      LevelReport(
        instrument: instrument, area: area, side: try EventReader.known(side), price: price,
        total: total, live: live, orders: orderCount))
  }
}

extension SnapshotEndDecoder {
  func event() -> ClientEvent { .snapshotEnd(area: area, reference: refSeqNo) }
}

extension RetransmitRejectDecoder {
  func event() -> ClientEvent { .retransmissionRejected(code: code, limit: brokenLimit) }
}

extension TopOfBookDecoder {
  func event() -> ClientEvent {
    func best(_ side: TopSides, _ price: Price, _ total: Energy, _ live: Energy) -> TopReport.Best?
    {
      sides.contains(side) ? TopReport.Best(price: price, total: total, live: live) : nil
    }
    return .top(
      TopReport(
        instrument: instrument, area: area, bid: best(.bid, bidPrice, bidTotal, bidLive),
        ask: best(.ask, askPrice, askTotal, askLive),
        liveBid: sides.contains(.liveBid) ? liveBidPrice : nil,
        liveAsk: sides.contains(.liveAsk) ? liveAskPrice : nil))
  }
}

extension StatusDecoder {
  func event() -> ClientEvent {
    .status(
      StatusReport(
        reference: refSeqNo, lastSequence: lastSequence, durableSequence: durableSequence,
        eventHash: eventHash, stateHash: stateHash, settledSequence: settledSequence,
        settledBatch: settledBatch, tradeCount: tradeCount, openOrderCount: openOrderCount,
        connectionCount: connectionCount, participantCount: participantCount,
        accountCount: accountCount, areaCount: areaCount, instrumentCount: instrumentCount,
        meterCount: meterCount, rulesVersion: rulesVersion,
        refusedCommandCount: refusedCommandCount, historyLag: historyLag &- 1))
  }
}

import MarketModel
import Wire

extension AcceptedDecoder {
  func event() throws(ClientError) -> ClientEvent {
    .accepted(
      OrderReport(
        order: orderId, clientOrderId: clientOrderId, account: account, instrument: instrument,
        side: try EventReader.known(side), type: try EventReader.known(orderType),
        timeInForce: try EventReader.known(timeInForce),
        waitReason: try EventReader.known(waitReason), price: price, quantity: quantity,
        leaves: quantity, covered: covered))
  }
}

extension ReplacedDecoder {
  func event() throws(ClientError) -> ClientEvent {
    .replaced(
      OrderReport(
        order: orderId, clientOrderId: clientOrderId, account: account, instrument: instrument,
        side: try EventReader.known(side), type: try EventReader.known(orderType),
        timeInForce: try EventReader.known(timeInForce),
        waitReason: try EventReader.known(waitReason), price: price, quantity: quantity,
        leaves: leaves, covered: covered))
  }
}

extension RestatedDecoder {
  func event() throws(ClientError) -> ClientEvent {
    .restated(
      OrderReport(
        order: orderId, clientOrderId: clientOrderId, account: account, instrument: instrument,
        side: try EventReader.known(side), type: .limit, timeInForce: .goodTillCancel,
        waitReason: try EventReader.known(waitReason), price: price, quantity: .zero,
        leaves: leaves, covered: covered))
  }
}

extension OrderStatusDecoder {
  func event() throws(ClientError) -> ClientEvent {
    .orderStatus(
      OrderReport(
        order: orderId, clientOrderId: clientOrderId, account: account, instrument: instrument,
        side: try EventReader.known(side), type: try EventReader.known(orderType),
        timeInForce: try EventReader.known(timeInForce),
        waitReason: try EventReader.known(waitReason), price: price, quantity: quantity,
        leaves: leaves, covered: covered), reference: refSeqNo)
  }
}

extension CanceledDecoder {
  func event() throws(ClientError) -> ClientEvent {
    .canceled(
      CancelReport(
        order: orderId, clientOrderId: clientOrderId, account: account, instrument: instrument,
        side: try EventReader.known(side), quantity: canceledQuantity, leaves: leaves,
        covered: covered, reason: try EventReader.known(reason),
        waitReason: try EventReader.known(waitReason)))
  }
}

extension TradeDecoder {
  func event() throws(ClientError) -> ClientEvent {
    .trade(
      TradeReport(
        trade: tradeId, order: orderId, clientOrderId: clientOrderId, account: account,
        instrument: instrument, side: try EventReader.known(side),
        isTaker: try EventReader.known(liquidity) == .taker, price: price, quantity: quantity,
        fee: fee, leaves: leaves, isLocal: isLocal))
  }
}

extension RejectedDecoder {
  func event() -> ClientEvent {
    .rejected(
      Rejection(
        code: code, limit: brokenLimit, field: field == RejectField.none ? nil : field,
        reference: refSeqNo, account: account,
        clientOrderId: clientOrderId, order: orderId))
  }
}

extension MassCancelReportDecoder {
  func event() throws(ClientError) -> ClientEvent {
    .massCanceled(
      MassCancelReport(
        reference: refSeqNo,
        request: MassCancel(
          account: account, instrument: instrument, sides: try EventReader.known(sides)),
        count: orderCount))
  }
}

extension BalanceUpdateDecoder {
  func event() -> ClientEvent {
    .balance(
      Balance(
        account: account, area: area, currency: currency, free: freeCash, reserved: reservedCash,
        energy: energy, cap: energyCap, coveredAsks: coveredAsks, coveredBids: coveredBids,
        openAsks: openAsks, openBids: openBids), reference: refSeqNo)
  }
}

extension TransferReportDecoder {
  func event() throws(ClientError) -> ClientEvent {
    .transferred(
      Transfer(
        from: fromAccount, to: toAccount, asset: try EventReader.known(asset),
        currency: currency, area: area, amount: amount, clientOrderId: clientOrderId),
      reference: refSeqNo)
  }
}

extension NotedDecoder {
  func event() -> ClientEvent {
    .noted(
      NoteReport(
        order: orderId, clientOrderId: clientOrderId, account: account, text: text))
  }
}

extension AgentReportDecoder {
  func event() -> ClientEvent {
    .agentSet(
      SetAgent(
        account: account, instrument: instrument, sells: flags.contains(.sells),
        buys: flags.contains(.buys), sellPrice: sellPrice, sellAbove: sellAbove,
        buyPrice: buyPrice, buyBelow: buyBelow, target: target), reference: refSeqNo)
  }
}

extension ReportCopyDecoder {
  func event() -> ClientEvent {
    .copied(of: originSession, version: originVersion, report: originSeqNo)
  }
}

extension SettlementNoticeDecoder {
  func event() -> ClientEvent { .settled(batch: batch, through: lastSequence) }
}

extension AckDecoder {
  func event() -> ClientEvent { .acknowledged(reference: refSeqNo) }
}

extension NotAppliedDecoder {
  func event() -> ClientEvent { .notApplied(from: fromSeqNo, count: missing) }
}

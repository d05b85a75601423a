import GatewayKit
import MarketModel
import Wire

// Pages of settled trades. The ledger is read on another thread (`ExchangePort.readTrades`), so the
// answer comes later, in the order of such requests. It has the sides of all accounts that a bounded
// part of the ledger has; those that the query means are selected here, where owners are known.

extension BinaryGateway {
  /// Requests a page of trades.
  func askTrades(
    _ query: ListQuery, _ message: ListRequestDecoder, _ frame: Frame, _ peer: Peer
  ) -> Next {
    let slot = peer.connection.slot
    let from = message.fromTime == .never ? Timestamp(nanoseconds: 0) : message.fromTime
    // A time of 0 says nothing, as in a buffer of zeros: no trade is older.
    let to = message.toTime.nanoseconds == 0 ? .never : message.toTime
    guard from <= to else {
      refuse(
        frame.sequenceNumber, slot,
        Refusal(.badPeriod, limit: Int64(clamping: from.nanoseconds)), account: message.account)
      return .go
    }
    guard peer.waitingAnswers < Self.mostWaitingAnswers else {
      peers[slot]?.session.putBack(sequence: frame.sequenceNumber)
      pause(slot)
      return .wait
    }
    taken += 1
    peers[slot]?.waitingAnswers += WaitingAnswer.weightOfPage
    exchange.readTrades(
      TradesRequest(
        query, in: from..<to, through: deliveredThrough, session: peer.session.identity,
        version: peer.session.version, reference: frame.sequenceNumber, gateway: number,
        connection: peer.connection.rawValue))
    return .go
  }

  /// Sends a page of trades, if the session still may see it.
  public func trades(_ request: TradesRequest, _ answer: TradesAnswer) {
    guard let slot = peers.slot(of: request.session), let peer = peers[slot],
      peer.connection.rawValue == request.connection, peer.session.version == request.version
    else { return }
    peers[slot]?.waitingAnswers -= WaitingAnswer.weightOfPage
    let (query, reference) = (request.list, request.reference)
    switch answer {
    case .unavailable: refuse(reference, slot, Refusal(.ledgerUnavailable))
    case .noLedger: refuse(reference, slot, Refusal(.noLedger))
    case .page(let page):
      guard query.participant == peer.participant || roles(of: peer).contains(.administration)
      else {
        return refuse(
          reference, slot,
          Refusal(.notPermitted, limit: Int64(Roles.administration.rawValue)))
      }
      if let writer = writer(slot) { send(page, query, reference, writer) }
    }
  }

  private func send(
    _ page: TradesPage, _ query: ListQuery, _ reference: UInt64, _ writer: ReportWriter
  ) {
    var (rows, next) = (0, page.next)
    for (key, side) in page.sides where isMeant(side, query) {
      if rows == query.count {
        next = key
        break
      }
      let currency = view.reference.area(side.area)?.definition.currency
      writer.trade(answerTime, reference: reference, side, currency ?? side.currency)
      rows += 1
    }
    writer.listEnd(
      answerTime, reference: reference, through: page.through, next: next, rows: rows)
  }

  private func isMeant(_ side: TradeSide, _ query: ListQuery) -> Bool {
    if query.account != .null { return side.account == query.account }
    return query.participant.map { view.reference.participant(of: side.account) == $0 } ?? true
  }
}

extension ReportWriter {
  fileprivate func trade(
    _ time: Timestamp, reference: UInt64, _ side: TradeSide, _ currency: Currency
  ) {
    guard let frame = room(TradeRowEncoder.frameLength) else { return }
    TradeRowEncoder(
      into: frame, seqNo: 0, transactTime: time, refSeqNo: reference, tradeTime: side.time,
      sequence: side.sequence, tradeId: side.trade, price: side.price, quantity: side.quantity,
      notional: side.notional, fee: side.fee, account: side.account, area: side.area,
      currency: currency, side: side.side, isLocal: side.isLocal)
  }
}

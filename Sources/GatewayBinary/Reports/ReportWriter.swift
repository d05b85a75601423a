import GatewayKit
import MarketModel
import Transport
import Wire

/// Encodes messages into a connection's send queue or into given memory. One method per message.
/// Owned by one thread; allocates nothing.
struct ReportWriter {
  private unowned(unsafe) let transport: (any Network)?
  private let connection: ConnectionId
  private let memory: UnsafeMutableRawPointer?
  private let version: UInt16

  /// Writes to a connection. The transport must outlive the writer.
  /// - Parameter version: The client's version of the schema.
  @inline(__always) init(transport: any Network, connection: ConnectionId, version: UInt16) {
    (self.transport, self.connection, memory) = (transport, connection, nil)
    self.version = version
  }

  /// Writes one frame into `memory`, which must be large enough, for clients of the newest version.
  @inline(__always) init(into memory: UnsafeMutableRawPointer) {
    (transport, connection, self.memory) = (nil, .null, memory)
    version = WireSchema.version
  }

  /// Replaces values of enums in a frame just written that the client's version does not have. Needed after messages
  /// that go straight to a connection and have an enum; what goes to several is replaced for each.
  @inline(__always) func replaceNewValues(_ frame: UnsafeMutableRawPointer) {
    if version < WireSchema.version { OlderValues.replace(in: frame, for: version) }
  }

  /// Reserves `length` bytes; `nil` if the connection is closed or exceeded its send bound.
  @inline(__always) func room(_ length: Int) -> UnsafeMutableRawPointer? {
    memory ?? transport?.reserve(connection, length)
  }
}

// MARK: - Session

extension ReportWriter {
  func challenge(_ challenge: LogOnChallenge, now: Timestamp) {
    guard let frame = room(ChallengeEncoder.frameLength) else { return }
    ChallengeEncoder(
      into: frame, marketId: challenge.market, nonce: challenge.nonce, serverTime: now)
  }

  func negotiationResponse(_ request: NegotiateRequest, now: Timestamp) {
    guard let frame = room(NegotiationResponseEncoder.frameLength) else { return }
    NegotiationResponseEncoder(
      into: frame, sessionId: request.session, sessionVersion: request.version,
      requestTimestamp: request.timestamp, serverTime: now)
  }

  func negotiationReject(_ request: NegotiateRequest, _ refusal: Refusal) {
    guard let frame = room(NegotiationRejectEncoder.frameLength) else { return }
    NegotiationRejectEncoder(
      into: frame, sessionId: request.session, sessionVersion: request.version,
      requestTimestamp: request.timestamp, brokenLimit: refusal.limit, code: refusal.code)
  }

  func establishmentAck(
    _ request: EstablishRequest, nextClient: UInt64, nextServer: UInt64
  ) {
    guard let frame = room(EstablishmentAckEncoder.frameLength) else { return }
    EstablishmentAckEncoder(
      into: frame, sessionId: request.session, sessionVersion: request.version,
      requestTimestamp: request.timestamp, nextClientSeqNo: nextClient,
      nextServerSeqNo: nextServer, keepAliveInterval: request.keepAliveMilliseconds)
  }

  func establishmentReject(_ request: EstablishRequest, _ refusal: Refusal) {
    guard let frame = room(EstablishmentRejectEncoder.frameLength) else { return }
    EstablishmentRejectEncoder(
      into: frame, sessionId: request.session, sessionVersion: request.version,
      requestTimestamp: request.timestamp, brokenLimit: refusal.limit, code: refusal.code)
  }

  func sequence(next: UInt64) {
    guard let frame = room(SequenceEncoder.frameLength) else { return }
    SequenceEncoder(into: frame, nextSeqNo: next)
  }

  func notApplied(from: UInt64, count: UInt64) {
    guard let frame = room(NotAppliedEncoder.frameLength) else { return }
    NotAppliedEncoder(into: frame, fromSeqNo: from, missing: count)
  }

  func finishedSending(version: UInt64, last: UInt64) {
    guard let frame = room(FinishedSendingEncoder.frameLength) else { return }
    FinishedSendingEncoder(into: frame, sessionVersion: version, lastSeqNo: last)
  }

  func finishedReceiving(version: UInt64) {
    guard let frame = room(FinishedReceivingEncoder.frameLength) else { return }
    FinishedReceivingEncoder(into: frame, sessionVersion: version)
  }

  func terminate(version: UInt64, _ refusal: Refusal) {
    guard let frame = room(TerminateEncoder.frameLength) else { return }
    TerminateEncoder(
      into: frame, sessionVersion: version, brokenLimit: refusal.limit, code: refusal.code)
  }
}

// MARK: - Retransmission

extension ReportWriter {
  func retransmission(_ query: RetransmitQuery) {
    guard let frame = room(RetransmissionEncoder.frameLength) else { return }
    RetransmissionEncoder(
      into: frame, sessionVersion: query.version, requestTimestamp: query.timestamp,
      nextSeqNo: query.from, count: query.count)
  }

  func retransmitReject(_ query: RetransmitQuery, _ refusal: Refusal) {
    guard let frame = room(RetransmitRejectEncoder.frameLength) else { return }
    RetransmitRejectEncoder(
      into: frame, sessionVersion: query.version, requestTimestamp: query.timestamp,
      brokenLimit: refusal.limit, code: refusal.code)
  }
}

// MARK: - Reports

extension ReportWriter {
  func copied(_ sequence: UInt64, _ time: Timestamp, _ notice: Report) {
    guard let frame = room(ReportCopyEncoder.frameLength) else { return }
    ReportCopyEncoder(
      into: frame, seqNo: sequence, transactTime: time, originSeqNo: notice.originNumber,
      originSession: notice.origin, originVersion: notice.originVersion)
  }

  func settled(_ sequence: UInt64, _ time: Timestamp, _ done: SettlementConfirmed) {
    guard let frame = room(SettlementNoticeEncoder.frameLength) else { return }
    SettlementNoticeEncoder(
      into: frame, seqNo: sequence, transactTime: time, batch: done.batch,
      lastSequence: done.lastSequence)
  }

  @inline(__always) func accepted(_ sequence: UInt64, _ time: Timestamp, _ state: OrderState) {
    guard let frame = room(AcceptedEncoder.frameLength) else { return }
    AcceptedEncoder(
      into: frame, seqNo: sequence, transactTime: time, orderId: state.order,
      clientOrderId: state.clientOrderId, price: state.price, quantity: state.quantity,
      covered: state.covered, account: state.account, instrument: state.instrument,
      side: state.side, orderType: state.type, timeInForce: state.timeInForce,
      waitReason: state.waitReason)
  }

  @inline(__always) func replaced(_ sequence: UInt64, _ time: Timestamp, _ state: OrderState) {
    guard let frame = room(ReplacedEncoder.frameLength) else { return }
    ReplacedEncoder(
      into: frame, seqNo: sequence, transactTime: time, orderId: state.order,
      clientOrderId: state.clientOrderId, price: state.price, quantity: state.quantity,
      leaves: state.leaves, covered: state.covered, account: state.account,
      instrument: state.instrument, side: state.side, orderType: state.type,
      timeInForce: state.timeInForce, waitReason: state.waitReason)
  }

  @inline(__always) func restated(_ sequence: UInt64, _ time: Timestamp, _ state: OrderState) {
    guard let frame = room(RestatedEncoder.frameLength) else { return }
    RestatedEncoder(
      into: frame, seqNo: sequence, transactTime: time, orderId: state.order,
      clientOrderId: state.clientOrderId, price: state.price, leaves: state.leaves,
      covered: state.covered, waiting: state.waiting, account: state.account,
      instrument: state.instrument, side: state.side, waitReason: state.waitReason)
  }

  @inline(__always) func canceled(_ sequence: UInt64, _ time: Timestamp, _ canceled: OrderCanceled)
  {
    guard let frame = room(CanceledEncoder.frameLength) else { return }
    let state = canceled.state
    CanceledEncoder(
      into: frame, seqNo: sequence, transactTime: time, orderId: state.order,
      clientOrderId: state.clientOrderId, canceledQuantity: canceled.quantity,
      leaves: state.leaves, covered: state.covered, account: state.account,
      instrument: state.instrument, side: state.side, reason: canceled.reason,
      waitReason: state.waitReason)
  }

  @inline(__always) func trade(
    _ sequence: UInt64, _ time: Timestamp, _ trade: borrowing Trade, _ side: Side,
    _ party: TradeParty
  ) {
    guard let frame = room(TradeEncoder.frameLength) else { return }
    TradeEncoder(
      into: frame, seqNo: sequence, transactTime: time, tradeId: trade.trade,
      orderId: party.order, clientOrderId: party.clientOrderId, price: trade.price,
      quantity: trade.quantity, fee: party.fee, leaves: party.leaves, account: party.account,
      instrument: trade.instrument, side: side,
      liquidity: trade.aggressor == side ? .taker : .maker, isLocal: trade.isLocal)
  }

  func rejected(_ sequence: UInt64, _ time: Timestamp, _ rejected: Rejected) {
    guard let frame = room(RejectedEncoder.frameLength) else { return }
    RejectedEncoder(
      into: frame, seqNo: sequence, transactTime: time, refSeqNo: rejected.clientSequence,
      brokenLimit: rejected.limit, orderId: rejected.order,
      clientOrderId: rejected.clientOrderId, account: rejected.account,
      sessionId: rejected.session, code: rejected.code, field: rejected.field)
  }

  func massCanceled(_ sequence: UInt64, _ time: Timestamp, _ done: MassCanceled) {
    guard let frame = room(MassCancelReportEncoder.frameLength) else { return }
    MassCancelReportEncoder(
      into: frame, seqNo: sequence, transactTime: time, refSeqNo: done.clientSequence,
      orderCount: UInt64(done.count), account: done.request.account,
      instrument: done.request.instrument, sides: done.request.sides)
  }

  @inline(__always) func balance(
    _ sequence: UInt64, _ time: Timestamp, reference: UInt64, _ balance: Balance
  ) {
    guard let frame = room(BalanceUpdateEncoder.frameLength) else { return }
    BalanceUpdateEncoder(
      into: frame, seqNo: sequence, transactTime: time, refSeqNo: reference,
      freeCash: balance.free, reservedCash: balance.reserved, energy: balance.energy,
      energyCap: balance.cap, headroom: balance.headroom, coveredAsks: balance.coveredAsks,
      coveredBids: balance.coveredBids, openAsks: balance.openAsks, openBids: balance.openBids,
      account: balance.account, area: balance.area, currency: balance.currency)
  }

  func transferred(_ sequence: UInt64, _ time: Timestamp, _ done: Transferred) {
    guard let frame = room(TransferReportEncoder.frameLength) else { return }
    let transfer = done.transfer
    TransferReportEncoder(
      into: frame, seqNo: sequence, transactTime: time, refSeqNo: done.clientSequence,
      clientOrderId: transfer.clientOrderId, amount: transfer.amount, fromAccount: transfer.from,
      toAccount: transfer.to, asset: transfer.asset, currency: transfer.currency,
      area: transfer.area)
  }

  func agentSet(_ sequence: UInt64, _ time: Timestamp, _ done: SetAgentDone) {
    guard let frame = room(AgentReportEncoder.frameLength) else { return }
    let agent = done.agent
    var flags: AgentFlags = []
    if agent.sells { flags.insert(.sells) }
    if agent.buys { flags.insert(.buys) }
    AgentReportEncoder(
      into: frame, seqNo: sequence, transactTime: time, refSeqNo: done.clientSequence,
      sellPrice: agent.sellPrice, sellAbove: agent.sellAbove, buyPrice: agent.buyPrice,
      buyBelow: agent.buyBelow, target: agent.target, account: agent.account,
      instrument: agent.instrument, flags: flags)
  }

  func noted(_ sequence: UInt64, _ time: Timestamp, _ noted: Noted) {
    guard let frame = room(NotedEncoder.frameLength) else { return }
    NotedEncoder(
      into: frame, seqNo: sequence, transactTime: time, orderId: noted.order,
      clientOrderId: noted.clientOrderId, text: noted.text, account: noted.account)
  }

  func ack(_ sequence: UInt64, _ time: Timestamp, reference: UInt64) {
    guard let frame = room(AckEncoder.frameLength) else { return }
    AckEncoder(into: frame, seqNo: sequence, transactTime: time, refSeqNo: reference)
  }
}

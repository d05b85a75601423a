import MarketModel
import Transport
import Wire

// What goes out: reports to the sessions that an event concerns, and the market data.

extension BinaryGateway {
  /// Sends what the sessions concerned must know of an event.
  func report(_ event: borrowing Event, _ time: Timestamp) {
    guard peers.establishedCount > 0 else { return }
    switch event {
    case .accepted(let state):
      sendReport(to: state.session) { $0.accepted($1, time, state) }
    case .replaced(let state):
      sendReport(to: state.session) { $0.replaced($1, time, state) }
    case .restated(let state):
      sendReport(to: state.session) { $0.restated($1, time, state) }
    case .canceled(let canceled):
      sendReport(to: canceled.state.session) { $0.canceled($1, time, canceled) }
    case .trade(let trade):
      sendReport(to: trade.buyer.session) { $0.trade($1, time, trade, .buy, trade.buyer) }
      sendReport(to: trade.seller.session) { $0.trade($1, time, trade, .sell, trade.seller) }
    case .rejected(let rejected):
      sendReport(to: rejected.session) { $0.rejected($1, time, rejected) }
    case .massCanceled(let done):
      sendReport(to: done.session) { $0.massCanceled($1, time, done) }
    case .balance(let balance): report(balance, time)
    case .metered(let done): sendReport(to: done.session) { $0.metered($1, time, done) }
    case .transferred(let done):
      sendReport(to: done.session) { $0.transferred($1, time, done) }
    case .agentSet(let done): sendReport(to: done.session) { $0.agentSet($1, time, done) }
    case .acknowledged(let done):
      sendReport(to: done.session) { $0.ack($1, time, reference: done.clientSequence) }
    case .sessionRegistered(let registered): update(registered)
    case .deposited, .withdrawn, .participantCreated, .accountCreated, .capSet, .areaCreated,
      .tariffSet, .instrumentCreated, .instrumentStateChanged, .meterRegistered,
      .settlementConfirmed, .alarm:
      break
    }
  }

  /// A balance concerns every trading session of the account's participant.
  private func report(_ balance: Balance, _ time: Timestamp) {
    guard let participant = directory.participant(of: balance.account) else { return }
    for slot in peers.slots(of: participant) {
      guard peers[Int(slot)]?.roles.contains(.trading) == true else { continue }
      sendReport(to: Int(slot)) { $0.balance($1, time, reference: 0, balance) }
    }
  }

  /// New roles count at once; revoked, or given to another participant, a session ends.
  private func update(_ registered: RegisterSession) {
    guard let slot = peers.slot(of: registered.session) else { return }
    let isItsOwn = peers[slot]?.participant == registered.participant
    guard isItsOwn, !registered.roles.isEmpty else {
      return terminate(slot, Refusal(.unknownSession))
    }
    peers[slot]?.roles = registered.roles
  }

  @inline(__always) private func sendReport(
    to session: SessionId, _ write: (ReportWriter, UInt64) -> Void
  ) {
    if let slot = peers.slot(of: session) { sendReport(to: slot, write) }
  }

  /// Writes a report with the next sequence number of the session in `slot`.
  @inline(__always) func sendReport(to slot: Int, _ write: (ReportWriter, UInt64) -> Void) {
    let peer = peers.pointer(slot)
    guard let connection = peer.pointee?.connection, peer.pointee?.session.state == .established,
      let sequence = peer.pointee?.session.takeOutgoing(now: now)
    else { return }
    counts.reports += 1
    write(ReportWriter(transport: transport, connection: connection), sequence)
  }
}

/// Sends each market-data message to the subscribers of its area.
struct FeedBroadcast: FeedSink {
  let gateway: BinaryGateway
  let time: Timestamp

  func publish(_ update: FeedUpdate, area: AreaId, sequence: UInt64) {
    for slot in gateway.peers.subscribers(of: area) {
      gateway.counts.marketData += 1
      gateway.writer(Int(slot))?.marketData(update, area: area, sequence: sequence, time)
    }
  }
}

import MarketModel
import Transport
import Wire

// Sessions that lose their connection: what is cancelled, and what is sent again.

extension BinaryGateway {
  /// The session in `slot` is over: its identity is free again, and its orders may be cancelled.
  func release(_ slot: Int) {
    guard let peer = peers[slot], let identity = peers.ended(slot) else { return }
    identities.release(identity, nextIncoming: peer.session.nextIncoming)
    expectReturn(of: identity, version: peer.session.version, cancelAfter: peer.cancelAfter)
  }

  // MARK: Cancel on disconnect

  /// Gives a lost session the time that it asked for. A server that ends itself cancels nothing: its
  /// next start counts as the loss.
  func expectReturn(of session: SessionId, version: UInt64, cancelAfter: UInt32) {
    if isDraining || cancelAfter == BeginSession.never { return }
    server.note(.disconnected(session, cancelAfter: cancelAfter))
    lost[session] = (version, now.nanoseconds + UInt64(cancelAfter) * 1_000_000)
    if cancelAfter == 0 { cancelOrdersOfLostSessions() }
  }

  /// Ends the sessions whose time is up: journaled commands, so that a replay cancels the same.
  func cancelOrdersOfLostSessions() {
    if lost.isEmpty || isDraining { return }
    let due = lost.filter { $0.value.due <= now.nanoseconds }.keys.sorted()
    for session in due {
      guard let version = lost.removeValue(forKey: session)?.version else { continue }
      submitOwn(.endSession(EndSession(session: session, version: version)))
    }
  }

  /// Submits a command of the gateway's own, now or as soon as the intake has room.
  func submitOwn(_ body: Command.Body) {
    ownCommands.append(Command(session: .exchange, body: body))
    submitOwnCommands()
  }

  /// Submits what waits, in order.
  func submitOwnCommands() {
    while let command = ownCommands.first {
      switch server.submit(command) {
      case .taken: break
      case .full: return
      // Not taken for want of room, it is tried again; an ending server takes nothing more.
      case .refused(let refusal) where refusal.code != .shuttingDown: return
      case .refused: break
      }
      ownCommands.removeFirst()
    }
  }

  // MARK: Retransmission

  /// Answers a RetransmitRequest: from what is kept, or from the journal.
  func retransmit(_ frame: Frame, _ slot: Int) {
    guard let message = RetransmitRequestDecoder(frame) else { return }
    switch peers[slot]?.session.request(now: now) {
    case .terminate(let refusal): return sendTerminate(refusal, slot)
    case .process: break
    default: return
    }
    guard let peer = peers[slot] else { return }
    let query = RetransmitQuery(
      session: peer.session.identity, version: peer.session.version, from: message.fromSeqNo,
      count: message.count, timestamp: message.timestamp)
    if let refusal = refusal(of: query, message.sessionVersion, peer) {
      counts.rejects += 1
      writer(slot)?.retransmitReject(query, refusal)
      return
    }
    let row = recent.row(Int(query.session.rawValue))
    if let first = row.pointee.first, first <= query.from {
      sendRecent(query, slot, row)
    } else {
      peers[slot]?.isAwaitingHistory = true
      server.retransmit(query)
    }
  }

  /// The answer to a query that was handed to the server.
  /// - Parameter reports: The frames, one behind the other; `nil`: the journal cannot be read.
  public func retransmit(_ query: RetransmitQuery, _ reports: [UInt8]?) {
    guard let slot = peers.slot(of: query.session),
      peers[slot]?.session.version == query.version, peers[slot]?.isAwaitingHistory == true
    else { return }
    guard let reports else {
      peers[slot]?.isAwaitingHistory = false
      writer(slot)?.retransmitReject(query, Refusal(.historyUnavailable))
      return
    }
    heldAnswers.append((query, reports))
    sendHeldAnswers()
  }

  /// Sends what waits, to clients that have read enough of what they were sent before.
  func sendHeldAnswers() {
    if heldAnswers.isEmpty { return }
    heldAnswers.removeAll { query, reports in
      guard let slot = peers.slot(of: query.session), let peer = peers[slot],
        peer.session.version == query.version
      else { return true }
      let waiting = transport.queued(peer.connection)
      if waiting > 0, waiting > transport.sendBound / 2 - reports.count { return false }
      peers[slot]?.isAwaitingHistory = false
      writer(slot)?.retransmission(query)
      guard let room = transport.reserve(peer.connection, reports.count) else { return true }
      reports.withUnsafeBytes { bytes in
        if let base = bytes.baseAddress { room.copyMemory(from: base, byteCount: bytes.count) }
      }
      counts.retransmitted += Int(query.count)
      return true
    }
  }

  private func refusal(
    of query: RetransmitQuery, _ version: UInt64, _ peer: Peer
  ) -> Refusal? {
    guard version == query.version else {
      return Refusal(.unknownSessionVersion, limit: Int64(clamping: query.version))
    }
    if peer.isAwaitingHistory { return Refusal(.retransmitBusy) }
    let most = configuration.session.retransmission
    if query.count > most { return Refusal(.retransmitTooLong, limit: Int64(most)) }
    let flow = router.flow(of: query.session)
    let last = flow.version == query.version ? flow.last : 0
    guard query.count > 0, query.from > 0, query.from <= last,
      UInt64(query.count) <= last - query.from + 1
    else { return Refusal(.retransmitOutOfRange, limit: Int64(clamping: last)) }
    return nil
  }

  private func sendRecent(
    _ query: RetransmitQuery, _ slot: Int, _ row: UnsafeMutablePointer<RecentReports>
  ) {
    guard let connection = peers[slot]?.connection else { return }
    writer(slot)?.retransmission(query)
    row.pointee.forEach(from: query.from, count: UInt64(query.count)) { report in
      guard let room = transport.reserve(connection, report.length) else { return }
      room.copyMemory(from: report.start, byteCount: report.length)
    }
    counts.retransmitted += Int(query.count)
  }
}

import GatewayKit
import MarketModel
import Transport
import Wire

// Incoming messages: frames, session messages, commands.

extension BinaryGateway {
  /// How to continue after a frame.
  enum Next {
    /// The frame was handled.
    case go
    /// The frame stays in the buffer, because the intake was full.
    case wait
    /// The connection is ending; further frames are discarded.
    case stop
  }

  /// Handles the frames in the bytes read from a connection.
  /// - Returns: the number of bytes handled.
  func readFrames(_ slot: Int, _ bytes: UnsafeRawBufferPointer) -> Int {
    let reader = FrameReader(from: .client)
    // One retain for all frames instead of one per frame.
    let exchange = exchange
    var offset = 0
    while true {
      switch reader.next(in: UnsafeRawBufferPointer(rebasing: bytes[offset...])) {
      case .incomplete: return offset
      case .malformed(let code, let limit):
        perform(peers[slot]?.session.terminate(Refusal(code, limit: limit)) ?? .none, slot)
        return bytes.count
      case .frame(let frame, let template):
        switch handle(frame, template, slot, exchange) {
        case .go: offset += frame.length
        case .wait: return offset
        case .stop: return bytes.count
        }
      }
    }
  }

  private func handle(
    _ frame: Frame, _ template: Template, _ slot: Int, _ exchange: any ExchangePort
  ) -> Next {
    let isLast = template == .terminate || template == .finishedSending
    if isLast, waitsForReadings(slot) { return .wait }
    switch template {
    case .negotiate: negotiate(frame, slot)
    case .establish: establish(frame, slot)
    case .sequence: sequence(frame, slot)
    case .retransmitRequest: retransmit(frame, slot)
    case .finishedSending: finishedSending(frame, slot)
    case .finishedReceiving: finishedReceiving(frame, slot)
    case .terminate:
      perform(peers[slot]?.session.terminated() ?? .none, slot)
    default: return application(frame, template, slot, exchange)
    }
    return peers[slot]?.session.state == .ended ? .stop : .go
  }

  private func application(
    _ frame: Frame, _ template: Template, _ slot: Int, _ exchange: any ExchangePort
  ) -> Next {
    let sequence = frame.sequenceNumber
    let peer = peers.pointer(slot)
    let isCancel = template == .cancel || template == .massCancel
    if template != .meterReading, waitsForReadings(slot) { return .wait }
    guard let identity = peer.pointee?.session.identity,
      let admission = peer.pointee?.session.admit(
        sequence: sequence, now: now, isCancel: isCancel, own: view.messageLimit(of: identity))
    else { return .stop }
    switch admission {
    case .process: break
    case .reject(let refusal):
      throttle(frame, refusal, slot)
      return .go
    case .processAfterGap(let from, let count): writer(slot)?.notApplied(from: from, count: count)
    case .drop: return .go
    case .terminate(let refusal):
      endForFault(refusal, slot)
      return .stop
    }
    guard OrderReader.isCommand(template) else {
      return holdList(frame, template, slot) ?? pay(for: frame, template, slot)
        ?? answer(frame, template, slot)
    }
    if let work = peer.pointee?.work, !work.pointee.allowsCommand(isCancel: isCancel, at: now) {
      refuseWork(frame, slot, left: work.pointee.left)
      return .go
    }
    if template == .meterReading { return reading(frame, slot) }
    let result = OrderReader().readOrder(
      frame, template, from: identity, roles: view.reference.roles(of: identity))
    switch result {
    case .command(let command): return submit(command, frame, isCancel: isCancel, slot, exchange)
    case .rejected(let rejected):
      reject(rejected, slot)
      return .go
    }
  }

  /// Submits a client's command.
  private func submit(
    _ command: Command, _ frame: Frame, isCancel: Bool, _ slot: Int, _ exchange: any ExchangePort
  ) -> Next {
    switch exchange.submit(command) {
    case .taken:
      counts.commands += 1
      taken += 1
      return .go
    case .full:
      peers[slot]?.session.putBack(sequence: command.clientSequence, isCancel: isCancel)
      pause(slot)
      return .wait
    case .refused(let refusal):
      reject(OrderReader.rejected(frame, refusal, command.session), slot)
      return .go
    }
  }

  /// Rejects a message in the gateway. The reject has no report number, since the journal does not
  /// contain the message.
  func reject(_ rejected: Rejected, _ slot: Int) {
    counts.rejects += 1
    writer(slot)?.rejected(0, answerTime, rejected)
    peers[slot]?.session.noteSent(now: now)
  }

  /// Rejects a message of a session that exceeds a limit; the first one of a connection is logged.
  func throttle(_ frame: Frame, _ refusal: Refusal, _ slot: Int) {
    guard let peer = peers[slot] else { return }
    if !peer.isThrottled {
      peers[slot]?.isThrottled = true
      exchange.note(.throttled(peer.session.identity, refusal))
    }
    reject(OrderReader.rejected(frame, refusal, peer.session.identity), slot)
  }
}

// MARK: - Session messages

extension BinaryGateway {
  private func negotiate(_ frame: Frame, _ slot: Int) {
    guard let message = NegotiateDecoder(frame), let peer = peers[slot] else { return }
    let request = NegotiateRequest(
      session: message.sessionId, version: message.sessionVersion, timestamp: message.timestamp)
    if isDraining { return terminate(slot, Refusal(.shuttingDown)) }
    let wall = configuration.clock()
    var proof = LogOnProof(self, peer, frame, request.session, message.signature)
    let action = peers[slot]?.session.negotiate(
      request, now: now, wall: wall, identities: &view.identities,
      doubt: proof.doubt(.negotiate(peer.challenge)))
    switch action {
    case .answer(.respond):
      peers[slot]?.participant = view.reference.session(request.session)?.participant ?? .exchange
      if view.reference.roles(of: request.session).contains(.administration) {
        transport.keepPlace(peer.connection)
      }
      writer(slot)?.negotiationResponse(request, now: wall)
    case .answer(.rejectNegotiation(let refusal)):
      seat.noteRefused(request.session, proof.failure(refusal), from: proof.address)
      counts.terminations += 1
      writer(slot)?.negotiationReject(request, refusal)
      finish(slot)
    case .some(let other): perform(other, slot)
    case nil: break
    }
  }

  private func establish(_ frame: Frame, _ slot: Int) {
    guard let message = EstablishDecoder(frame), let peer = peers[slot] else { return }
    let request = EstablishRequest(
      session: message.sessionId, version: message.sessionVersion, timestamp: message.timestamp,
      keepAliveMilliseconds: message.keepAliveInterval, nextSequence: message.nextSeqNo,
      cancelAfter: message.cancelAfter)
    if isDraining { return terminate(slot, Refusal(.shuttingDown)) }
    var proof = LogOnProof(self, peer, frame, request.session, message.signature)
    let action = peers[slot]?.session.establish(
      request, now: now, wall: configuration.clock(), identities: &view.identities, by: number,
      doubt: proof.doubt(.establish(peer.challenge)) ?? proof.lackOfPlace())
    switch action {
    case .answer(.acknowledge):
      takeOver(request.session, by: slot)
      peers[slot]?.schemaVersion = frame.version
      acknowledge(request, slot, view.reference.session(request.session))
    case .answer(.rejectEstablishment(let refusal)):
      seat.noteRefused(request.session, proof.failure(refusal), from: proof.address)
      counts.terminations += 1
      writer(slot)?.establishmentReject(request, refusal)
      finish(slot)
    case .some(let other): perform(other, slot)
    case nil: break
    }
  }

  /// Closes the connection on which the session was established before; it may be dead without the
  /// server having noticed.
  private func takeOver(_ session: SessionId, by slot: Int) {
    guard let former = peers.slot(of: session), let version = peers[slot]?.session.version else {
      return
    }
    if let next = peers[former]?.nextIncoming {
      peers[slot]?.session.resume(at: next)
    }
    // It is removed first, so that its end does not count as a disconnection of the session.
    _ = peers.ended(former)
    terminate(former, Refusal(.alreadyEstablished))
    view.identities.establish(session, version: version, by: number)
  }

  private func acknowledge(
    _ request: EstablishRequest, _ slot: Int, _ known: ReferenceData.Session?
  ) {
    counts.sessions += 1
    lost.found(request.session)
    seat.places.take(request.session, in: view.reference)
    peers[slot]?.participant = known?.participant ?? .exchange
    peers[slot]?.cancelAfter = request.cancelAfter
    peers[slot]?.work = budgets.budget(of: known?.participant ?? .exchange)
    peers[slot]?.since = configuration.clock()
    peers.established(slot)
    if let connection = peers[slot]?.connection { transport.promote(connection) }
    guard let session = peers[slot]?.session else { return }
    writer(slot)?.establishmentAck(
      request, nextClient: session.nextIncoming,
      nextServer: view.flows.flow(of: request.session).next(in: request.version))
    if case .processAfterGap(let from, let count)? =
      peers[slot]?.session.sequence(next: request.nextSequence, now: now)
    {
      writer(slot)?.notApplied(from: from, count: count)
    }
    begin(request.session, version: request.version, cancelAfter: request.cancelAfter)
  }

  private func sequence(_ frame: Frame, _ slot: Int) {
    guard let message = SequenceDecoder(frame) else { return }
    switch peers[slot]?.session.sequence(next: message.nextSeqNo, now: now) {
    case .processAfterGap(let from, let count): writer(slot)?.notApplied(from: from, count: count)
    case .terminate(let refusal): endForFault(refusal, slot)
    case .drop, .process, .reject, nil: break
    }
  }

  /// Performs an action of the session state machine.
  func perform(_ action: FixpSession.Action, _ slot: Int) {
    switch action {
    case .none: break
    case .answer: break  // Given where the request is at hand.
    case .terminate(let refusal): endForFault(refusal, slot)
    case .answerTerminate:
      writer(slot)?.terminate(
        version: peers[slot]?.session.version ?? 0, Refusal(RejectCode(rawValue: 0)))
      finish(slot)
    case .sendSequence:
      guard let session = peers[slot]?.session else { return }
      writer(slot)?.sequence(
        next: view.flows.flow(of: session.identity).next(in: session.version))
    }
  }

  /// Terminates the session in `slot` with a code.
  func terminate(_ slot: Int, _ refusal: Refusal) {
    if case .terminate(let refusal)? = peers[slot]?.session.terminate(refusal) {
      sendTerminate(refusal, slot)
    }
  }

  /// Sends Terminate and closes the connection because of what its client did, which is logged if it
  /// is known who that is.
  func endForFault(_ refusal: Refusal, _ slot: Int) {
    if let peer = peers[slot], peer.session.identity != .exchange {
      let address = configuration.address(transport, peer.connection)
      exchange.note(.brokeProtocol(peer.session.identity, refusal, from: address))
    }
    sendTerminate(refusal, slot)
  }

  /// Sends Terminate and closes the connection.
  func sendTerminate(_ refusal: Refusal, _ slot: Int) {
    counts.terminations += 1
    writer(slot)?.terminate(version: peers[slot]?.session.version ?? 0, refusal)
    finish(slot)
  }

  /// Ends the session and closes the connection after the queued bytes were sent.
  private func finish(_ slot: Int) {
    guard let connection = peers[slot]?.connection else { return }
    release(slot)
    peers[slot]?.isPaused = false
    transport.finish(connection)
  }

  /// A writer for the connection in `slot`.
  func writer(_ slot: Int) -> ReportWriter? {
    let peer = peers.pointer(slot)
    guard let connection = peer.pointee?.connection, let version = peer.pointee?.schemaVersion
    else { return nil }
    return ReportWriter(transport: transport, connection: connection, version: version)
  }
}

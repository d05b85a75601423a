import MarketModel
import Transport
import Wire

// What comes in: frames, the session's own messages, commands.

extension BinaryGateway {
  /// What is done after a frame.
  private enum Next {
    /// The frame is done with.
    case go
    /// It stays: the intake was full.
    case wait
    /// The connection is ending; whatever follows is discarded.
    case stop
  }

  /// Walks the frames of one read.
  /// - Returns: How many bytes are done with.
  func readFrames(_ slot: Int, _ bytes: UnsafeRawBufferPointer) -> Int {
    let reader = FrameReader(from: .client)
    var offset = 0
    while true {
      switch reader.next(in: UnsafeRawBufferPointer(rebasing: bytes[offset...])) {
      case .incomplete: return offset
      case .malformed(let code, let limit):
        terminate(slot, Refusal(code, limit: limit))
        return bytes.count
      case .frame(let frame, let template):
        switch handle(frame, template, slot) {
        case .go: offset += frame.length
        case .wait: return offset
        case .stop: return bytes.count
        }
      }
    }
  }

  private func handle(_ frame: Frame, _ template: Template, _ slot: Int) -> Next {
    switch template {
    case .negotiate: negotiate(frame, slot)
    case .establish: establish(frame, slot)
    case .sequence: sequence(frame, slot)
    case .terminate:
      perform(peers[slot]?.session.terminated() ?? .none, slot)
    default: return application(frame, template, slot)
    }
    return peers[slot]?.session.state == .ended ? .stop : .go
  }

  private func application(_ frame: Frame, _ template: Template, _ slot: Int) -> Next {
    let sequence = frame.sequenceNumber
    let peer = peers.pointer(slot)
    guard let admission = peer.pointee?.session.admit(sequence: sequence, now: now) else {
      return .stop
    }
    switch admission {
    case .process: break
    case .processAfterGap(let from, let count): writer(slot)?.notApplied(from: from, count: count)
    case .drop: return .go
    case .terminate(let refusal):
      sendTerminate(refusal, slot)
      return .stop
    }
    guard OrderReader.isCommand(template) else {
      answer(frame, template, slot)
      return .go
    }
    guard let identity = peer.pointee?.session.identity, let roles = peer.pointee?.roles else {
      return .stop
    }
    switch OrderReader().read(frame, template, from: identity, roles: roles, directory: directory)
    {
    case .command(let command): return submit(command, slot)
    case .rejected(let rejected):
      reject(rejected, slot)
      return .go
    }
  }

  private func submit(_ command: Command, _ slot: Int) -> Next {
    switch server.submit(command) {
    case .taken:
      counts.commands += 1
      return .go
    case .full:
      peers[slot]?.session.putBack(sequence: command.clientSequence)
      pause(slot)
      return .wait
    case .refused(let refusal):
      reject(
        Rejected(
          code: refusal.code, limit: refusal.limit, session: command.session,
          clientSequence: command.clientSequence), slot)
      return .go
    }
  }

  /// Rejects a message here: a report in the session's sequence.
  private func reject(_ rejected: Rejected, _ slot: Int) {
    counts.rejects += 1
    sendReport(to: slot) { $0.rejected($1, answerTime, rejected) }
  }
}

// MARK: - The session's own messages

extension BinaryGateway {
  private func negotiate(_ frame: Frame, _ slot: Int) {
    guard let message = NegotiateDecoder(frame), peers[slot] != nil else { return }
    let request = NegotiateRequest(
      session: message.sessionId, version: message.sessionVersion, timestamp: message.timestamp)
    if isDraining { return terminate(slot, Refusal(.shuttingDown)) }
    let known = directory.session(request.session)
    let action = peers[slot]?.session.negotiate(
      request, now: now, identities: &identities,
      isRegistered: known.map { !$0.roles.isEmpty } ?? false,
      signatureIsValid: known.map {
        SignatureCheck.isValid(message.signature, on: frame, .negotiate, key: $0.key)
      } ?? false)
    switch action {
    case .respond:
      peers[slot]?.participant = known?.participant ?? .exchange
      peers[slot]?.roles = known?.roles ?? []
      writer(slot)?.negotiationResponse(request, now: now)
    case .rejectNegotiation(let refusal):
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
      keepAliveMilliseconds: message.keepAliveInterval)
    if isDraining { return terminate(slot, Refusal(.shuttingDown)) }
    let key = directory.session(peer.session.identity)?.key
    let action = peers[slot]?.session.establish(
      request, now: now, identities: &identities,
      signatureIsValid: key.map {
        SignatureCheck.isValid(message.signature, on: frame, .establish, key: $0)
      } ?? false)
    switch action {
    case .acknowledge:
      counts.sessions += 1
      peers.established(slot)
      if let session = peers[slot]?.session { writer(slot)?.establishmentAck(request, session) }
    case .rejectEstablishment(let refusal):
      counts.terminations += 1
      writer(slot)?.establishmentReject(request, refusal)
      finish(slot)
    case .some(let other): perform(other, slot)
    case nil: break
    }
  }

  private func sequence(_ frame: Frame, _ slot: Int) {
    guard let message = SequenceDecoder(frame) else { return }
    switch peers[slot]?.session.sequence(next: message.nextSeqNo, now: now) {
    case .processAfterGap(let from, let count): writer(slot)?.notApplied(from: from, count: count)
    case .terminate(let refusal): sendTerminate(refusal, slot)
    case .drop, .process, nil: break
    }
  }

  /// Carries out what a session decided about itself.
  func perform(_ action: FixpSession.Action, _ slot: Int) {
    switch action {
    case .none, .respond, .acknowledge, .rejectNegotiation, .rejectEstablishment: break
    case .terminate(let refusal): sendTerminate(refusal, slot)
    case .answerTerminate:
      writer(slot)?.terminate(
        version: peers[slot]?.session.version ?? 0, Refusal(RejectCode(rawValue: 0)))
      finish(slot)
    case .sendSequence:
      if let session = peers[slot]?.session { writer(slot)?.sequence(next: session.nextOutgoing) }
    }
  }

  /// Ends a session from our side with a code.
  func terminate(_ slot: Int, _ refusal: Refusal) {
    perform(peers[slot]?.session.terminate(refusal) ?? .none, slot)
  }

  private func sendTerminate(_ refusal: Refusal, _ slot: Int) {
    counts.terminations += 1
    writer(slot)?.terminate(version: peers[slot]?.session.version ?? 0, refusal)
    finish(slot)
  }

  /// The session is over; what is queued still leaves, then the connection closes.
  private func finish(_ slot: Int) {
    guard let connection = peers[slot]?.connection else { return }
    if let identity = peers.ended(slot) { identities.release(identity) }
    peers[slot]?.isPaused = false
    transport.finish(connection)
  }

  /// Writes to the connection in `slot`.
  func writer(_ slot: Int) -> ReportWriter? {
    peers[slot].map { ReportWriter(transport: transport, connection: $0.connection) }
  }
}

// A client that never gives up: what is not answered is sent again, in the same order, on the next
// connection. So every request is made at least once, and it is the exchange's part that none is
// applied twice.

import JoulebookClient
import MarketModel
import Wire

/// One session of the village. Owned by the run's one thread.
final class SimulatedClient {
  private enum State { case offline, negotiating, establishing, established }

  /// Requests that may wait for an answer.
  static let mostOutstanding = 8

  let session: SessionId
  /// Asked for and not answered, in order.
  private(set) var outstanding: [Request] = []
  /// What the exchange acknowledged.
  private(set) var claims: Set<Claim> = []
  /// What answers to its questions said.
  private(set) var sights: Set<Sight> = []
  /// Answers to its questions.
  private(set) var sightings = 0
  /// Orders that are open, as far as this client knows.
  private(set) var orders: [OrderId] = []
  /// Answers received.
  private(set) var answers = 0
  /// Something that no exchange may say.
  private(set) var complaint: String?

  private let village: Village
  private let clock: SimulatedClock
  private let signed: SignedMessages
  private var link: SimulatedNetwork.Link?
  private var state = State.offline
  private var version: UInt64 = 0
  private var received: [UInt8] = []
  /// Requests sent on this connection; the first `sent` of `outstanding`, by sequence number.
  private var sequences: [UInt64] = []
  private var nextSequence: UInt64 = 1
  private var nextReport: UInt64 = 1
  private var lastSent: UInt64 = 0

  init(
    _ session: SessionId, _ village: Village, _ clock: SimulatedClock, _ signed: SignedMessages
  ) {
    (self.session, self.village, self.clock, self.signed) = (session, village, clock, signed)
  }

  var isConnected: Bool { link != nil }
  var isEstablished: Bool { state == .established }
  /// Whether more can be asked for.
  var hasRoom: Bool { outstanding.count < Self.mostOutstanding }

  /// Asks for something, sooner or later.
  func ask(_ request: Request) { outstanding.append(request) }

  // MARK: Its connection

  /// Takes what has come, notices what has gone, does what is next.
  func live(_ network: SimulatedNetwork, limit: Int, _ random: inout SeededRandom) {
    listen(network, limit: limit)
    if let link, link.isCut || !link.serverIsOpen, link.toClient.isEmpty, random.happens(3_000) {
      hangUp()
    }
    act(network)
    if state == .established, random.happens(500) { ask(network, &random) }
  }

  /// Takes what has come and does what is next, without a misfortune.
  func listenAndAct(_ network: SimulatedNetwork) {
    listen(network, limit: .max)
    act(network)
  }

  /// Asks how an order or an account is, or the exchange. The order may be one that only others know: its
  /// number is guessed.
  private func ask(_ network: SimulatedNetwork, _ random: inout SeededRandom) {
    let guess = UInt64(random.pick(0..<4))
    let kind = session == SessionId(1) ? 2 : random.pick(0..<3)
    question(kind, of: OrderId((orders.last?.rawValue ?? 0) + guess), network)
  }

  /// Sends a question: 0 for an order, 1 for the balance, 2 for the status.
  func question(_ kind: Int, of order: OrderId, _ network: SimulatedNetwork) {
    guard let link, link.clientIsOpen else { return }
    let account = AccountId(session.rawValue - 1)
    let (number, now) = (nextSequence, clock.now)
    nextSequence += 1
    switch kind {
    case 0:
      send(network, link, OrderStatusRequestEncoder.frameLength) {
        OrderStatusRequestEncoder(
          into: $0, seqNo: number, sendingTime: now, orderId: order, account: account)
      }
    case 1:
      send(network, link, BalanceRequestEncoder.frameLength) {
        BalanceRequestEncoder(
          into: $0, seqNo: number, sendingTime: now, account: account, area: Village.area)
      }
    default:
      send(network, link, StatusRequestEncoder.frameLength) {
        StatusRequestEncoder(into: $0, seqNo: number, sendingTime: now, withStateHash: false)
      }
    }
  }

  /// Does what is next: connects, logs on, sends what was not sent.
  private func act(_ network: SimulatedNetwork) {
    guard let link, link.clientIsOpen else { return connect(network) }
    guard state == .established else { return }
    if sequences.count < outstanding.count { return sendNext(network, link) }
    if clock.elapsed > lastSent + 1_500_000_000 {
      send(network, link, SequenceEncoder.frameLength) {
        SequenceEncoder(into: $0, nextSeqNo: self.nextSequence)
      }
    }
  }

  /// The client notices that its connection is gone, or gives it up.
  private func hangUp() {
    link?.clientIsOpen = false
    link = nil
    state = .offline
    received.removeAll()
    sequences.removeAll()
  }

  /// Takes what has reached the client.
  private func listen(_ network: SimulatedNetwork, limit: Int) {
    guard let link else { return }
    received += network.receive(on: link, limit: limit)
    while self.link != nil, let length = takeFrame(network) { received.removeFirst(length) }
  }

  private func connect(_ network: SimulatedNetwork) {
    hangUp()
    guard let opened = network.connect() else { return }
    link = opened
    state = .negotiating
    version = max(version + 1, clock.now.nanoseconds)
    (nextSequence, nextReport) = (1, 1)
    let length = NegotiateEncoder.frameLength
    send(network, opened, length) { frame in
      let encoder = NegotiateEncoder(
        into: frame, sessionId: self.session, sessionVersion: self.version,
        timestamp: self.clock.now, signature: .zero)
      if let signature = self.sign(frame, length, .negotiate) { encoder.setSignature(signature) }
    }
  }

  private func establish(_ network: SimulatedNetwork, _ link: SimulatedNetwork.Link) {
    state = .establishing
    let length = EstablishEncoder.frameLength
    send(network, link, length) { frame in
      let encoder = EstablishEncoder(
        into: frame, sessionId: self.session, sessionVersion: self.version,
        timestamp: self.clock.now, nextSeqNo: 1, keepAliveInterval: 5_000,
        cancelAfter: [BeginSession.never, 0, 1_500][Int(self.version % 3)],
        signature: .zero)
      if let signature = self.sign(frame, length, .establish) { encoder.setSignature(signature) }
    }
  }

  private func sign(
    _ frame: UnsafeMutableRawPointer, _ length: Int, _ purpose: SigningPurpose
  ) -> Signature? {
    do throws(ClientError) {
      let (key, message) = (
        village.key(of: session), purpose.message(of: Frame(start: frame, length: length))
      )
      let signature = try key.sign(message)
      signed.note(signature, message, village.publicKey(of: session))
      return signature
    } catch {
      complaint = "the key does not sign: \(error)"
      return nil
    }
  }

  private func sendNext(_ network: SimulatedNetwork, _ link: SimulatedNetwork.Link) {
    outstanding[sequences.count].sendings += 1
    network.send(outstanding[sequences.count].frame(nextSequence, clock.now), on: link)
    sequences.append(nextSequence)
    nextSequence += 1
    lastSent = clock.elapsed
  }

  private func send(
    _ network: SimulatedNetwork, _ link: SimulatedNetwork.Link, _ length: Int,
    _ encode: (UnsafeMutableRawPointer) -> Void
  ) {
    var bytes = [UInt8](repeating: 0, count: length)
    bytes.withUnsafeMutableBytes { if let base = $0.baseAddress { encode(base) } }
    network.send(bytes, on: link)
    lastSent = clock.elapsed
  }

  // MARK: What the server says

  /// - Returns: the length of the frame taken; `nil` when there is no whole one.
  private func takeFrame(_ network: SimulatedNetwork) -> Int? {
    let bytes = received
    return bytes.withUnsafeBytes { buffer in
      switch FrameReader(from: .server).next(in: buffer) {
      case .incomplete: return nil
      case .malformed(let code, _):
        complaint = "the server sent a malformed frame: code \(code.rawValue)"
        return nil
      case .frame(let frame, let template):
        take(frame, template, network)
        return link == nil ? nil : frame.length
      }
    }
  }

  private func take(_ frame: Frame, _ template: Template, _ network: SimulatedNetwork) {
    switch template {
    case .negotiationResponse:
      if let link { establish(network, link) }
    case .establishmentAck: state = .established
    case .negotiationReject, .establishmentReject: hangUp()
    case .terminate: terminated(frame)
    case .sequence: break
    default:
      do throws(ClientError) {
        let message = try EventReader.read(frame, template, receivedAt: clock.elapsed)
        if message.isReport {
          if message.sequence != nextReport {
            complaint = "report \(message.sequence) came in place of \(nextReport)"
          }
          nextReport += 1
        }
        take(message.event)
      } catch {
        complaint = "\(error)"
      }
    }
  }

  /// The server has ended the session: never for silence, if everything that was sent arrives.
  private func terminated(_ frame: Frame) {
    if TerminateDecoder(frame)?.code == .keepAliveExpired, link?.isCut == false {
      complaint = "the session was ended for silence, though it went on sending"
    }
    hangUp()
  }

  /// An answer to a question.
  private func note(_ sight: Sight) {
    sights.insert(sight)
    sightings += 1
  }

  private func take(_ event: ClientEvent) {
    switch event {
    case .status(let status):
      note(.status(status.lastSequence, eventHash: status.eventHash))
    case .balance(let balance, let reference) where reference != 0: note(Sight(balance))
    case .orderStatus(let report, _) where report.clientOrderId != .engine:
      note(.order(report.account, report.clientOrderId))
    case .accepted(let report):
      guard report.clientOrderId != .engine else { return }
      orders.append(report.order)
      if orders.count > 16 { orders.removeFirst() }
      answered(.order(report.account, report.clientOrderId))
    case .replaced(let report): answered(.change(report.account, report.clientOrderId))
    case .transferred(let transfer, let reference) where reference != 0:
      answered(.transfer(transfer.from, transfer.clientOrderId))
    case .metered(let report): answered(.reading(report.meter, report.registerSequence))
    case .canceled(let report):
      if report.leaves == .zero { orders.removeAll { $0 == report.order } }
      finish { request in
        if case .cancel(let cancel) = request.body { cancel.order == report.order } else { false }
      }
    case .acknowledged(let reference): acknowledged(reference)
    case .massCanceled(let report): acknowledged(report.reference)
    case .agentSet(_, let reference): acknowledged(reference)
    case .rejected(let rejection): rejected(rejection)
    default: break
    }
  }

  private func answered(_ claim: Claim) {
    claims.insert(claim)
    finish { $0.claim == claim }
  }

  private func acknowledged(_ reference: UInt64) {
    guard let index = sequences.firstIndex(of: reference) else { return }
    if let claim = outstanding[index].claim { claims.insert(claim) }
    remove(index)
  }

  private func finish(_ isMeant: (Request) -> Bool) {
    if let index = outstanding.firstIndex(where: isMeant), index < sequences.count {
      remove(index)
    }
  }

  private func remove(_ index: Int) {
    outstanding.remove(at: index)
    sequences.remove(at: index)
    answers += 1
  }

  private func rejected(_ rejection: Rejection) {
    guard let index = sequences.firstIndex(of: rejection.reference) else { return }
    let request = outstanding[index]
    switch rejection.code {
    case .intakeFull, .shuttingDown:
      // Not taken in: asked for again, behind what has been sent since.
      outstanding.remove(at: index)
      sequences.remove(at: index)
      var again = request
      again.wasRefused = true
      outstanding.append(again)
    case .duplicateClientOrderId, .readingReplayed, .referenceReplayed, .alreadyExists,
      .overlappingInterval:
      if request.sendings == 1, !request.isReplay, !request.wasRefused {
        complaint =
          "what was sent once is refused as a duplicate (\(rejection.code.rawValue)): "
          + "\(request.body)"
      }
      remove(index)
    default: remove(index)
    }
  }
}

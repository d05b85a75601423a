// A client that sends every unanswered request again, in the same order, on its next connection. So
// each request reaches the exchange at least once, and the exchange must not apply it twice.

import JoulebookClient
import MarketModel
import Wire

/// One session of the village. Owned by the thread of the run.
final class SimulatedClient {
  private enum State { case offline, connecting, negotiating, establishing, established }

  /// Most unanswered requests.
  static let mostOutstanding = 8

  let session: SessionId
  /// Unanswered requests, in order. The first `sequences.count` are sent on this connection.
  private(set) var outstanding: [Request] = []
  /// Effects that the exchange has acknowledged.
  private(set) var claims: Set<Claim> = []
  /// Contents of the answers to questions.
  private(set) var observations: Set<Observation> = []
  /// Number of answers to questions.
  private(set) var observationCount = 0
  /// The last 16 accepted orders that are not reported as closed.
  private(set) var orders: [OrderId] = []
  /// Number of answered requests.
  private(set) var answers = 0
  /// The first violation of the protocol by the server.
  private(set) var fault: String?

  private let village: Village
  private let clock: SimulatedClock
  private let signed: SignedMessages
  private var link: SimulatedNetwork.Link?
  private var state = State.offline
  private var version: UInt64 = 0
  private var challenge: LogOnChallenge?
  private var received: [UInt8] = []
  /// Sequence numbers of the requests sent on this connection, in the order of `outstanding`.
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
  /// Whether another request can be added.
  var canAsk: Bool { outstanding.count < Self.mostOutstanding }

  /// Adds a request that is sent when the session is established.
  func ask(_ request: Request) { outstanding.append(request) }

  // MARK: Connection

  /// Reads what has arrived, sometimes notices a broken connection, and takes the next action.
  func takeTurn(_ network: SimulatedNetwork, limit: Int, _ random: inout SeededRandom) {
    receive(network, limit: limit)
    if let link, link.isCut || !link.serverIsOpen, link.toClient.isEmpty, random.happens(3_000) {
      disconnect()
    }
    act(network)
    if state == .established, random.happens(500) { askQuestion(network, &random) }
  }

  /// Reads everything that has arrived and takes the next action, without random events.
  func receiveAndAct(_ network: SimulatedNetwork) {
    receive(network, limit: .max)
    act(network)
  }

  /// Asks for the status of an order, of the account or of the exchange. The order number is a
  /// guess, so it may be another client's order.
  private func askQuestion(_ network: SimulatedNetwork, _ random: inout SeededRandom) {
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

  // MARK: What an abuser sends

  /// Sends a command once, whose answer nobody waits for.
  /// - Parameter sequence: Its sequence number; `nil`: the next one.
  func sendUntracked(
    _ body: Command.Body, _ network: SimulatedNetwork, sequence: UInt64? = nil
  ) {
    sendBytes(Request(body).frame(sequence ?? nextSequence, clock.now), network)
    if sequence == nil { nextSequence += 1 }
  }

  /// Subscribes to the orders of an area and ends the subscription at once.
  func subscribeAndLeave(_ area: AreaId, _ network: SimulatedNetwork) {
    guard let link, link.clientIsOpen else { return }
    let (number, now) = (nextSequence, clock.now)
    nextSequence += 2
    send(network, link, MarketDataSubscribeEncoder.frameLength) {
      MarketDataSubscribeEncoder(
        into: $0, seqNo: number, sendingTime: now, area: area, snapshot: .orders)
    }
    send(network, link, MarketDataUnsubscribeEncoder.frameLength) {
      MarketDataUnsubscribeEncoder(into: $0, seqNo: number + 1, sendingTime: now, area: area)
    }
  }

  /// Sends any bytes.
  func sendBytes(_ bytes: [UInt8], _ network: SimulatedNetwork) {
    guard let link, link.clientIsOpen else { return }
    network.send(bytes, on: link)
    lastSent = clock.elapsed
  }

  /// Takes the next action: connects, sends a request or keeps the session alive.
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

  /// Closes the client's end of the connection.
  private func disconnect() {
    link?.clientIsOpen = false
    link = nil
    state = .offline
    received.removeAll()
    sequences.removeAll()
  }

  /// Reads the frames that have reached the client.
  private func receive(_ network: SimulatedNetwork, limit: Int) {
    guard let link else { return }
    received += network.receive(on: link, limit: limit)
    while self.link != nil, let length = takeFrame(network) { received.removeFirst(length) }
  }

  private func connect(_ network: SimulatedNetwork) {
    disconnect()
    guard let opened = network.connect() else { return }
    link = opened
    state = .connecting
  }

  private func negotiate(
    _ network: SimulatedNetwork, _ link: SimulatedNetwork.Link, _ challenge: LogOnChallenge
  ) {
    (state, self.challenge) = (.negotiating, challenge)
    version = max(version + 1, clock.now.nanoseconds)
    (nextSequence, nextReport) = (1, 1)
    let (length, time) = (NegotiateEncoder.frameLength, clock.now)
    send(network, link, length) { frame in
      let encoder = NegotiateEncoder(
        into: frame, sessionId: self.session, sessionVersion: self.version, timestamp: time,
        signature: .zero)
      if let signature = self.sign(frame, length, .negotiate(challenge)) {
        encoder.setSignature(signature)
      }
    }
  }

  private func establish(_ network: SimulatedNetwork, _ link: SimulatedNetwork.Link) {
    guard let challenge else { return }
    state = .establishing
    let time = clock.now
    let length = EstablishEncoder.frameLength
    send(network, link, length) { frame in
      let encoder = EstablishEncoder(
        into: frame, sessionId: self.session, sessionVersion: self.version,
        timestamp: time, nextSeqNo: 1, keepAliveInterval: 5_000,
        cancelAfter: [BeginSession.never, 0, 1_500][Int(self.version % 3)],
        signature: .zero)
      if let signature = self.sign(frame, length, .establish(challenge)) {
        encoder.setSignature(signature)
      }
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
      fault = "signing failed: \(error)"
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

  // MARK: Messages of the server

  /// Handles the next frame.
  /// - Returns: The length of the frame; `nil` when none is complete.
  private func takeFrame(_ network: SimulatedNetwork) -> Int? {
    let bytes = received
    return bytes.withUnsafeBytes { buffer in
      switch FrameReader(from: .server).next(in: buffer) {
      case .incomplete: return nil
      case .malformed(let code, _):
        fault = "the server sent a malformed frame: code \(code.rawValue)"
        return nil
      case .frame(let frame, let template):
        take(frame, template, network)
        return link == nil ? nil : frame.length
      }
    }
  }

  private func take(_ frame: Frame, _ template: Template, _ network: SimulatedNetwork) {
    switch template {
    case .challenge:
      if let link, let message = ChallengeDecoder(frame) {
        negotiate(network, link, LogOnChallenge(message))
      }
    case .negotiationResponse:
      if let link { establish(network, link) }
    case .establishmentAck: state = .established
    case .negotiationReject, .establishmentReject: disconnect()
    case .terminate: terminated(frame)
    case .sequence: break
    default:
      do throws(ClientError) {
        let message = try EventReader.read(frame, template, receivedAt: clock.elapsed)
        if message.isReport {
          if message.sequence != nextReport {
            fault = "report \(message.sequence) came instead of \(nextReport)"
          }
          nextReport += 1
        }
        take(message.event)
      } catch {
        fault = "\(error)"
      }
    }
  }

  /// Handles a Terminate. While the connection works the server must not terminate for silence.
  private func terminated(_ frame: Frame) {
    if TerminateDecoder(frame)?.code == .keepAliveExpired, link?.isCut == false {
      fault = "the session was terminated for silence although the client kept sending"
    }
    disconnect()
  }

  /// Records the answer to a question.
  private func note(_ observation: Observation) {
    observations.insert(observation)
    observationCount += 1
  }

  private func take(_ event: ClientEvent) {
    switch event {
    case .status(let status):
      note(.status(status.lastSequence, eventHash: status.eventHash))
    case .balance(let balance, let reference) where reference != 0: note(Observation(balance))
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
    case .corrected(let report): acknowledged(report.reference)
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
      // The exchange has not seen it: it is sent again after the later requests.
      outstanding.remove(at: index)
      sequences.remove(at: index)
      var again = request
      again.wasRefused = true
      outstanding.append(again)
    case .duplicateClientOrderId, .readingReplayed, .referenceReplayed, .alreadyExists,
      .overlappingInterval:
      if request.sendings == 1, !request.isReplay, !request.mayBeContradicted,
        !request.wasRefused
      {
        fault =
          "a request that was sent once is rejected as a duplicate (\(rejection.code.rawValue)): "
          + "\(request.body)"
      }
      remove(index)
    default: remove(index)
    }
  }
}

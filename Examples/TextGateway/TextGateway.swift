// What clients say goes to the exchange, and what is durable comes back. The kit has what all gateways share.

import GatewayKit
import MarketModel
import Transport

private final class Peer {
  let connection: ConnectionId
  var lastHeard: SteadyTime
  var throttle = SessionThrottle(messages: ThrottleLimits(limit: 100, cutoff: 1_000))
  /// Who it is, once it logged on.
  var session: HeldSession?
  /// What it was told last of the instruments that it follows.
  var quotes: [InstrumentId: String] = [:]
  var (account, isOver) = (AccountId.null, false)
  init(_ id: ConnectionId, _ now: SteadyTime) { (connection, lastHeard) = (id, now) }
}

final class TextGateway: Gateway, ConnectionHandler {
  private let (seat, network, users, cancelAfter): (GatewaySeat, any Network, [User], UInt32)
  private var (peers, clients, paused) = ([ConnectionId: Peer](), [SessionId: Peer](), [Peer]())
  private var answers = HeldAnswers<(line: String, peer: Peer)>()
  private(set) var counts = GatewayCounts()
  var pausedCount: Int { paused.count }
  var connectionCount: Int { clients.count }
  var hasConnections: Bool { !peers.isEmpty }

  init(_ seat: GatewaySeat, _ network: any Network, _ users: [User], cancelAfter: UInt32) {
    (self.seat, self.network, self.users, self.cancelAfter) = (seat, network, users, cancelAfter)
  }

  // MARK: What clients say
  func connected(_ id: ConnectionId) { peers[id] = Peer(id, seat.clock.now) }
  func received(_ connection: ConnectionId, _ bytes: UnsafeRawBufferPointer) -> Int {
    seat.clock.look()
    guard let peer = peers[connection] else { return bytes.count }
    peer.lastHeard = seat.clock.now
    var start = 0
    while !peer.isOver, let end = bytes[start...].firstIndex(of: 0x0A), end - start <= 256 {
      let line = String(decoding: bytes[start..<end], as: UTF8.self)
      do throws(Refusal) {
        guard try perform(line.split(whereSeparator: \.isWhitespace).map(String.init), peer) else {
          peer.throttle.putBack()
          peer.session?.putBack()
          paused.append(peer)  // The exchange has no room: the line is shown again.
          network.pause(connection)
          return start
        }
      } catch  where [.badSignature, .tooManyLogOns, .flooding].contains(error.code) {
        self.end(peer, error)  // One guess a connection.
      } catch { say(error.line, to: peer) }
      start = end + 1
    }
    if bytes.count - start > 256 { end(peer, Refusal(.badFrameLength, limit: 256)) }
    return start
  }

  /// - Returns: `false` when the exchange has no room for it.
  private func perform(_ words: [String], _ peer: Peer) throws(Refusal) -> Bool {
    try peer.throttle.count(at: seat.clock.now)
    let command: Command.Body
    switch (words.first, words.count) {
    case (nil, _): return true  // An empty line says that the client lives.
    case ("QUIT", 1): return end(peer, nil)
    case ("LOGON", 3): return try logOn(words[1], words[2], peer)
    case _ where peer.session == nil: throw Refusal(.notEstablished)
    case ("BUY", 5), ("SELL", 5):
      command = try .enter(
        NewOrder(
          account: peer.account, instrument: InstrumentId(words.number(2)),
          side: words[0] == "BUY" ? .buy : .sell, clientOrderId: ClientOrderId(words.number(1)),
          price: Price(ticks: words.number(4)), quantity: Energy(wattHours: words.number(3))))
    case ("CANCEL", 2):
      command = try .cancel(CancelOrder(account: peer.account, order: OrderId(words.number(1))))
    case ("STATE", 2): return try ask(OrderId(words.number(1)), peer)
    case ("REPORTS", 3):
      try peer.session?.askForReports(from: words.number(1), count: words.number(2), most: 1_000)
      return true
    case ("QUOTE", 2), ("SUBSCRIBE", 2):
      try peer.session?.count()
      let instrument = try InstrumentId(words.number(1))
      if seat.view.reference.instrument(instrument) == nil { throw Refusal(.unknownInstrument) }
      seat.view.feed.keepLevels(of: seat.view.feed.area(of: instrument), for: seat.number)
      guard let quote = seat.view.feed.top(of: instrument)?.line else { return false }  // Not yet.
      if words[0] == "SUBSCRIBE" { peer.quotes[instrument] = quote }
      return say(quote, to: peer)
    default: throw Refusal(.unknownTemplate)
    }
    guard try peer.session?.submit(command) == true else { return false }
    counts.commands += 1
    return true
  }
  private func logOn(_ name: String, _ password: String, _ peer: Peer) throws(Refusal) -> Bool {
    if peer.session != nil { throw Refusal(.alreadyEstablished) }
    let user = users.first { $0.name == name }
    let from = network.address(of: peer.connection)
    let session = try HeldSession(
      user?.session ?? .exchange, on: seat, peer.connection.rawValue,
      from: LogOnAddress("\(from)", isLoopback: from.isLoopback), cancelAfter: cancelAfter,
      isProven: user?.password == password)
    (peer.session, clients[session.session]) = (session, peer)
    (peer.account, counts.sessions) = (user?.account ?? .null, counts.sessions + 1)
    network.promote(peer.connection)
    let (id, version, next) = (session.session.rawValue, session.version, session.nextReport)
    return say("OK session \(id) version \(version) next \(next)", to: peer)
  }
  private func ask(_ order: OrderId, _ peer: Peer) throws(Refusal) -> Bool {
    try peer.session?.count()
    guard answers.count < 1_000, let answer = seat.exchange.answer(.orderState(order, .anyOwner))
    else { return false }
    var line = Refusal(.unknownOrder).line  // So is an order of somebody else's.
    if case .orderState(let state?) = answer.finding, state.account == peer.account {
      line = "STATE \(state.line)"
    }
    answers.append((line, peer), through: answer.through)
    return true
  }
  // MARK: What comes of it
  func begin(_ sequence: SequenceNumber) { answers.release(before: sequence, tell) }
  func delivered(through sequence: SequenceNumber) { answers.release(through: sequence, tell) }
  func deliver(_ event: UnsafePointer<Event>, _ told: UnsafeBufferPointer<Report>, _: Timestamp) {
    if event.kind == .other, let (session, refusal) = seat.view.ended {
      if let peer = clients[session] { end(peer, refusal) }
    }
    for report in told {
      guard let peer = clients[report.session], peer.session?.gets(report) == true else { continue }
      counts.reports += 1
      say(report.line(event.pointee), to: peer)
    }
  }
  func endCommand(_ messages: UnsafeBufferPointer<FeedMessage>, _: Timestamp) {
    for peer in clients.values where !peer.quotes.isEmpty {
      for instrument in Set(messages.map(\.update.instrument)) {
        let quote = seat.view.feed.top(of: instrument)?.line ?? ""
        if peer.quotes[instrument, default: quote] == quote { continue }
        peer.quotes[instrument] = quote
        say(quote, to: peer)
      }
    }
  }
  func retransmit(_ query: RetransmitQuery, _ reports: [PastReport]?) {
    guard let peer = clients[query.session], peer.session?.isAnswered(query) == true else { return }
    if reports == nil { say(Refusal(.historyUnavailable).line, to: peer) }
    for past in reports ?? [] { say(past.report.line(past.event), to: peer) }
  }
  func resumeReading() {
    let waiting = paused
    paused = []
    for peer in waiting { network.resume(peer.connection) }
    if paused.count < waiting.count { network.turnAgain() }
  }

  // MARK: How clients go
  func judgeSilence(at moment: SteadyTime) {
    for peer in peers.values where moment.since(peer.lastHeard) > 600_000_000_000 {
      end(peer, Refusal(.keepAliveExpired, limit: 600_000_000_000))
    }
  }
  func drain() {
    delivered(through: SequenceNumber(.max))
    for peer in peers.values { end(peer, Refusal(.shuttingDown)) }
  }
  func overflowed(_ id: ConnectionId) {
    guard let peer = peers[id] else { return }
    seat.exchange.note(.slowReader(peer.session?.session ?? .exchange, bytes: network.queued(id)))
    end(peer, Refusal(.slowReader, limit: Int64(network.sendBound)))
  }
  func closed(_ id: ConnectionId, _ reason: CloseReason) {
    if let peer = peers.removeValue(forKey: id) { end(peer, nil) }
    if peers.isEmpty { seat.view.feed.releaseLevels(for: seat.number, at: seat.clock.now) }
  }

  @discardableResult private func end(_ peer: Peer, _ refusal: Refusal?) -> Bool {
    if peer.isOver { return true }
    if let refusal { say(refusal.line, to: peer) }
    peer.isOver = true
    if let session = peer.session?.release(refusal) { clients[session] = nil }
    peer.session = nil
    network.finish(peer.connection)
    return true
  }
  @discardableResult private func say(_ line: String, to peer: Peer) -> Bool {
    let bytes = Array((line + "\n").utf8)
    network.reserve(peer.connection, bytes.count)?.copyMemory(from: bytes, byteCount: bytes.count)
    return true
  }
  private func tell(_ reply: (line: String, peer: Peer)) { say(reply.line, to: reply.peer) }
}

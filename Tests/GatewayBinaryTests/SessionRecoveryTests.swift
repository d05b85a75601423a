import Crypto
import Foundation
import GatewayKit
import MarketModel
import Testing
import Wire

@testable import GatewayBinary
@testable import JoulebookClient

@Suite("A session that loses its connection")
struct SessionRecoveryTests {
  private func client(
    _ world: GatewayWorld, orders: OrdersOnDisconnect = .kept, resume: SessionPosition? = nil,
    _ session: SessionId = GatewayWorld.bot
  ) throws -> Client {
    var options = Client.Options()
    (options.orders, options.resume) = (orders, resume)
    return try Client(
      host: "127.0.0.1", port: world.port,
      credentials: Credentials(session: session, privateKey: try #require(world.keys[session])),
      options: options)
  }

  private func acknowledge(_ world: GatewayWorld, _ references: ClosedRange<UInt64>) {
    world.emit(
      references.map {
        .control(.acknowledged(Acknowledged(session: GatewayWorld.bot, clientSequence: $0)))
      })
  }

  /// The next report: its number, what it acknowledges, and whether it is a retransmission.
  private func report(_ client: Client) throws -> (UInt64, UInt64, Bool) {
    let message = try client.expect()
    guard case .acknowledged(let reference) = message.event else {
      Issue.record("\(message.event)")
      return (0, 0, false)
    }
    return (message.sequence, reference, message.isRetransmitted)
  }

  /// The reason why nothing is sent again.
  private func rejection(_ client: Client) throws -> Refusal? {
    guard case .retransmissionRejected(let code, let limit) = try client.expect().event else {
      return nil
    }
    return Refusal(code, limit: limit)
  }

  private func wait(_ world: GatewayWorld, until isDone: (GatewayWorld.State) -> Bool) -> Bool {
    for _ in 0..<3000 {
      if world.state.withLock({ isDone($0) }) { return true }
      usleep(1000)
    }
    return false
  }

  @Test("A finished session has received all its reports; later ones are sent when it returns.")
  func finishes() throws {
    let world = try GatewayWorld()
    let first = try client(world)
    _ = try first.enter(Sample.limitOrder)
    try first.flush()
    #expect(world.commands(1).count == 1)
    acknowledge(world, 1...3)
    var seen: [UInt64] = []
    try first.finish { if case .acknowledged(let reference) = $0.event { seen.append(reference) } }
    #expect(seen == [1, 2, 3] && first.nextReport == 4)
    #expect(throws: ClientError.self) { try first.enter(Sample.limitOrder) }
    acknowledge(world, 4...4)
    #expect(try first.isQuiet(), "nothing follows FinishedSending")
    let position = first.position
    first.close()

    let second = try client(world, resume: position)
    #expect(try report(second) == (4, 4, true))
    #expect(second.nextSequence == 2)
    second.close()
  }

  @Test("Finishing reports messages that never arrived, and ends a session that continues to send.")
  func finishesWithAGap() throws {
    let world = try GatewayWorld()
    let raw = try RawClient(port: world.port)
    let version = Client.wallClock().nanoseconds
    try raw.logOn(try #require(world.keys[GatewayWorld.bot]), version: version)
    raw.send(
      frameBytes(FinishedSendingEncoder.frameLength) {
        FinishedSendingEncoder(into: $0, sessionVersion: version, lastSeqNo: 2)
      })
    #expect(
      raw.templates(3) == [Template.notApplied, .finishedReceiving, .finishedSending])
    raw.send(
      frameBytes(NewOrderEncoder.frameLength) {
        NewOrderEncoder(
          into: $0, seqNo: 3, sendingTime: .never, clientOrderId: ClientOrderId(1), price: .zero,
          quantity: .zero, account: GatewayWorld.account, instrument: .null, side: .buy,
          timeInForce: .goodTillCancel, selfTradePrevention: .cancelNewer, flags: [])
      })
    #expect(try raw.terminate().0 == .finishOutOfPlace)
  }

  @Test("A session that returns under its version gets the missed reports and continues.")
  func resume() throws {
    let world = try GatewayWorld()
    let first = try client(world)
    for _ in 0..<3 { try first.enter(Sample.limitOrder) }
    try first.flush()
    #expect(world.commands(3).count == 3)
    acknowledge(world, 1...2)
    #expect(try report(first) == (1, 1, false))
    first.drop()
    acknowledge(world, 3...5)
    #expect(wait(world) { $0.delivered >= 3 })
    let second = try client(world, resume: first.position)
    #expect(second.version == first.version && second.nextSequence == 4)
    acknowledge(world, 6...6)
    var seen: [UInt64: UInt64] = [:]
    for _ in 0..<5 {
      let (number, reference, isAgain) = try report(second)
      seen[number] = reference
      #expect(isAgain == (number < 6))
    }
    #expect(seen == [2: 2, 3: 3, 4: 4, 5: 5, 6: 6])
    try second.enter(Sample.limitOrder)
    try second.flush()
    #expect(world.commands(4).map(\.clientSequence) == [1, 2, 3, 4])
  }

  @Test("A client that reconnects while its old connection seems alive takes over the session.")
  func takeOver() throws {
    let world = try GatewayWorld()
    let first = try client(world, orders: .canceled(afterMilliseconds: 0))
    let second = try client(
      world, orders: .canceled(afterMilliseconds: 0), resume: first.position)
    #expect(throws: ClientError.terminated(code: .alreadyEstablished, limit: 0)) {
      while try first.poll(timeoutMilliseconds: 3000) != nil {}
    }
    acknowledge(world, 1...1)
    #expect(try report(second) == (1, 1, false))
    #expect(world.state.withLock { $0.ended.isEmpty })
  }

  @Test("A version that was never established, or is not the last, cannot be taken up.")
  func unknownVersions() throws {
    let world = try GatewayWorld()
    let nowhere = SessionPosition(version: 5, nextSequence: 1, nextReport: 1)
    #expect(throws: ClientError.refused(code: .notNegotiated, limit: 0)) {
      try client(world, resume: nowhere)
    }
    let first = try client(world)
    first.close()
    let second = try client(world)
    second.close()
    let last = Int64(second.version)
    #expect(throws: ClientError.refused(code: .sessionVersionNotIncreasing, limit: last)) {
      try client(world, resume: first.position)
    }
    let never = SessionPosition(version: second.version + 1, nextSequence: 1, nextReport: 1)
    #expect(throws: ClientError.refused(code: .unknownSessionVersion, limit: last)) {
      try client(world, resume: never)
    }
  }

  @Test("A retransmission of reports never sent, or of too many, is refused with the limit.")
  func badRequests() throws {
    let world = try GatewayWorld()
    let bot = try client(world)
    acknowledge(world, 1...3)
    for number in UInt64(1)...3 { #expect(try report(bot).0 == number) }
    for (from, count, code, limit) in [
      (4, 1, .retransmitOutOfRange, 3), (0, 1, .retransmitOutOfRange, 3),
      (2, 3, .retransmitOutOfRange, 3), (1, 0, .retransmitOutOfRange, 3),
      (1, 10_001, .retransmitTooLong, 10_000),
    ] as [(UInt64, UInt32, RejectCode, Int64)] {
      try bot.requestRetransmission(from: from, count: count)
      #expect(try rejection(bot) == Refusal(code, limit: limit))
    }
    try bot.requestRetransmission(from: 2, count: 2)
    #expect(try report(bot) == (2, 2, true))
    #expect(try report(bot) == (3, 3, true))
  }

  @Test("Reports no longer cached are requested from the journal service.")
  func fromTheJournal() throws {
    let world = try GatewayWorld()
    let bot = try client(world)
    for round in UInt64(0)..<200 { acknowledge(world, (20 * round + 1)...(20 * round + 20)) }
    for number in UInt64(1)...4_000 { #expect(try report(bot).0 == number) }
    try bot.requestRetransmission(from: 1, count: 2)
    try bot.flush()
    #expect(wait(world) { !$0.queries.isEmpty })
    let query = try #require(world.state.withLock { $0.queries.first })
    #expect(query.from == 1 && query.count == 2 && query.version == bot.version)
    world.state.withLock { $0.answers = [(query, acks(2, of: query))] }
    world.wake.wake()
    #expect(try report(bot) == (1, 1, true))
    #expect(try report(bot) == (2, 2, true))
    try bot.requestRetransmission(from: 1, count: 1)
    try bot.flush()
    #expect(wait(world) { $0.queries.count == 2 })
    try bot.requestRetransmission(from: 1, count: 1)
    #expect(try rejection(bot) == Refusal(.retransmitBusy))
  }

  @Test("An answer from the journal to a connection that was lost is not sent to the next one.")
  func lateAnswer() throws {
    let world = try GatewayWorld()
    let first = try client(world)
    for round in UInt64(0)..<200 { acknowledge(world, (20 * round + 1)...(20 * round + 20)) }
    for number in UInt64(1)...4_000 { #expect(try report(first).0 == number) }
    try first.requestRetransmission(from: 1, count: 2)
    try first.flush()
    #expect(wait(world) { $0.queries.count == 1 })
    first.drop()
    let second = try client(world, resume: first.position)
    try second.requestRetransmission(from: 1, count: 3)
    try second.flush()
    #expect(wait(world) { $0.queries.count == 2 })
    let queries = world.state.withLock { $0.queries }
    world.state.withLock { $0.answers = queries.map { ($0, acks(UInt64($0.count), of: $0)) } }
    world.wake.wake()
    for number in UInt64(1)...3 { #expect(try report(second) == (number, number, true)) }
    #expect(try second.isQuiet())
  }

  /// Acknowledgements 1 ... `count`, as read from the journal.
  private func acks(_ count: UInt64, of query: RetransmitQuery) -> [PastReport] {
    (1...count).map { number in
      PastReport(
        Report(.event, of: query.session, version: query.version, number: number),
        .control(.acknowledged(Acknowledged(session: query.session, clientSequence: number))),
        GatewayWorld.time)
    }
  }

  @Test("The latest reports are cached exactly as they were sent.")
  func recentReports() {
    var recent = RecentReports()
    var sent: [UInt64: [UInt8]] = [:]
    for number in UInt64(1)...3_000 {
      let isLong = number % 3 == 0
      let length = isLong ? MeterReadingAckEncoder.frameLength : AckEncoder.frameLength
      var bytes = [UInt8](repeating: UInt8(number % 251), count: length)
      (bytes[0], bytes[1]) = (UInt8(length & 0xFF), UInt8(length >> 8))
      sent[number] = bytes
      let kept = recent.append(number, of: 1) { room in
        room.copyMemory(from: bytes, byteCount: bytes.count)
        return Frame(finished: room)
      }
      #expect(kept.length == length)
      let first = recent.first(of: 1) ?? 0
      #expect(number - first < 2_000)
      guard number % 97 == 0 else { continue }
      var found: [[UInt8]] = []
      recent.forEach(from: first, count: number - first + 1) { found.append(Array($0.bytes)) }
      #expect(found == (first...number).map { sent[$0] ?? [] })
    }
    #expect((recent.first(of: 1) ?? 0) > 1_000)
    // A new version begins: reports of the old one are discarded.
    let none = recent.first(of: 2)
    #expect(none == nil)
    _ = recent.append(1, of: 2) { room in
      AckEncoder(into: room, seqNo: 1, transactTime: GatewayWorld.time, refSeqNo: 1)
      return Frame(finished: room)
    }
    let (first, former) = (recent.first(of: 2), recent.first(of: 1))
    #expect(first == 1 && former == nil)
  }

  // MARK: Cancel on disconnect

  @Test("With a time of 0 the orders are cancelled at once; kept orders are not.")
  func cancelAtOnce() throws {
    let world = try GatewayWorld()
    let kept = try client(world, orders: .kept, GatewayWorld.otherBot)
    let bot = try client(world, orders: .canceled(afterMilliseconds: 0))
    kept.drop()
    bot.drop()
    #expect(wait(world) { !$0.ended.isEmpty })
    usleep(300_000)
    #expect(
      world.state.withLock { $0.ended }
        == [EndSession(session: GatewayWorld.bot, version: bot.version)])
    #expect(
      world.state.withLock { $0.notices }.contains(
        .disconnected(GatewayWorld.bot, cancelAfter: 0)))
  }

  @Test("Nothing is cancelled if the session returns in time; otherwise everything is.")
  func window() throws {
    let world = try GatewayWorld()
    let first = try client(world, orders: .canceled(afterMilliseconds: 700))
    first.drop()
    usleep(100_000)
    let second = try client(
      world, orders: .canceled(afterMilliseconds: 700), resume: first.position)
    usleep(1_200_000)
    #expect(world.state.withLock { $0.ended.isEmpty })
    second.close()
    #expect(world.state.withLock { $0.ended.isEmpty })
    #expect(wait(world) { $0.ended.count == 1 })
  }

  @Test("A time above one minute is refused with the longest allowed.")
  func longWindow() throws {
    let world = try GatewayWorld()
    #expect(throws: ClientError.refused(code: .cancelWindowOutOfRange, limit: 60_000)) {
      try client(world, orders: .canceled(afterMilliseconds: 60_001))
    }
  }
}

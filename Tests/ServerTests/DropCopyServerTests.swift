import JoulebookClient
import MarketModel
import Testing

@Suite("Drop copies and settlement notices, on a real server")
struct DropCopyServerTests {
  private static let copier = SessionId(4)

  /// The text of a message without what differs between a report and its copy.
  private func text(_ message: ClientMessage) -> String { "\(message.time) \(message.event)" }

  /// All reports up to `isLast`, by number.
  private func reports(
    _ client: Client, until isLast: (ClientEvent) -> Bool
  ) throws -> [(UInt64, ClientMessage)] {
    var found: [(UInt64, ClientMessage)] = []
    try client.flush()
    while let message = try client.poll(timeoutMilliseconds: 30_000) {
      if message.isReport { found.append((message.sequence, message)) }
      if isLast(message.event) { return found }
    }
    Issue.record("the last one did not come: \(found.map { "\($0.0) \($0.1.event)".prefix(60) })")
    return found
  }

  private func reading(_ number: UInt64) -> MeterReading {
    MeterReading(
      meter: MeterId(1), registerSequence: number,
      intervalStart: Timestamp(nanoseconds: MeterTime.start + number * 1_000),
      intervalEnd: Timestamp(nanoseconds: MeterTime.start + number * 1_000 + 1_000),
      produced: Energy(wattHours: 3_000), consumed: .zero)
  }

  @Test(
    "A broker's listener has every report of its firm's bot, over a lost line and a killed server.")
  func copies() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let options = ["--set", "settlement.transfers=1", "--set", "capacity.orders=4096"]
    var server = try ServerProcess(data: folder.path + "/data", options: options)
    try village.setUp(on: server)
    try village.register(Self.copier, of: 3, .dropCopy, on: server)
    let (ana, ben) = (try village.trader(2, server), try village.trader(3, server))
    var listener = try village.trader(Self.copier.rawValue, server)
    // The session has no trading role.
    let refused = try listener.enter(.limit(Village.ben, .buy, kilowattHours: 1, at: 90, id: 1))
    // A settlement notice may arrive before the answer.
    var reject: Rejection?
    var copied = try reports(listener) {
      if case .rejected(let answer) = $0 { reject = answer }
      return reject != nil
    }
    #expect(reject?.reference == refused && reject?.code == .notPermitted)

    try ben.enter(.limit(Village.ben, .buy, kilowattHours: 2, at: 100, id: 1))
    var own = try reports(ben) { if case .accepted = $0 { true } else { false } }
    copied += try reports(listener) { if case .accepted = $0 { true } else { false } }
    let position = listener.position
    listener.drop()
    // While the drop-copy session is disconnected: energy, a trade, and its settlement.
    try ana.send(reading(1), key: village.meterKey)
    try ana.enter(.limit(Village.ana, .sell, kilowattHours: 1, at: 100, id: 1))
    try ana.flush()
    own += try reports(ben) { if case .trade = $0 { true } else { false } }
    try ben.cancel(CancelOrder(account: Village.ben, order: .null, clientOrderId: ClientOrderId(1)))
    own += try reports(ben) { if case .canceled = $0 { true } else { false } }
    while try village.status(server).settledBatch == 0 {}
    server.kill()
    server = try ServerProcess(data: server.data, options: options)
    listener = try village.trader(Self.copier.rawValue, server, resume: position)
    var batch: UInt64 = 0
    var last = SequenceNumber.none
    var canceled = false
    copied += try reports(listener) { event in
      if case .settled(let number, let through) = event { (batch, last) = (number, through) }
      if case .canceled = event { canceled = true }
      return batch > 0 && canceled
    }
    let status = try village.status(server)
    #expect(batch >= 1 && batch <= status.settledBatch && last > .none)
    #expect(last <= status.lastSequence)
    try check(copied, own)
    listener.close()
    #expect(server.stop() == 0)
    let replay = try Joulebook.run(["replay", server.data, "--ledger"])
    #expect(replay.status == 0, "\(replay.output)")
  }

  /// The copies are numbered without a gap, and each equals the original report that it names.
  private func check(
    _ copied: [(UInt64, ClientMessage)], _ own: [(UInt64, ClientMessage)]
  ) throws {
    let inOrder = copied.sorted { $0.0 < $1.0 }
    #expect(inOrder.map(\.0) == Array(1...UInt64(inOrder.count)))
    var told: [UInt64: String] = [:]
    for (number, message) in own { told[number] = text(message) }
    var compared = 0
    for (index, (_, message)) in inOrder.enumerated() {
      guard case .copied(let session, let version, let number) = message.event else { continue }
      #expect(session == SessionId(3))
      #expect(version > 0)
      let copy = try #require(inOrder.count > index + 1 ? inOrder[index + 1].1 : nil)
      if let original = told[number] {
        #expect(text(copy) == original, "report \(number)")
        compared += 1
      }
    }
    // Accepted, Trade and Canceled; balances are not copied.
    #expect(compared >= 3)
  }
}

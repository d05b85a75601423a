import Foundation
import JoulebookClient
import JoulebookServer
import MarketModel
import Testing

/// A bot that loses its connection again and again and must still place every order exactly once:
/// it resends orders without a report under unchanged client order ids, and collects every report
/// by number.
private final class StubbornBot {
  let village: Village
  let total: UInt64
  private(set) var client: Client?
  private var position: SessionPosition?
  /// Reports of the session version by number: the client order id accepted, or 0 for another
  /// report.
  private(set) var reports: [UInt64: UInt64] = [:]
  /// Client order ids whose Accepted was received.
  private(set) var accepted: Set<UInt64> = []
  /// Number of orders rejected as duplicates.
  private(set) var refused = 0
  private(set) var connections = 0
  private(set) var versions = 0
  private var nextToSend: UInt64 = 1
  /// All orders before it were accepted.
  private var firstUnknown: UInt64 = 1

  init(_ village: Village, total: UInt64) { (self.village, self.total) = (village, total) }

  /// Whether the Accepted of every order was received.
  var isDone: Bool { accepted.count == Int(total) }

  /// Resumes its session, or begins a new one if the server does not know the old one.
  func connect(_ server: ServerProcess) throws {
    let resume = position
    do {
      client = try village.trader(3, server, resume: resume)
    } catch ClientError.refused(let code, _)
      where resume != nil && (code == .notNegotiated || code == .unknownSessionVersion)
    {
      // The server was killed before the first command was durable, so this version has no reports.
      #expect(reports.isEmpty, "reports of a version that the server forgot")
      client = try village.trader(3, server)
      versions += 1
    }
    if resume == nil { versions += 1 }
    connections += 1
    while accepted.contains(firstUnknown) { firstUnknown += 1 }
    nextToSend = firstUnknown
  }

  /// Sends some of the orders without a report, by ascending id.
  func send(_ count: Int) throws {
    guard let client else { return }
    for _ in 0..<count where nextToSend <= total {
      if !accepted.contains(nextToSend) {
        try client.enter(
          .limit(
            Village.ben, .buy, kilowattHours: 1, at: Int64(nextToSend % 40) + 1, id: nextToSend))
      }
      nextToSend += 1
    }
    try client.flush()
  }

  /// Reads `count` messages, if they arrive.
  func read(_ count: Int, wait milliseconds: Int32 = 50) throws {
    guard let client else { return }
    for _ in 0..<count {
      guard let message = try client.poll(timeoutMilliseconds: milliseconds) else { return }
      note(message)
    }
  }

  /// Reads at most `count` messages while reports from before the disconnection are missing.
  func catchUp(_ count: Int) throws {
    guard let client else { return }
    for _ in 0..<count where !client.missing.isEmpty {
      guard let message = try client.poll(timeoutMilliseconds: 10_000) else { return }
      note(message)
    }
  }

  /// Drops the connection with all messages in flight.
  func lose() {
    if let client { position = client.position }
    client?.drop()
    client = nil
  }

  private func note(_ message: ClientMessage) {
    var id: UInt64 = 0
    switch message.event {
    case .accepted(let report):
      id = report.clientOrderId.rawValue
      accepted.insert(id)
    case .rejected(let rejection):
      #expect(rejection.code == .duplicateClientOrderId)
      refused += 1
    default: break
    }
    guard message.isReport else { return }
    let known = reports.updateValue(id, forKey: message.sequence)
    #expect(known == nil || known == id, "report \(message.sequence) has changed")
  }
}

@Suite("Exactly once", .serialized)
struct ExactlyOnceTests {
  // The bot has thousands of orders without headroom, and sends thousands again: its budget of work
  // is not what is tested.
  private static let options = [
    "--set", "capacity.orders=65536", "--set", "journal.segment=4MiB",
    "--set", "client.work=1000000000",
  ]

  /// After the kills: enters the remaining orders, reads all reports and compares everything.
  private func settle(_ bot: StubbornBot, _ village: Village, _ server: ServerProcess) throws {
    bot.lose()
    try bot.connect(server)
    let end = Date().addingTimeInterval(600)
    while Date() < end {
      try bot.send(500)
      try bot.read(2_000, wait: 300)
      if bot.isDone, bot.client?.missing.isEmpty == true { break }
    }
    try bot.read(10_000, wait: 300)
    #expect(bot.isDone, "\(bot.accepted.count) of \(bot.total) accepted")
    // All report numbers exactly once, without a gap; each order accepted in exactly one report.
    let numbers = bot.reports.keys.sorted()
    #expect(numbers == Array(1...UInt64(numbers.count)))
    let ids = bot.reports.values.filter { $0 != 0 }.sorted()
    #expect(ids == Array(1...bot.total))
    #expect(try village.status(server).openOrderCount == UInt32(bot.total))
  }

  @Test(
    "A thousand lost connections in a burst: sent again, each order happens once.",
    arguments: Configuration.Threading.allCases)
  func lostConnections(assembly: Configuration.Threading) throws {
    var random = SeededRandom(seed: 20_260_617)
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(
      data: folder.path + "/data", options: Self.options, assembly: assembly)
    try village.setUp(on: server)
    let bot = StubbornBot(village, total: 6_000)
    for _ in 0..<1_000 {
      try bot.connect(server)
      try bot.send(Int.random(in: 0...20, using: &random))
      try bot.read(Int.random(in: 0...24, using: &random), wait: 5)
      bot.lose()
    }
    try settle(bot, village, server)
    #expect(bot.connections == 1_001 && bot.versions == 1)
    #expect(bot.refused > 100, "hardly anything was sent twice: \(bot.refused)")
    #expect(server.stop() == 0)
    #expect(try Joulebook.run(["replay", server.data]).status == 0)
  }

  /// `make kills` asks for 1,000.
  private static let kills =
    ProcessInfo.processInfo.environment["JOULEBOOK_KILLS"].flatMap(Int.init) ?? 30

  @Test("Killed servers among lost connections: sent again, each order happens once.")
  func killedServers() throws {
    var random = SeededRandom(seed: 77)
    let folder = try TemporaryFolder()
    let village = Village()
    // Snapshots keep the restarts short, and kills interrupt them too.
    let options = Self.options + ["--set", "snapshot.commands=500"]
    var server = try ServerProcess(data: folder.path + "/data", options: options)
    try village.setUp(on: server)
    let bot = StubbornBot(village, total: UInt64(Self.kills) * 40)
    for kill in 1...Self.kills {
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        try trade(bot, server, &random)
        bot.lose()
      }
      try trade(bot, server, &random)
      server.kill()
      bot.lose()
      server = try ServerProcess(data: server.data, options: options)
      if Self.kills >= 100, kill % 50 == 0 {
        FileHandle.standardError.write(
          Data(
            """
            \(kill) of \(Self.kills) kills, \(bot.connections) connections, \
            \(bot.accepted.count) of \(bot.total) orders accepted, \(bot.refused) refused as sent twice

            """.utf8))
      }
    }
    try settle(bot, village, server)
    #expect(bot.refused > Self.kills, "hardly anything was sent twice: \(bot.refused)")
    #expect(server.stop() == 0)
    #expect(try Joulebook.run(["replay", server.data]).status == 0)
  }

  /// Connects, sends a few orders and reads some of the answers, so that the next kill comes at a
  /// random moment.
  private func trade(
    _ bot: StubbornBot, _ server: ServerProcess, _ random: inout SeededRandom
  ) throws {
    try bot.connect(server)
    try bot.send(Int.random(in: 1...30, using: &random))
    try bot.read(Int.random(in: 0...30, using: &random), wait: 5)
    // Only sometimes, but often enough that there are new orders at the next kill.
    if Bool.random(using: &random) { try bot.catchUp(1_000) }
  }

  @Test(
    "Reports from the session's first to its last can be asked for again, also after a restart.",
    arguments: Configuration.Threading.allCases)
  func wholeHistory(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try ServerProcess(
      data: folder.path + "/data", options: Self.options, assembly: assembly)
    try village.setUp(on: server)
    let first = try village.trader(3, server)
    let count: UInt64 = 5_000
    for id in 1...count {
      try first.enter(.limit(Village.ben, .buy, kilowattHours: 1, at: Int64(id % 40) + 1, id: id))
      if id % 500 == 0 { try first.flush() }
    }
    var texts: [UInt64: String] = [:]
    // Waits until the last order is accepted, however slow the machine, and for what follows.
    var isLastAccepted = false
    while let message = try first.poll(timeoutMilliseconds: isLastAccepted ? 500 : 30_000) {
      if message.isReport { texts[message.sequence] = "\(message.time) \(message.event)" }
      if case .accepted(let state) = message.event, state.clientOrderId.rawValue == count {
        isLastAccepted = true
      }
    }
    #expect(texts.count > 5_000)
    server.kill()
    server = try ServerProcess(data: server.data, options: Self.options, assembly: assembly)
    var position = first.position
    position.nextReport = 1
    let second = try village.trader(3, server, resume: position)
    var again: [UInt64: String] = [:]
    while again.count < texts.count {
      let message = try #require(try second.poll(timeoutMilliseconds: 120_000))
      guard message.isReport else { continue }
      #expect(message.isRetransmitted)
      again[message.sequence] = "\(message.time) \(message.event)"
    }
    #expect(again == texts)
  }
}

import Foundation
import JoulebookClient
import JoulebookServer
import MarketModel
import Testing

@Suite("Limits of a client, on a real server", .serialized)
struct LimitTests {
  private func server(
    _ folder: TemporaryFolder, _ settings: [String], _ assembly: Configuration.Threading
  ) throws -> ServerProcess {
    try ServerProcess(
      data: folder.path + "/data",
      options: (["capacity.orders=4096"] + settings).flatMap { ["--set", $0] },
      assembly: assembly)
  }

  /// Whether a line with `text` appears in the log.
  private func logs(_ server: ServerProcess, _ text: String) -> Bool {
    for _ in 0..<100 {
      if server.log.contains(text) { return true }
      usleep(20_000)
    }
    return false
  }

  /// Lets all bids of Ben have cover, so that none of them visits the others.
  private func raiseCap(_ village: Village, _ server: ServerProcess) throws {
    let client = try village.operatorClient(server)
    defer { client.close() }
    let cap = SetCap(account: Village.ben, area: AreaId(1), cap: Energy(wattHours: 1_000_000_000))
    try client.settle(client.submit(.reference(.setCap(cap))))
  }

  private func bid(_ id: UInt64) -> NewOrder {
    .limit(Village.ben, .buy, kilowattHours: 1, at: Int64(id % 40) + 1, id: id)
  }

  @Test(
    "Above the first limit orders are rejected and cancels still pass; another bot is not held up.",
    arguments: Configuration.Threading.allCases)
  func throttle(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try server(
      folder, ["client.messages=100", "client.messagesCutoff=1000"], assembly)
    try village.setUp(on: server)
    let (ana, ben) = (try village.trader(2, server), try village.trader(3, server))
    // Both must arrive within one second of the server's clock; otherwise the counter restarts and
    // all are accepted.
    var (accepted, rejected) = (0, 0)
    for id in UInt64(1)...150 { try ben.enter(bid(id)) }
    try ben.massCancel(MassCancel(account: Village.ben))
    while true {
      let isOver: Bool = try ben.wait { event in
        switch event {
        case .accepted: accepted += 1
        case .rejected(let rejection):
          #expect(rejection.code == .tooManyMessages && rejection.limit == 100)
          rejected += 1
        case .massCanceled(let report):
          #expect(report.count == 100)
          return true
        default: break
        }
        return false
      }
      if isOver { break }
    }
    #expect(accepted == 100 && rejected == 50)
    try ana.enter(.limit(Village.ana, .sell, kilowattHours: 1, at: 900, id: 1))
    try ana.wait { if case .accepted = $0 { () } else { nil } }
    #expect(logs(server, "exceeds its message limit count=1 limit=100 session=3"))
    // A second later messages are accepted again.
    usleep(1_100_000)
    try ben.enter(bid(1_000))
    try ben.wait { if case .accepted = $0 { () } else { nil } }
  }

  @Test(
    "Above the second limit the session ends with its code, and its orders are cancelled.",
    arguments: Configuration.Threading.allCases)
  func flooding(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try server(folder, ["client.messages=50", "client.messagesCutoff=200"], assembly)
    try village.setUp(on: server)
    let ben = try village.trader(3, server, orders: .canceled(afterMilliseconds: 0))
    for id in UInt64(1)...400 { try ben.enter(bid(id)) }
    #expect(throws: ClientError.terminated(code: .flooding, limit: 200)) {
      while try ben.poll(timeoutMilliseconds: 5_000) != nil {}
    }
    for _ in 0..<100 where try village.status(server).openOrderCount > 0 { usleep(20_000) }
    #expect(try village.status(server).openOrderCount == 0)
  }

  @Test(
    "Who sends commands that are rejected pays for the journal; others are not held up.",
    arguments: Configuration.Threading.allCases)
  func rejectsCost(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try server(folder, ["client.work=1000"], assembly)
    try village.setUp(on: server)
    let (ana, ben) = (try village.trader(2, server), try village.trader(3, server))
    let before = try village.status(server).lastSequence
    // Orders for an account of another participant (3003), in batches that the server answers.
    var (journaled, refused) = (0, 0)
    for _ in 0..<40 {
      for _ in 0..<50 { try ben.enter(.limit(Village.ana, .buy, kilowattHours: 1, at: 1, id: 7)) }
      for _ in 0..<50 {
        try ben.wait { event -> Void? in
          guard case .rejected(let rejection) = event else { return nil }
          if rejection.code == .workLimit { refused += 1 } else { journaled += 1 }
          return ()
        }
      }
    }
    #expect(refused > 1_000 && journaled >= 10 && journaled + refused == 2_000)
    // A thousand units are ten rejects a second; a turn's worth may come on top.
    #expect(journaled < 900)
    #expect(try village.status(server).lastSequence.rawValue - before.rawValue < 1_000)
    try ana.enter(.limit(Village.ana, .sell, kilowattHours: 1, at: 900, id: 1))
    try ana.wait { if case .accepted = $0 { () } else { nil } }
    #expect(logs(server, "exceeds its limit of work"))
  }

  @Test("A client that exceeds a limit on each of its many connections fills no log.")
  func reconnecting() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try server(folder, ["client.messages=30"], .inline)
    try village.setUp(on: server)
    for round in UInt64(0)..<20 {
      let ben = try village.trader(3, server)
      for number in UInt64(1)...35 { try ben.enter(bid(round * 35 + number)) }
      var rejected = 0
      while rejected < 5 {
        rejected += try ben.wait { event in
          if case .rejected(let rejection) = event {
            rejection.code == .tooManyMessages ? 1 : 0
          } else {
            nil
          }
        }
      }
      ben.close()
    }
    #expect(server.stop() == 0)
    let lines = server.log.split(separator: "\n").filter { $0.contains("its message limit") }
    let counts = lines.compactMap { line in
      line.split(separator: " ").first { $0.hasPrefix("count=") }.flatMap { Int($0.dropFirst(6)) }
    }
    #expect(lines.count <= 3 && counts.reduce(0, +) == 20, "\(lines)")
  }

  @Test(
    "Who lets one command have many events pays for each, on all its connections.",
    arguments: Configuration.Threading.allCases)
  func longCommandsCost(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try server(folder, ["client.work=1000"], assembly)
    try village.setUp(on: server)
    try raiseCap(village, server)
    let ben = try village.trader(3, server)
    for id in UInt64(1)...300 { try ben.enter(bid(id)) }
    try ben.massCancel(MassCancel(account: Village.ben))
    try ben.wait { event -> Void? in
      if case .massCanceled(let report) = event, report.count == 300 { () } else { nil }
    }
    // 300 cancels and the report: 237 events above 64 cost 2,370 units, of a budget of 1,000.
    let answer = { (client: Client, id: UInt64) -> RejectCode? in
      try client.enter(self.bid(id))
      return try client.wait { event -> RejectCode?? in
        switch event {
        case .accepted: .some(nil)
        case .rejected(let rejection): .some(rejection.code)
        default: nil
        }
      }
    }
    #expect(try answer(ben, 1_000) == .workLimit)
    ben.close()
    let again = try village.trader(3, server)
    #expect(try answer(again, 1_001) == .workLimit)
    // Other participants have budgets of their own.
    let ana = try village.trader(2, server)
    try ana.enter(.limit(Village.ana, .sell, kilowattHours: 1, at: 900, id: 1))
    try ana.wait { if case .accepted = $0 { () } else { nil } }
  }

  @Test(
    "What was sent behind a command that used up the work is refused, and the journal has it so.",
    arguments: Configuration.Threading.allCases)
  func behindALongCommand(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try server(folder, ["client.work=1000"], assembly)
    try village.setUp(on: server)
    try raiseCap(village, server)
    let ben = try village.trader(3, server)
    for id in UInt64(1)...300 { try ben.enter(bid(id)) }
    try ben.wait { event -> Void? in
      if case .accepted(let report) = event, report.clientOrderId.rawValue == 300 {
        ()
      } else {
        nil
      }
    }
    // All of it is in the socket before the server has reported the mass cancel.
    try ben.massCancel(MassCancel(account: Village.ben))
    for id in UInt64(301)...350 { try ben.enter(bid(id)) }
    var codes: [RejectCode] = []
    try ben.wait { event -> Void? in
      if case .accepted(let report) = event { Issue.record("accepted \(report.clientOrderId)") }
      if case .rejected(let rejection) = event { codes.append(rejection.code) }
      return codes.count == 50 ? () : nil
    }
    #expect(codes.allSatisfy { $0 == .workLimit })
    #expect(try village.status(server).openOrderCount == 0)
    #expect(server.stop() == 0)
    let again = try self.server(folder, ["client.work=1000"], assembly)
    #expect(try village.status(again).openOrderCount == 0)
  }

  @Test(
    "A mass cancel with more reports than the bound reaches a client that reads.",
    arguments: Configuration.Threading.allCases)
  func massCancel(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try server(
      folder, ["client.bytes=65536", "client.patience=60000"], assembly)
    try village.setUp(on: server)
    let ben = try village.trader(3, server)
    for last in stride(from: UInt64(250), through: 1_250, by: 250) {
      for id in last - 249...last { try ben.enter(bid(id)) }
      try ben.wait { event in
        if case .accepted(let report) = event, report.clientOrderId.rawValue == last {
          ()
        } else {
          nil
        }
      }
    }
    try ben.massCancel(MassCancel(account: Village.ben))
    var canceled = 0
    try ben.wait { event in
      if case .canceled = event { canceled += 1 }
      return if case .massCanceled = event { () } else { nil }
    }
    #expect(canceled == 1_250)
    #expect(!server.log.contains("does not read"))
  }

  @Test(
    "A client that does not read is disconnected and logged; it can request its reports later.",
    arguments: Configuration.Threading.allCases)
  func slowReader(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try server(folder, ["client.bytes=65536", "client.patience=200"], assembly)
    try village.setUp(on: server)
    let (ana, ben) = (try village.trader(2, server), try village.trader(3, server))
    // The unread messages are its own rejects; the kernel's buffers absorb the first megabytes.
    var sent = 0
    do {
      while sent < 400_000 {
        for _ in 0..<500 {
          try ben.enter(.limit(Village.ben, .buy, kilowattHours: 1, at: 1, id: 0))
          sent += 1
        }
        try ben.flush()
        if server.log.contains("does not read") { break }
      }
    } catch {
      // The connection may have been closed while it was writing; the log below confirms it.
    }
    let text = "a client does not read, so its session was terminated count=1 session=3 unread="
    #expect(logs(server, text))
    try ana.enter(.limit(Village.ana, .sell, kilowattHours: 1, at: 900, id: 1))
    try ana.wait { if case .accepted = $0 { () } else { nil } }
    ben.drop()
    let back = try village.trader(3, server, resume: ben.position)
    let first = try #require(try back.poll(timeoutMilliseconds: 10_000))
    #expect(first.isRetransmitted && first.sequence == 1)
  }
}

import Foundation
import JoulebookClient
import JoulebookServer
import MarketModel
import Testing

@Suite("Cancel on disconnect, on a real server", .serialized)
struct DisconnectTests {
  private static let options = ["--set", "capacity.orders=4096"]

  private func enter(_ client: Client, _ ids: ClosedRange<UInt64>) throws {
    for id in ids {
      try client.enter(.limit(Village.ben, .buy, kilowattHours: 1, at: Int64(id), id: id))
    }
    for _ in ids {
      try client.wait { if case .accepted = $0 { () } else { nil } }
    }
  }

  private func openOrders(
    _ village: Village, _ server: ServerProcess, within seconds: Double, reach count: UInt32
  ) throws -> UInt32 {
    let end = Date().addingTimeInterval(seconds)
    var status = try village.status(server)
    while status.openOrderCount != count, Date() < end {
      usleep(20_000)
      status = try village.status(server)
    }
    return status.openOrderCount
  }

  @Test(
    "A lost bot's orders are cancelled, those of others stay, and a replay gives the same state.",
    arguments: Configuration.Threading.allCases)
  func lostBot(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(
      data: folder.path + "/data", options: Self.options, assembly: assembly)
    try village.setUp(on: server)
    let ana = try village.trader(2, server)
    try ana.enter(.limit(Village.ana, .sell, kilowattHours: 2, at: 900, id: 1))
    try ana.wait { if case .accepted = $0 { () } else { nil } }
    let ben = try village.trader(3, server, orders: .canceled(afterMilliseconds: 0))
    try enter(ben, 1...20)
    #expect(try village.status(server).openOrderCount == 21)
    ben.drop()
    #expect(try openOrders(village, server, within: 5, reach: 1) == 1)
    // When the session returns, it receives the reports of the cancels.
    let back = try village.trader(3, server, resume: ben.position)
    var canceled = 0
    while canceled < 20 {
      canceled += try back.wait { event in
        if case .canceled(let report) = event { report.reason == .disconnect ? 1 : 0 } else { nil }
      }
    }
    let live = try village.status(server)
    #expect(server.stop() == 0)
    let replay = try Joulebook.run(["replay", server.data, "--ledger"])
    #expect(replay.status == 0, "\(replay.errors)")
    #expect(live.openOrderCount == 1)
    let lines = server.log.split(separator: "\n").filter { $0.contains("a connection was lost") }
    #expect(
      lines.contains { $0.hasSuffix(" afterMilliseconds=0 count=1 session=3") }, "\(server.log)")
    // The operator's sessions ended in order.
    #expect(!lines.contains { $0.hasSuffix(" session=1") }, "\(server.log)")
  }

  @Test(
    "A server that starts again journals the cancels of orders without a cancel window.",
    arguments: Configuration.Threading.allCases)
  func noWindow(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try ServerProcess(
      data: folder.path + "/data", options: Self.options, assembly: assembly)
    try village.setUp(on: server)
    for isKilled in [true, false] {
      let ben = try village.trader(3, server, orders: .canceled(afterMilliseconds: 0))
      try enter(ben, isKilled ? 1...3 : 4...6)
      if isKilled { server.kill() } else { #expect(server.stop() == 0) }
      server = try ServerProcess(data: server.data, options: Self.options, assembly: assembly)
      #expect(try openOrders(village, server, within: 5, reach: 0) == 0)
    }
    #expect(server.stop() == 0)
    let commands = try Joulebook.run(["journal", "inspect", server.data]).output
    #expect(commands.split(separator: "\n").count { $0.contains("endSession") } >= 2, "\(commands)")
    #expect(try Joulebook.run(["replay", server.data]).status == 0)
  }

  @Test(
    "A killed server counts as a lost connection: the window begins when it is back.",
    arguments: Configuration.Threading.allCases)
  func killedServer(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let village = Village()
    var server = try ServerProcess(
      data: folder.path + "/data", options: Self.options, assembly: assembly)
    try village.setUp(on: server)
    let ben = try village.trader(3, server, orders: .canceled(afterMilliseconds: 1_500))
    try enter(ben, 1...5)
    server.kill()
    server = try ServerProcess(data: server.data, options: Self.options, assembly: assembly)
    #expect(try village.status(server).openOrderCount == 5)
    let back = try village.trader(
      3, server, orders: .canceled(afterMilliseconds: 1_500), resume: ben.position)
    usleep(2_200_000)
    #expect(try village.status(server).openOrderCount == 5)
    _ = try back.poll(timeoutMilliseconds: 0)
    server.kill()
    server = try ServerProcess(data: server.data, options: Self.options, assembly: assembly)
    #expect(try openOrders(village, server, within: 6, reach: 0) == 0)
    #expect(server.stop() == 0)
    #expect(try Joulebook.run(["replay", server.data]).status == 0)
  }
}

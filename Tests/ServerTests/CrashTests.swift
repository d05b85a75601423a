import Glibc
import JoulebookClient
import JoulebookServer
import MarketModel
import Testing

@Suite("kill -9", .serialized)
struct CrashTests {
  /// Number of kills and restarts.
  private static let rounds: UInt64 = 50

  @Test("kill -9 at any moment, fifty times, loses no acknowledged order.")
  func nothingAcknowledgedIsLost() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let data = folder.path + "/data"
    let options = [
      "--set", "journal.segment=1MiB", "--set", "capacity.orders=65536",
      "--set", "snapshot.commands=300",
    ]
    var server = try ServerProcess(data: data, options: options)
    try village.setUp(on: server)
    var generator = SystemRandomNumberGenerator()
    var acknowledged: Set<OrderId> = []
    var next: UInt64 = 1
    for round in 1...Self.rounds {
      let client = try village.trader(3, server)
      let burst = UInt64.random(in: 8...64, using: &generator)
      for _ in 0..<burst {
        try client.enter(
          .limit(Village.ben, .buy, kilowattHours: 1, at: Int64(next % 50) + 1, id: next))
        next += 1
      }
      try client.flush()
      // Kills the server after some of the answers, with other messages in flight.
      let patience = UInt64.random(in: 1...burst, using: &generator)
      for _ in 0..<patience {
        let order = try client.wait {
          if case .accepted(let report) = $0 { report.order } else { nil }
        }
        acknowledged.insert(order)
      }
      server.kill()
      client.close()
      server = try ServerProcess(data: data, options: options)
      guard round % 10 == 0 else { continue }
      try expectOpen(acknowledged, village, server)
      // Long enough for a snapshot, from which the next rounds start.
      for _ in 0..<500 where !server.log.contains("made a snapshot") { usleep(20_000) }
    }
    try expectOpen(acknowledged, village, server)
    #expect(server.log.contains("recovery continues after the snapshot"))
    let live = try village.status(server)
    #expect(server.stop() == 0)
    #expect(live.openOrderCount >= UInt32(acknowledged.count))
    let replay = try Joulebook.run(["replay", data, "--ledger"])
    #expect(replay.status == 0, "\(replay.errors)")
    #expect(try Joulebook.run(["ledger", "verify", "--data", data]).status == 0)
  }

  /// Asks the recovered server for each order.
  private func expectOpen(
    _ orders: Set<OrderId>, _ village: Village, _ server: ServerProcess
  ) throws {
    let client = try village.trader(3, server)
    defer { client.close() }
    for order in orders {
      try client.requestOrderStatus(order, account: Village.ben)
      let isOpen = try client.wait { event -> Bool? in
        switch event {
        case .orderStatus(let report, _) where report.order == order: true
        case .rejected: false
        default: nil
        }
      }
      #expect(isOpen, "order \(order.rawValue) was acknowledged and is gone")
    }
  }
}

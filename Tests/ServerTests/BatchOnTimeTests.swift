import Foundation
import JoulebookServer
import MarketModel
import Testing

@Suite("Batches close on time in a quiet market", .serialized)
struct BatchOnTimeTests {
  private static let options = [
    "--set", "settlement.nanoseconds=1000000000", "--set", "capacity.orders=1024",
    "--set", "health=127.0.0.1:0",
  ]

  /// Ben's cash in the output of `ledger balances`, and the command up to which it is complete.
  private func balances(_ data: String) throws -> String {
    try Joulebook.run(["ledger", "balances", "--data", data, "--account", "11"]).output
  }

  /// The journal's commands without sequence number, time and session. The server is stopped.
  private func commands(_ data: String) throws -> [Substring] {
    try Joulebook.run(["journal", "inspect", data]).output.split(separator: "\n")
      .map { $0.split(separator: " ", maxSplits: 3).last ?? "" }
  }

  @Test(
    "A deposit alone is settled after settlement.nanoseconds without a further command.",
    arguments: Configuration.Threading.allCases)
  func quietMarket(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    let server = try ServerProcess(data: data, options: Self.options, assembly: assembly)
    try Village().setUp(on: server)
    for _ in 0..<100 where try !balances(data).contains("10000.00") { usleep(100_000) }
    let settled = try balances(data)
    #expect(settled.contains("10000.00"), "\(settled)")
    #expect(settled.contains("complete up to command "), "\(settled)")
    // No batch is open, so nothing is journaled.
    usleep(2_500_000)
    #expect(server.stop() == 0)
    let all = try commands(data)
    let ticks = all.indices.filter { all[$0] == "tick" }
    #expect(!ticks.isEmpty && ticks.count <= 3, "\(all.suffix(12))")
    for tick in ticks {
      #expect(all[tick + 1].hasPrefix("settlementConfirmed"), "\(all.suffix(12))")
    }
    #expect(try Joulebook.run(["replay", data, "--ledger"]).status == 0)
    #expect(try Joulebook.run(["ledger", "verify", "--data", data]).status == 0)
  }

  @Test("A batch that was open when the process was killed closes after the next start.")
  func afterKill() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    let options = ["--set", "settlement.nanoseconds=3000000000", "--set", "capacity.orders=1024"]
    let server = try ServerProcess(data: data, options: options)
    try Village().setUp(on: server)
    server.kill()
    let again = try ServerProcess(data: data, options: options)
    for _ in 0..<100 where try !balances(data).contains("10000.00") { usleep(100_000) }
    #expect(try balances(data).contains("10000.00"))
    #expect(again.stop() == 0)
  }

  @Test("With a driven clock nothing is journaled.")
  func drivenClock() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    let server = try ServerProcess(data: data, options: Self.options + ["--set", "clock=driven"])
    try Village().setUp(on: server)
    usleep(2_500_000)
    #expect(server.stop() == 0)
    #expect(try !commands(data).contains("tick"))
  }
}

@Suite("A ledger that differs from the journal", .serialized)
struct ForeignLedgerTests {
  private static let options = ["--set", "settlement.transfers=2", "--set", "capacity.orders=1024"]
  private static let files = ["", "-wal", "-shm"]

  private func move(_ source: String, _ target: String) throws {
    for file in Self.files {
      if FileManager.default.fileExists(atPath: target + file) {
        try FileManager.default.removeItem(atPath: target + file)
      }
      if FileManager.default.fileExists(atPath: source + file) {
        try FileManager.default.copyItem(atPath: source + file, toPath: target + file)
      }
    }
  }

  private func deposit(_ amount: Int64, _ village: Village, _ server: ServerProcess) throws {
    let client = try village.operatorClient(server)
    defer { client.close() }
    for reference in UInt64(7)...9 {
      try client.settle(
        client.submit(
          .cash(
            .deposit(
              CashMovement(
                account: Village.ben, currency: .eur, amount: Money(units: amount),
                reference: reference)))))
    }
  }

  /// Exit codes of the tools that compare ledger and journal.
  private func verdicts(_ data: String) throws -> [Int32] {
    [
      try Joulebook.run(["ledger", "verify", "--data", data]).status,
      try Joulebook.run(["replay", data, "--ledger"]).status,
    ]
  }

  @Test(
    "A ledger that lacks batches is distinguished from one with other batches."
  )
  func exitCodes() throws {
    let folder = try TemporaryFolder()
    let (data, other) = (folder.path + "/data", folder.path + "/other")
    let (village, copy) = (Village(), folder.path + "/copy.sqlite")
    var server = try ServerProcess(data: data, options: Self.options)
    try village.setUp(on: server)
    #expect(server.stop() == 0)
    try move(data + "/ledger.sqlite", copy)
    server = try ServerProcess(data: data, options: Self.options)
    try deposit(5, village, server)
    #expect(server.stop() == 0)
    #expect(try verdicts(data) == [0, 0])
    try move(copy, data + "/ledger.sqlite")
    #expect(try verdicts(data) == [75, 75])
    server = try ServerProcess(data: data, options: Self.options)
    #expect(server.stop() == 0)
    #expect(try verdicts(data) == [0, 0])

    let foreign = try ServerProcess(data: other, options: Self.options)
    let stranger = Village()
    try stranger.setUp(on: foreign)
    try deposit(6, stranger, foreign)
    #expect(foreign.stop() == 0)
    try move(other + "/ledger.sqlite", data + "/ledger.sqlite")
    #expect(try verdicts(data) == [70, 70])
    let health = ["--set", "health=127.0.0.1:0"]
    server = try ServerProcess(data: data, options: Self.options + health)
    for _ in 0..<200 where !server.log.contains("ALARM: settlement halts") { usleep(20_000) }
    usleep(600_000)
    let line = server.log.split(separator: "\n").last { $0.contains("health and metrics") }
    let port = try #require(line?.split(separator: "=").last.flatMap { Int($0) })
    let ready = try HealthTests().get(port, "/ready")
    #expect(ready.status == 503 && ready.text.contains("settlement has stopped"), "\(ready)")
    let metrics = try HealthTests().get(port, "/metrics").text
    #expect(metrics.contains("joulebook_settlement_stopped 1\n"), "\(metrics)")
    #expect(metrics.contains("joulebook_ledger_log_bytes "), "\(metrics)")
    // Trading continues.
    #expect(try village.status(server).lastSequence > .none)
    #expect(server.stop() == 70)
  }
}

// Whole servers whose ledger is in PostgreSQL, settled by a thread or by a process of its own; and
// random kills of all three.

import Foundation
import JoulebookClient
import JoulebookServer
import MarketModel
import Testing

/// A `joulebook settle` process.
private final class SettleProcess {
  private let process = Process()

  init(data: String, environment: [String: String]) throws {
    let path = data + ".settle.log"
    if !FileManager.default.fileExists(atPath: path) {
      _ = FileManager.default.createFile(atPath: path, contents: nil)
    }
    let log = try #require(FileHandle(forWritingAtPath: path))
    try log.seekToEnd()
    process.executableURL = URL(fileURLWithPath: Joulebook.path)
    process.arguments = ["settle", "--data", data]
    process.environment = Joulebook.environment(environment)
    process.standardOutput = log
    process.standardError = log
    try process.start()
  }

  deinit { kill() }

  func kill() {
    guard process.isRunning else { return }
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  func stop() -> Int32 {
    process.terminate()
    process.waitUntilExit()
    return process.terminationStatus
  }
}

@Suite("Settlement into PostgreSQL", .serialized)
struct PostgresSettlementTests {
  private static let few = ["--set", "settlement.transfers=2", "--set", "capacity.orders=1024"]

  private func schema() -> String { "server_" + String(UInt64.random(in: 0 ..< .max), radix: 36) }

  /// Makes deposits of a unit each, from reference `first` on.
  private func deposit(
    _ count: Int, from first: UInt64, _ village: Village, _ server: ServerProcess
  )
    throws
  {
    let client = try village.operatorClient(server)
    defer { client.close() }
    var last: UInt64 = 0
    for index in 0..<count {
      last = try client.submit(
        .cash(
          .deposit(
            CashMovement(
              account: Village.ben, currency: .eur, amount: Money(units: 1),
              reference: first + UInt64(index)))))
    }
    try client.settle(last)
  }

  private func wait(for text: String, in server: ServerProcess) -> Bool {
    for _ in 0..<1_000 where !server.log.contains(text) { usleep(20_000) }
    return server.log.contains(text)
  }

  /// Waits until `condition` is true, 20 s at most.
  private func wait(_ condition: () throws -> Bool) throws -> Bool {
    for _ in 0..<400 {
      if try condition() { return true }
      usleep(50_000)
    }
    return false
  }

  @Test("A server settles into PostgreSQL, and every tool finds the ledger.")
  func tools() throws {
    let (postgres, folder) = (try PostgresServer.shared.get(), try TemporaryFolder())
    let (data, location) = (folder.path + "/data", postgres.location(schema: schema()))
    var server = try ServerProcess(data: data, options: Self.few + ["--set", "ledger=\(location)"])
    let village = Village()
    try village.setUp(on: server)
    try deposit(5, from: 100, village, server)
    let verified = try Joulebook.run(["ledger", "verify", "--data", data])
    #expect(verified.status == 0, "\(verified)")
    #expect(server.stop() == 0, "\(server.log)")
    for command in [
      ["replay", data, "--ledger"], ["ledger", "verify", "--data", data],
      ["ledger", "statement", "\(Village.ben.rawValue)", "--data", data],
      ["ledger", "trades", "--data", data], ["ledger", "balances", "--data", data],
      ["ledger", "export", "--data", data],
    ] {
      let result = try Joulebook.run(command)
      #expect(result.status == 0, "\(command): \(result)")
    }
    #expect(!FileManager.default.fileExists(atPath: data + "/ledger.sqlite"))
    server = try ServerProcess(data: data)
    #expect(wait(for: "the ledger agrees with the journal", in: server), "\(server.log)")
    #expect(server.stop() == 0)
    let other = try Joulebook.run([
      "serve", "--data", folder.path + "/other", "--listen", "127.0.0.1:0", "--set",
      "ledger=\(location)",
    ])
    #expect(other.status == 65, "\(other)")
  }

  @Test("While PostgreSQL is gone the market trades; when it is back, all is settled.")
  func goneAndBack() throws {
    let (postgres, folder) = (try PostgresServer(), try TemporaryFolder())
    defer { postgres.end() }
    let data = folder.path + "/data"
    let location = postgres.location(schema: "books")
    var server = try ServerProcess(data: data, options: Self.few + ["--set", "ledger=\(location)"])
    let village = Village()
    try village.setUp(on: server)
    #expect(wait(for: "the ledger agrees with the journal", in: server), "\(server.log)")
    try postgres.kill()
    try deposit(6, from: 100, village, server)
    #expect(wait(for: "ALARM: trading goes on, settlement tries again", in: server))
    let gone = try Joulebook.run(["ledger", "balances", "--data", data])
    #expect(gone.status == 69 && gone.errors.contains("Connection refused"), "\(gone)")
    try postgres.start()
    #expect(wait(for: "joulebook: settlement goes on", in: server), "\(server.log)")
    #expect(try Joulebook.run(["ledger", "verify", "--data", data]).status == 0)
    try postgres.stop()
    try deposit(6, from: 200, village, server)
    // It waits 20 s for the ledger.
    #expect(server.stop() == 75)
    // A start without the ledger trades too.
    server = try ServerProcess(data: data)
    try deposit(6, from: 300, village, server)
    try postgres.start()
    #expect(try wait { try Joulebook.run(["ledger", "verify", "--data", data]).status == 0 })
    #expect(server.stop() == 0)
    #expect(try Joulebook.run(["replay", data, "--ledger"]).status == 0)
  }

  @Test("A first start with a ledger that it cannot use ends with status 78 and makes nothing.")
  func badFirstStart() throws {
    let (postgres, folder) = (try PostgresServer(settings: ["fsync=off"]), try TemporaryFolder())
    defer { postgres.end() }
    let location = postgres.location(schema: "books")
    let cases = [
      (location, "fsync off"),
      (location.replacingOccurrences(of: "passfile=", with: "passfile=/none"), "PGPASSFILE"),
      (
        location.replacingOccurrences(of: "joule@", with: "joule:secret@"),
        "must not contain a password"
      ),
      (location.replacingOccurrences(of: "/books?", with: "/nothing?"), "createdb"),
    ]
    for (ledger, words) in cases {
      let result = try Joulebook.run([
        "serve", "--data", folder.path + "/data", "--listen", "127.0.0.1:0", "--set",
        "ledger=\(ledger)",
      ])
      #expect(result.status == 78 && result.errors.contains(words), "\(result)")
      #expect(!result.errors.contains("secret"))
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test("A process of its own settles with a password that the server does not have.")
  func ownProcess() throws {
    let (postgres, folder) = (try PostgresServer.shared.get(), try TemporaryFolder())
    let data = folder.path + "/data"
    let passwords = ["PGPASSFILE": postgres.folder + "/passwords"]
    let location = postgres.location(schema: schema()).replacingOccurrences(
      of: "passfile=\(postgres.folder)/passwords&", with: "")
    let options = Self.few + ["--set", "ledger=\(location)", "--set", "settler=process"]
    var server = try ServerProcess(data: data, options: options)
    let village = Village()
    try village.setUp(on: server)
    #expect(wait(for: "no process settles it", in: server), "\(server.log)")
    let settled = { try village.status(server).settledSequence }
    #expect(try settled() == .none)
    var settler = try SettleProcess(data: data, environment: passwords)
    #expect(try wait { try settled() > .none })
    let second = try Joulebook.run(["settle", "--data", data], environment: passwords)
    #expect(second.status == 78 && second.errors.contains("another process settles"), "\(second)")
    settler.kill()
    try deposit(6, from: 100, village, server)
    settler = try SettleProcess(data: data, environment: passwords)
    let verify = ["ledger", "verify", "--data", data]
    #expect(try wait { try Joulebook.run(verify, environment: passwords).status == 0 })
    // The server waits for a settler that settles, and its closing checkpoint closes the last
    // batch.
    #expect(server.stop() == 0, "\(server.log)")
    #expect(try wait { try Joulebook.run(verify, environment: passwords).status == 0 })
    server = try ServerProcess(data: data, options: options)
    try deposit(6, from: 200, village, server)
    #expect(settler.stop() == 0)
    #expect(server.stop() == 0)
    settler = try SettleProcess(data: data, environment: passwords)
    let replay = ["replay", data, "--ledger"]
    #expect(try wait { try Joulebook.run(replay, environment: passwords).status == 0 })
    #expect(settler.stop() == 0)
  }

  /// `make kills LEDGER=postgresql` asks for more.
  private static let kills =
    ProcessInfo.processInfo.environment["JOULEBOOK_LEDGER_KILLS"].flatMap(Int.init) ?? 6
  private static let transfers =
    ProcessInfo.processInfo.environment["JOULEBOOK_LEDGER_TRANSFERS"].flatMap(Int.init) ?? 3_000

  @Test(
    "Server, settler and PostgreSQL are killed at random: nothing is lost, nothing comes twice.")
  func kills() throws {
    let seed = UInt64.random(in: 1 ... .max)
    var random = SeededRandom(seed: seed)
    let (postgres, folder) = (try PostgresServer(), try TemporaryFolder())
    defer { postgres.end() }
    let data = folder.path + "/data"
    let options = [
      "--set", "ledger=\(postgres.location(schema: "books"))", "--set", "settler=process",
      "--set", "settlement.transfers=500", "--set", "capacity.orders=1024",
      "--set", "snapshot.commands=20000", "--set", "client.work=1000000000",
    ]
    var server = try ServerProcess(data: data, options: options)
    var settler = try SettleProcess(data: data, environment: [:])
    let village = Village()
    try village.setUp(on: server)
    let each = max(1, Self.transfers / Self.kills)
    var (reference, counts) = (UInt64(1_000), [0, 0, 0])
    for kill in 0..<Self.kills {
      try deposit(each, from: reference, village, server)
      reference += UInt64(each)
      usleep(UInt32.random(in: 0...300_000, using: &random))
      let victim = kill < 3 ? kill : Int.random(in: 0...2, using: &random)
      counts[victim] += 1
      switch victim {
      case 0:
        server.kill()
        server = try ServerProcess(data: data, options: options)
      case 1:
        settler.kill()
        settler = try SettleProcess(data: data, environment: [:])
      default:
        try postgres.kill()
        usleep(UInt32.random(in: 0...300_000, using: &random))
        try postgres.start()
      }
    }
    #expect(counts.allSatisfy { $0 > 0 }, "seed \(seed)")
    #expect(server.stop() == 0, "seed \(seed): \(server.log)")
    var last = try Joulebook.run(["ledger", "verify", "--data", data])
    for _ in 0..<60 where last.status == 75 {
      usleep(500_000)
      last = try Joulebook.run(["ledger", "verify", "--data", data])
    }
    #expect(last.status == 0, "seed \(seed): \(last)")
    #expect(settler.stop() == 0)
    let booked = try postgres.execute(
      "SELECT count(*), count(DISTINCT reference) FROM books.transfer WHERE code = 14 AND reference >= 1000"
    )
    let due = each * Self.kills
    #expect(booked == "\(due)|\(due)", "seed \(seed)")
    print("\(due) transfers, kills of server, settler, PostgreSQL: \(counts)")
  }
}

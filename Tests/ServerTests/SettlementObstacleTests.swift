import Foundation
import JoulebookClient
import Journaling
import Logging
import MarketModel
import Rings
import Settlement
import Synchronization
import Testing

@testable import JoulebookServer

@Suite("Passing obstacles to settlement", .serialized)
struct SettlementObstacleTests {
  private static let options = ["--set", "settlement.transfers=2", "--set", "capacity.orders=1024"]
  private static let files = ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"]

  /// Number of deposits made.
  private final class Load: Sendable {
    let count = Atomic<UInt64>(1)
    let isOver = Atomic<Bool>(false)
  }

  private func deposit(_ count: Int, _ load: Load, by client: Client) throws {
    var last: UInt64 = 0
    for _ in 0..<count {
      let reference = load.count.add(1, ordering: .relaxed).newValue
      last = try client.submit(
        .cash(
          .deposit(
            CashMovement(
              account: Village.ben, currency: .eur, amount: Money(units: 1), reference: reference)))
      )
    }
    try client.settle(last)
  }

  private func deposit(_ count: Int, _ load: Load, _ village: Village, _ server: ServerProcess)
    throws
  {
    let client = try village.operatorClient(server)
    defer { client.close() }
    try deposit(count, load, by: client)
  }

  /// Moves those of the ledger's files that exist.
  private func move(from source: String, to target: String) throws {
    for file in Self.files where FileManager.default.fileExists(atPath: source + "/" + file) {
      try FileManager.default.moveItem(atPath: source + "/" + file, toPath: target + "/" + file)
    }
  }

  private func wait(for text: String, in server: ServerProcess) -> Bool {
    for _ in 0..<1_000 where !server.log.contains(text) { usleep(20_000) }
    return server.log.contains(text)
  }

  @Test("Beside a busy server journal and ledger agree whenever they are asked.")
  func busyServer() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    nonisolated(unsafe) let server = try ServerProcess(
      data: data,
      options: ["--set", "settlement.transfers=20", "--set", "journal.segment=1048576"]
        + Self.options.suffix(2))
    let (village, load) = (Village(), Load())
    try village.setUp(on: server)
    let thread = ServiceThread("test") {
      do {
        let client = try village.operatorClient(server)
        defer { client.close() }
        while !load.isOver.load(ordering: .relaxed) {
          try deposit(5, load, by: client)
          usleep(10_000)
        }
      } catch {
        Issue.record(error)
      }
    }
    for round in 0..<10 {
      let ledger = try Joulebook.run(["ledger", "verify", "--data", data])
      #expect(ledger.status == 0, "\(round): \(ledger)")
      let journal = try Joulebook.run(["journal", "verify", data])
      #expect(journal.status == 0, "\(round): \(journal)")
    }
    load.isOver.store(true, ordering: .relaxed)
    thread.join()
    #expect(server.stop() == 0)
    #expect(try Joulebook.run(["replay", data, "--ledger"]).status == 0)
  }

  @Test(
    "If the ledger is moved away, settlement waits, and later posts the missing batches."
  )
  func movedLedger() throws {
    let folder = try TemporaryFolder()
    let (data, away) = (folder.path + "/data", folder.path + "/away")
    try FileManager.default.createDirectory(atPath: away, withIntermediateDirectories: true)
    let (village, load) = (Village(), Load())
    var server = try ServerProcess(data: data, options: Self.options)
    try village.setUp(on: server)
    #expect(wait(for: "the ledger agrees with the journal", in: server), "\(server.log)")
    usleep(500_000)
    try move(from: data, to: away)
    try deposit(6, load, village, server)
    #expect(wait(for: "was removed, moved or replaced", in: server), "\(server.log)")
    // Settlement continues only with the original file.
    _ = FileManager.default.createFile(atPath: data + "/ledger.sqlite", contents: nil)
    usleep(1_200_000)
    let log = server.log
    #expect(!log.contains("joulebook: settlement goes on") && !log.contains("halts"), "\(log)")
    try FileManager.default.removeItem(atPath: data + "/ledger.sqlite")
    try move(from: away, to: data)
    #expect(wait(for: "joulebook: settlement goes on", in: server), "\(server.log)")
    #expect(try Joulebook.run(["ledger", "verify", "--data", data]).status == 0)
    try move(from: data, to: away)
    try deposit(6, load, village, server)
    // It waits 20 s for the ledger.
    #expect(server.stop() == 75)
    try move(from: away, to: data)
    let lacking = try Joulebook.run(["ledger", "verify", "--data", data])
    #expect(
      lacking.status == 75 && lacking.errors.contains("the next start of the server settles them"))
    server = try ServerProcess(data: data, options: Self.options)
    #expect(server.stop() == 0)
    #expect(try Joulebook.run(["ledger", "verify", "--data", data]).status == 0)
  }

  @Test("Settlement waits for a segment that is temporarily missing, and continues after it.")
  func movedSegment() throws {
    let folder = try TemporaryFolder()
    let journal = folder.path + "/journal"
    let lock = try DirectoryLock(journal)
    var options = JournalWriter.Options()
    options.segmentBytes = 64 * 1024
    let writer = try JournalWriter(lock, Recovery.recover(lock), options: options)
    var producer = writer.claimProducer()
    for number in 1...40 as ClosedRange<UInt64> {
      let command = Command(
        session: .exchange, body: .control(.tick), sequence: SequenceNumber(number),
        time: Timestamp(nanoseconds: number))
      let isTaken = producer.push(command)
      #expect(isTaken)
      while writer.durable < SequenceNumber(number) { usleep(100) }
    }
    defer { writer.close() }
    let market = MarketState.Setting(Configuration())
    let service = SettlementService(
      SettlementService.Setting(
        journal: journal,
        openLedger: { () throws(LedgerError) in
          throw .unavailable("the replay is made below")
        }, market: market, recovered: .none, log: writer,
        intake: ManyProducerRing<Command>(capacity: 16), wake: {}, retention: JournalRetention()),
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let settler = try Settler(
      LedgerLocation("sqlite:\(folder.path)/ledger.sqlite").open(genesis: market.genesis))
    let made = try service.makeReplay(settler)
    guard var replay = made else { throw Client.Silence() }
    var unsent: [SettlementConfirmed] = []
    let names = try FileManager.default.contentsOfDirectory(atPath: journal)
      .filter { $0.hasSuffix(".journal") }.sorted()
    try #require(names.count > 2)
    let (path, away) = (journal + "/" + names[1], folder.path + "/" + names[1])
    try FileManager.default.moveItem(atPath: path, toPath: away)
    _ = try service.turn(&replay, &unsent)
    #expect(try service.turn(&replay, &unsent) == .ledgerWaits)
    #expect(service.isWaiting && !service.hasStopped)
    try FileManager.default.moveItem(atPath: away, toPath: path)
    #expect(try service.turn(&replay, &unsent) == .caughtUp(SequenceNumber(40)))
    #expect(!service.isWaiting && service.finished == SequenceNumber(40))
    replay.close()
  }

  @Test(
    "Differences are reported by name: settings as settings, the journal's damage as the journal's."
  )
  func words() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    let server = try ServerProcess(data: data, options: Self.options)
    try Village().setUp(on: server)
    #expect(server.stop() == 0)
    #expect(
      "\(LedgerGenesis(rules: BatchRules(transfers: 2, nanoseconds: 5)))"
        == "settlement.transfers 2, settlement.nanoseconds 5")
    let segment = data + "/journal/00000000000000000001.journal"
    let file = try #require(FileHandle(forUpdatingAtPath: segment))
    try file.seek(toOffset: 100)
    try file.write(contentsOf: [0xFF, 0xFE, 0xFD])
    try file.close()
    let verified = try Joulebook.run(["ledger", "verify", "--data", data])
    #expect(verified.status == 65)
    #expect(
      verified.errors.contains("the ledger is consistent, but the journal"), "\(verified)")
  }
}

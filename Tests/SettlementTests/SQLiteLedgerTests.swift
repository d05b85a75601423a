import Foundation
import MarketModel
import SQLite
import Settlement
import Testing

@testable import LedgerSQLite

@Suite("The SQLite ledger")
struct SQLiteLedgerTests {
  let genesis = LedgerGenesis(rules: BatchRules(transfers: 6, nanoseconds: 60_000_000_000))

  /// A ledger with `rounds` batches, closed again.
  func filled(rounds: Int = 3) throws -> SQLitePlace {
    let place = SQLitePlace()
    let ledger = try place.open(genesis)
    for batch in try batches(rounds) { _ = try ledger.apply(batch) }
    try ledger.close()
    return place
  }

  func batches(_ rounds: Int) throws -> [SettlementBatch] {
    var script = EventScript()
    for round in 1...rounds {
      script.cash(2, 1_000_000)
      script.meter(3, produced: 5000, lost: 100)
      script.trade(2, 3, energy: 1000, price: Int64(round) * 100, buyerFee: 3, sellerFee: 2)
      script.checkpoint()
    }
    return try BatchBuilder.batches(of: script, genesis)
  }

  @Test("When a ledger is opened again, its log is synced before its content is used.")
  func logIsMadeDurable() throws {
    let (place, left, bare) = (SQLitePlace(), SQLitePlace(), SQLitePlace())
    let ledger = try place.open(genesis)
    for batch in try batches(2) { _ = try ledger.apply(batch) }
    // The state after a failed sync: the batches can be read in the log, but may not be on
    // the medium.
    for suffix in ["", "-wal"] {
      try FileManager.default.copyItem(atPath: place.path + suffix, toPath: left.path + suffix)
    }
    try ledger.close()
    let again = try left.open(genesis)
    #expect(try again.head().batch == 2)
    // A power failure loses the unsynced log, but not the synced database.
    try FileManager.default.copyItem(atPath: left.path, toPath: bare.path)
    #expect(try bare.open(genesis).head().batch == 2)
    try again.close()
  }

  @Test(
    "No batch is confirmed while the file is moved; when it is back, settlement continues.",
    arguments: ["", "-wal", "-shm"])
  func takenAway(suffix: String) throws {
    let place = SQLitePlace()
    let ledger = try place.open(genesis)
    let all = try batches(3)
    _ = try ledger.apply(all[0])
    let (file, away) = (place.path + suffix, place.folder + "/away")
    try FileManager.default.moveItem(atPath: file, toPath: away)
    for _ in 0..<2 {
      #expect(throws: LedgerError.self) { try ledger.checkFiles() }
      #expect(throws: LedgerError.self) { try ledger.apply(all[1]) }
      #expect(throws: LedgerError.self) { try ledger.reconnect() }
      // Nor another file of that name.
      if !FileManager.default.fileExists(atPath: file) {
        try FileManager.default.copyItem(atPath: away, toPath: file)
      }
    }
    try FileManager.default.removeItem(atPath: file)
    try FileManager.default.moveItem(atPath: away, toPath: file)
    try ledger.reconnect()
    for batch in all[1...] { #expect(try ledger.apply(batch) == .applied) }
    try ledger.close()
    #expect(try LedgerVerification.run(on: SQLiteLedger(readingFrom: place.path)).problems.isEmpty)
  }

  /// What someone with the file and bad intentions, or a broken disk, may do to it.
  static let tamperings: [(sql: String, problem: String)] = [
    ("UPDATE transfer SET amount = amount + 1 WHERE id = 3", "batch 1: stored hash"),
    ("UPDATE transfer SET debit = 99 WHERE id = 1", "batch 1: stored hash"),
    ("UPDATE transfer SET code = 77 WHERE id = 1", "batch 1: "),
    ("UPDATE transfer SET time = time + 1 WHERE id = 9", "batch 2: stored hash"),
    ("DELETE FROM transfer WHERE id = 4", "batch 1 does not agree with"),
    ("UPDATE transfer SET batch = 2 WHERE id = 2", "batch 1 does not agree with"),
    (
      """
      INSERT INTO transfer SELECT 1000, batch, debit, credit, unit, amount, code, trade_sequence,
      time, reference, pending_id, flags FROM transfer WHERE id = 1
      """, "transfers are stored"
    ),
    ("DELETE FROM batch WHERE id = 2", "batch 2 is missing"),
    ("UPDATE batch SET hash = zeroblob(32) WHERE id = 1", "batch 1: stored hash"),
    ("UPDATE batch SET previous = zeroblob(32) WHERE id = 2", "batch 2 does not follow"),
    ("UPDATE batch SET last_sequence = last_sequence + 1 WHERE id = 1", "batch 1: stored hash"),
    ("UPDATE batch SET count = count - 1 WHERE id = 3", "batch 3: stored hash"),
    (
      "UPDATE account SET credits_low = credits_low + 1 WHERE id = 2 AND unit = 66514",
      "2 in EUR: balance"
    ),
    (
      "UPDATE account SET credits_high = credits_high + 1 WHERE id = 2 AND unit = 66514",
      "EUR: debits"
    ),
    ("DELETE FROM account WHERE id = 3 AND unit = 131073", "area 1: minted"),
    ("UPDATE ledger SET shard = 7", "batch 1 does not follow"),
  ]

  @Test("Verification names every manipulation of the tables.", arguments: tamperings)
  func tampering(_ tampering: (sql: String, problem: String)) throws {
    let place = try filled()
    do {
      let sound = try SQLiteLedger(readingFrom: place.path)
      #expect(try LedgerVerification.run(on: sound).problems == [])
    }
    do {
      let connection = try SQLiteConnection(path: place.path, readOnly: false)
      for table in ["transfer", "batch"] {
        for change in ["update", "delete"] {
          try connection.execute("DROP TRIGGER \(table)_\(change)")
        }
      }
      try connection.execute(tampering.sql)
    }
    let report = try LedgerVerification.run(on: SQLiteLedger(readingFrom: place.path))
    let words = report.problems.map(\.description)
    #expect(
      words.contains { $0.contains(tampering.problem) }, "found: \(words) for \(tampering.sql)")
  }

  @Test("Transfers and batches can be neither changed nor deleted by mistake.")
  func appendOnly() throws {
    let place = try filled()
    let connection = try SQLiteConnection(path: place.path, readOnly: false)
    for sql in [
      "UPDATE transfer SET amount = 1", "DELETE FROM transfer", "UPDATE batch SET count = 1",
      "DELETE FROM batch",
    ] {
      #expect(throws: SQLiteFailure.self) { try connection.execute(sql) }
    }
  }

  @Test("Cut off at any byte of its log, as by a power cut, the ledger is whole up to some batch.")
  func tornLog() throws {
    let place = SQLitePlace()
    let ledger = try place.open(genesis)
    let all = try batches(4)
    for batch in all { _ = try ledger.apply(batch) }
    // The ledger stays open: closing would move the log into the file.
    let log = try Data(contentsOf: URL(fileURLWithPath: place.path + "-wal"))
    let file = try Data(contentsOf: URL(fileURLWithPath: place.path))
    var heads: Set<UInt64> = []
    for length in stride(from: 0, through: log.count, by: 2048) + [log.count] {
      let torn = SQLitePlace()
      try file.write(to: URL(fileURLWithPath: torn.path))
      try log.prefix(length).write(to: URL(fileURLWithPath: torn.path + "-wal"))
      let reopened = try torn.open(genesis)
      let head = try reopened.head()
      heads.insert(head.batch)
      #expect(try LedgerVerification.run(on: reopened).problems == [], "log cut at \(length)")
      for batch in all {
        let due: ApplyOutcome = batch.id <= head.batch ? .alreadyApplied : .applied
        #expect(try reopened.apply(batch) == due)
      }
      #expect(try reopened.balances() == ledger.balances())
    }
    #expect(heads == [0, 1, 2, 3, 4])
  }

  @Test("One process writes at a time; a second one is refused with a remedy.")
  func singleWriter() throws {
    let place = SQLitePlace()
    let first = try place.open(genesis)
    let error = errorOf { _ = try place.open(genesis) }
    guard case .inUse(let words) = error else {
      Issue.record("opened, or failed with \(String(describing: error))")
      return
    }
    #expect(words.contains("stop it"))
    _ = try first.head()
  }

  @Test("A reader sees one state of the ledger while batches arrive.")
  func readerBesideWriter() throws {
    let place = SQLitePlace()
    let writer = try place.open(genesis)
    let all = try batches(3)
    _ = try writer.apply(all[0])
    let reader = try SQLiteLedger(readingFrom: place.path)
    try reader.snapshot { () throws(LedgerError) in
      let before = try reader.balances()
      _ = try writer.apply(all[1])
      #expect(try reader.balances() == before)
      #expect(try reader.head().batch == 1)
    }
    #expect(try reader.head().batch == 2)
  }

  @Test("While another connection holds the file, a batch waits; then it goes in.")
  func busy() throws {
    let place = SQLitePlace()
    let ledger = try place.open(genesis)
    let other = try SQLiteConnection(path: place.path, readOnly: false)
    try other.execute("BEGIN IMMEDIATE")
    let batch = try batches(1)[0]
    let error = errorOf { _ = try ledger.apply(batch) }
    #expect(error?.remedy == .retry)
    try other.execute("ROLLBACK")
    try ledger.reconnect()
    #expect(try ledger.apply(batch) == .applied)
  }

  @Test(
    "A long reader does not stop settlement, and afterwards the log is truncated."
  )
  func readerStays() throws {
    let place = SQLitePlace()
    let all = try batches(103)
    do {
      let ledger = try place.open(genesis)
      _ = try ledger.apply(all[0])
      try ledger.close()
    }
    let reader = try SQLiteConnection(path: place.path, readOnly: true)
    try reader.execute("BEGIN")
    #expect(try reader.integer("SELECT count(*) FROM batch") == 1)
    do {
      let ledger = try place.open(genesis)
      for batch in all[1...100] { _ = try ledger.apply(batch) }
      #expect(ledger.logBytes > 1 << 20)
      try ledger.reconnect()
      _ = try ledger.apply(all[101])
      try ledger.close()
    }
    // Another process, whose log is in the same folder.
    let ledger = try place.open(genesis)
    #expect(try ledger.head().batch == 102)
    #expect(ledger.logBytes > 1 << 20)
    #expect(try ledger.apply(all[102]) == .applied)
    ledger.shrinkLog()
    #expect(ledger.logBytes > 1 << 20)
    #expect(try reader.integer("SELECT count(*) FROM batch") == 1)
    try reader.execute("COMMIT")
    ledger.shrinkLog()
    #expect(ledger.logBytes == 0)
    #expect(try LedgerVerification.run(on: ledger).problems == [])
  }

  @Test("While another program writes, the ledger is asked again, also when it is opened.")
  func writerAtOpening() throws {
    let place = try filled()
    let other = try SQLiteConnection(path: place.path, readOnly: false)
    try other.execute("BEGIN IMMEDIATE")
    #expect(errorOf { _ = try place.open(genesis) }?.remedy == .retry)
    try other.execute("ROLLBACK")
    #expect(try place.open(genesis).head().batch == 3)
  }

  @Test(
    "Access of other users to a ledger's files is removed and reported."
  )
  func modes() throws {
    func modes(_ path: String) throws -> [Int] {
      try ["", "-wal", "-shm", ".lock"].map { suffix in
        let attributes = try FileManager.default.attributesOfItem(atPath: path + suffix)
        return attributes[.posixPermissions] as? Int ?? 0
      }
    }
    let place = SQLitePlace()
    do {
      let ledger = try SQLiteLedger(path: place.path, genesis: genesis)
      _ = try ledger.apply(try batches(1)[0])
      #expect(try modes(place.path).allSatisfy { $0 & 0o007 == 0 })
      #expect(ledger.notes == [])
      try ledger.close()
    }
    chmod(place.path, 0o644)
    chmod(place.path + ".lock", 0o644)
    let ledger = try SQLiteLedger(path: place.path, genesis: genesis)
    _ = try ledger.head()
    #expect(try modes(place.path) == [0o640, 0o640, 0o640, 0o640])
    #expect(ledger.notes.count == 2, "\(ledger.notes)")
    try ledger.close()
  }

  @Test("A full disk leaves the ledger unchanged; with free space the batch is applied.")
  func diskFull() throws {
    let place = SQLitePlace()
    try place.open(genesis).close()
    let session = try SQLiteSession(path: place.path, readOnly: false, creating: nil)
    let pages = try session.connection.integer("PRAGMA page_count")
    _ = try session.connection.integer("PRAGMA max_page_count = \(pages)")
    var script = EventScript()
    for account in 2..<2000 { script.cash(UInt32(account), 5) }
    script.checkpoint()
    let rules = BatchRules(transfers: 100_000, nanoseconds: .max)
    let big = try BatchBuilder.batches(of: script, LedgerGenesis(rules: rules))[0]
    try session.run("BEGIN IMMEDIATE")
    let error = errorOf { try session.insert(big) }
    #expect(error?.remedy == .retry)
    #expect(error?.description.contains("disk is full") == true)
    if let error { #expect(session.rolledBack(after: error) == error) }
    let ledger = try SQLiteLedger(readingFrom: place.path)
    #expect(try LedgerVerification.run(on: ledger).problems == [])
    #expect(try ledger.head().batch == 0)
    _ = try session.connection.integer("PRAGMA max_page_count = 1000000")
    try session.run("BEGIN IMMEDIATE")
    try session.insert(big)
    try session.commit()
    #expect(try ledger.transferCount() == 1998)
  }

  @Test("A file that is not a ledger is refused and stays unchanged.")
  func foreignFiles() throws {
    let garbage = SQLitePlace()
    let bytes = Data(repeating: 0x42, count: 8192)
    try bytes.write(to: URL(fileURLWithPath: garbage.path))
    let database = SQLitePlace()
    try SQLiteConnection(path: database.path, readOnly: false).execute("CREATE TABLE t(x)")
    for place in [garbage, database] {
      guard case .incompatible = errorOf({ _ = try place.open(genesis) }) else {
        Issue.record("opened \(place.path)")
        continue
      }
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: garbage.path)) == bytes)
    let missing = SQLitePlace()
    guard case .unavailable = errorOf({ _ = try SQLiteLedger(readingFrom: missing.path) }) else {
      Issue.record("read what is not there")
      return
    }
  }
}

import MarketModel
import SQLite
import Settlement
import Testing

@testable import LedgerSQLite

/// A file of table version 1 had one integer a sum.
@Suite("A ledger of table version 1")
struct MigrationTests {
  let genesis = LedgerGenesis(rules: BatchRules(transfers: 6, nanoseconds: .max))

  /// The tables as version 1 made them.
  static let create = """
    CREATE TABLE ledger(
      shard INTEGER NOT NULL, batch_transfers INTEGER NOT NULL, batch_nanoseconds INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE account(
      key INTEGER PRIMARY KEY,
      id INTEGER GENERATED ALWAYS AS (key & 4294967295) VIRTUAL,
      unit INTEGER GENERATED ALWAYS AS (key >> 32) VIRTUAL,
      debits_pending INTEGER NOT NULL DEFAULT 0, debits_posted INTEGER NOT NULL,
      credits_pending INTEGER NOT NULL DEFAULT 0, credits_posted INTEGER NOT NULL,
      flags INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE transfer(
      id INTEGER PRIMARY KEY, batch INTEGER NOT NULL,
      debit INTEGER NOT NULL, credit INTEGER NOT NULL CHECK (credit <> debit),
      unit INTEGER NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0),
      code INTEGER NOT NULL, trade_sequence INTEGER NOT NULL, time INTEGER NOT NULL,
      reference INTEGER NOT NULL, pending_id INTEGER NOT NULL DEFAULT 0, flags INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE batch(
      id INTEGER PRIMARY KEY, first_sequence INTEGER NOT NULL, last_sequence INTEGER NOT NULL,
      previous BLOB NOT NULL, hash BLOB NOT NULL,
      first_transfer INTEGER NOT NULL, count INTEGER NOT NULL
    ) STRICT;
    CREATE TRIGGER transfer_update BEFORE UPDATE ON transfer
      BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;
    CREATE TRIGGER transfer_delete BEFORE DELETE ON transfer
      BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;
    CREATE TRIGGER batch_update BEFORE UPDATE ON batch
      BEGIN SELECT RAISE(ABORT, 'batches are append-only'); END;
    CREATE TRIGGER batch_delete BEFORE DELETE ON batch
      BEGIN SELECT RAISE(ABORT, 'batches are append-only'); END;
    PRAGMA application_id = 1246512452;
    PRAGMA user_version = 1;
    """

  /// The largest sums of an account in version 1, and the transfers that lead to them.
  func batches() throws -> [SettlementBatch] {
    var script = EventScript()
    script.cash(2, .max / 2)
    script.transfer(2, 3, .cash, .max / 2)
    script.meter(3, produced: 5000, lost: 100)
    script.transfer(3, 2, .cash, .max / 2)
    script.checkpoint()
    script.transfer(2, 3, .cash, .max / 2)
    script.checkpoint()
    return try BatchBuilder.batches(of: script, genesis)
  }

  /// A file of version 1 with the first `count` batches.
  func oldFile(_ count: Int) throws -> SQLitePlace {
    let place = SQLitePlace()
    let connection = try SQLiteConnection(path: place.path, readOnly: false)
    try connection.execute("PRAGMA journal_mode = WAL")
    try connection.execute(Self.create)
    try connection.execute("INSERT INTO ledger VALUES(0, 6, -1)")
    let batch = try connection.prepare("INSERT INTO batch VALUES(?, ?, ?, ?, ?, ?, ?)")
    for made in try batches().prefix(count) {
      for transfer in made.transfers {
        try connection.execute(
          """
          INSERT INTO transfer VALUES(\(transfer.id), \(made.id), \(transfer.debit.rawValue),
            \(transfer.credit.rawValue), \(transfer.unit.rawValue), \(transfer.amount),
            \(transfer.code.rawValue), \(transfer.tradeSequence.rawValue),
            \(transfer.time.nanoseconds), \(transfer.reference), 0, \(transfer.flags.rawValue))
          """)
      }
      for change in made.netted {
        try connection.execute(
          """
          INSERT INTO account(key, debits_posted, credits_posted)
            VALUES(\(change.key), \(change.debits), \(change.credits))
          ON CONFLICT(key) DO UPDATE SET debits_posted = debits_posted + excluded.debits_posted,
            credits_posted = credits_posted + excluded.credits_posted
          """)
      }
      let row = made.row
      for (index, value) in [row.id, row.first.rawValue, row.last.rawValue].enumerated() {
        try batch.bind(Int32(index + 1), Int64(value))
      }
      try batch.bind(4, row.previous.bytes)
      try batch.bind(5, row.hash.bytes)
      try batch.bind(6, Int64(row.firstTransfer))
      try batch.bind(7, Int64(row.count))
      _ = try batch.step()
    }
    return place
  }

  @Test("It is read as it is, and left as it is.")
  func isRead() throws {
    let place = try oldFile(1)
    let ledger = try SQLiteLedger(readingFrom: place.path)
    let verification = try LedgerVerification.run(on: ledger)
    #expect(verification.problems == [] && verification.head.batch == 1)
    #expect(verification.balances.contains { $0.credits == Int128(Int64.max - 1) })
    let connection = try SQLiteConnection(path: place.path, readOnly: true)
    #expect(try connection.integer("PRAGMA user_version") == 1)
  }

  @Test(
    "Opened to write it becomes one of version 4, with every balance, and goes on beyond 64 bits.")
  func isMigrated() throws {
    let place = try oldFile(1)
    let before = try SQLiteLedger(readingFrom: place.path).balances()
    do {
      let ledger = try place.open(genesis)
      #expect(try ledger.balances() == before)
      #expect(try LedgerVerification.run(on: ledger).problems == [])
      #expect(try ledger.apply(try batches()[1]) == .applied)
      #expect(try LedgerVerification.run(on: ledger).problems == [])
      let (two, half) = (AccountId(2), Int128(Int64.max / 2))
      let euro = LedgerUnit.currency(.eur)
      #expect(
        try ledger.balances().first { $0.account == two && $0.unit == euro }
          == LedgerBalance(account: two, unit: euro, debits: 2 * half, credits: 2 * half))
      try ledger.close()
    }
    let connection = try SQLiteConnection(path: place.path, readOnly: true)
    #expect(try connection.integer("PRAGMA user_version") == 4)
    #expect(
      try connection.integer(
        "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'account_of%' OR name = 'balance'") == 1
    )
    #expect(try place.open(genesis).head().batch == 2)
  }

  @Test("A ledger created with other rules stays unchanged.")
  func otherGenesis() throws {
    let place = try oldFile(1)
    let other = LedgerGenesis(rules: BatchRules(transfers: 7, nanoseconds: .max))
    guard case .incompatible = errorOf({ _ = try place.open(other) }) else {
      Issue.record("opened")
      return
    }
    let connection = try SQLiteConnection(path: place.path, readOnly: true)
    #expect(try connection.integer("PRAGMA user_version") == 1)
  }
}

// The least that a program on SQLite's C interface does for a batch: rows, sums, one durable
// transaction.

import CStores
import Settlement

/// SQLite without checks, triggers, types or errors that say anything.
final class BareSQLite: BareStore {
  private var connection: OpaquePointer?
  private var transfer: OpaquePointer?
  private var account: OpaquePointer?
  private var batch: OpaquePointer?

  init(_ path: String) throws {
    guard sqlite3_open(path, &connection) == SQLITE_OK else { throw BareFailure(message: path) }
    try run("PRAGMA journal_mode = WAL")
    try run("PRAGMA synchronous = FULL")
    try run("PRAGMA wal_autocheckpoint = 4000")
    try run(
      """
      CREATE TABLE account(key INTEGER PRIMARY KEY, debits INTEGER, credits INTEGER);
      CREATE TABLE transfer(id INTEGER PRIMARY KEY, batch INTEGER, debit INTEGER, credit INTEGER,
        unit INTEGER, amount INTEGER, code INTEGER, flags INTEGER, trade_sequence INTEGER,
        time INTEGER, reference INTEGER);
      CREATE TABLE batch(id INTEGER PRIMARY KEY, last INTEGER, hash BLOB);
      """)
    transfer = prepare("INSERT INTO transfer VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    account = prepare(
      """
      INSERT INTO account VALUES(?1, ?2, ?3)
      ON CONFLICT(key) DO UPDATE SET debits = debits + ?2, credits = credits + ?3
      """)
    batch = prepare("INSERT INTO batch VALUES(?, ?, ?)")
  }

  func apply(_ content: SettlementBatch) throws {
    try run("BEGIN IMMEDIATE")
    for row in content.transfers {
      step(
        transfer,
        [
          Int64(row.id), Int64(row.batch), Int64(row.debit.rawValue), Int64(row.credit.rawValue),
          Int64(row.unit.rawValue), row.amount, Int64(row.code.rawValue), Int64(row.flags.rawValue),
          Int64(row.tradeSequence.rawValue), Int64(row.time.nanoseconds), Int64(row.reference),
        ])
    }
    for change in content.netted {
      step(account, [Int64(change.key), Int64(change.debits), Int64(change.credits)])
    }
    step(batch, [Int64(content.id), Int64(content.last.rawValue), 0])
    try run("COMMIT")
  }

  @inline(__always) private func step<let count: Int>(
    _ statement: OpaquePointer?, _ values: InlineArray<count, Int64>
  ) {
    for index in 0..<count { sqlite3_bind_int64(statement, Int32(index + 1), values[index]) }
    sqlite3_step(statement)
    sqlite3_reset(statement)
  }

  private func run(_ sql: String) throws {
    guard sqlite3_exec(connection, sql, nil, nil, nil) == SQLITE_OK else {
      throw BareFailure(message: String(cString: sqlite3_errmsg(connection)))
    }
  }

  private func prepare(_ sql: String) -> OpaquePointer? {
    var statement: OpaquePointer?
    sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
    return statement
  }
}

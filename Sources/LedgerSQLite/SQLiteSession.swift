import CSQLite
import MarketModel
import SQLite
import Settlement

/// A connection to a ledger's file with its compiled statements. `SQLiteLedger.reconnect` replaces
/// it.
final class SQLiteSession: LedgerSession {
  let connection: SQLiteConnection
  let genesis: LedgerGenesis
  private let selectRow: SQLiteStatement
  private let selectLast: SQLiteStatement
  private let insertTransfer: SQLiteStatement
  /// Adds sums to an account; `nil` for a file of an older version, which is only read.
  private let upsertAccount: SQLiteStatement?
  /// Adds sums to an account when no carry is needed; `nil` for a file of an older version.
  private let addToAccount: SQLiteStatement?
  private let insertBatch: SQLiteStatement
  /// Adds a note; `nil` for a file of an older version, which is only read.
  private let insertNote: SQLiteStatement?
  /// Adds a reading; `nil` for a file of an older version, which is only read.
  private let insertReading: SQLiteStatement?
  /// The version of the file's tables.
  let version: Int64

  /// Opens `path` and checks that it is a ledger with the genesis `expected`, if given. An empty
  /// database becomes a ledger of `expected`; a file of an older version that is opened for writing
  /// is migrated.
  init(
    path: String, files: String? = nil, readOnly: Bool, creating expected: LedgerGenesis?
  ) throws(LedgerError) {
    do throws(SQLiteFailure) {
      connection = try SQLiteConnection(path: path, files: files, readOnly: readOnly)
      if !readOnly {
        try connection.execute("PRAGMA journal_mode = WAL")
        try connection.execute("PRAGMA synchronous = FULL")
        try connection.execute("PRAGMA wal_autocheckpoint = 4000")
        try connection.execute("PRAGMA journal_size_limit = \(WriteAheadLog.smallBytes)")
        try WriteAheadLog.secure(connection, path: files == nil ? path : nil)
      }
      if let expected, try connection.integer("SELECT count(*) FROM sqlite_schema") == 0 {
        try Self.create(expected, in: connection)
      }
    } catch {
      throw LedgerError(error)
    }
    let (genesis, found) = try Self.genesis(of: connection, path: path)
    if let expected, genesis != expected {
      throw .incompatible(
        "\(path) was created with \(genesis), not with \(expected). Use those settings, or let the "
          + "journal fill a new ledger at another path")
    }
    self.genesis = genesis
    do throws(SQLiteFailure) {
      version = readOnly ? found : LedgerSchema.version
      if found < version { try Self.migrate(connection, from: found) }
      let (batch, transfer) = (LedgerSchema.batchColumns, LedgerSchema.transferColumns)
      selectRow = try connection.prepare("SELECT \(batch) FROM batch WHERE id = ?")
      selectLast = try connection.prepare("SELECT \(batch) FROM batch ORDER BY id DESC LIMIT 1")
      insertBatch = try connection.prepare(
        "INSERT INTO batch(\(batch)) VALUES(?, ?, ?, ?, ?, ?, ?)")
      insertTransfer = try connection.prepare(
        "INSERT INTO transfer(\(transfer)) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      insertNote =
        version == LedgerSchema.version
        ? try connection.prepare(
          "INSERT INTO note(\(LedgerSchema.noteColumns), batch) VALUES(?, ?, ?, ?, ?, ?, ?)")
        : nil
      insertReading =
        version == LedgerSchema.version
        ? try connection.prepare(LedgerSchema.insertReading) : nil
      upsertAccount =
        version == LedgerSchema.version
        ? try connection.prepare(LedgerSchema.upsertAccount) : nil
      addToAccount =
        version == LedgerSchema.version
        ? try connection.prepare(LedgerSchema.addToAccount) : nil
    } catch {
      throw LedgerError(error)
    }
  }

  /// Migrates the tables of an older version in one transaction.
  private static func migrate(
    _ connection: SQLiteConnection, from version: Int64
  ) throws(SQLiteFailure) {
    try connection.execute("BEGIN IMMEDIATE")
    do throws(SQLiteFailure) {
      try connection.execute(
        version == 1
          ? LedgerSchema.fromVersion1
          : version == 2 ? LedgerSchema.fromVersion2 : LedgerSchema.fromVersion3)
      try connection.execute("COMMIT")
    } catch {
      // A failed rollback does not matter, since closing the connection ends the transaction.
      if connection.isInTransaction { try connection.execute("ROLLBACK") }
      throw error
    }
  }

  /// Writes `batch` within the open transaction.
  /// - Throws: `.contentRejected` when debits and credits differ or a constraint is broken.
  func insert(_ batch: SettlementBatch) throws(LedgerError) {
    try batch.checkDoubleEntry()
    do throws(SQLiteFailure) {
      for transfer in batch.transfers { try insert(transfer) }
      for change in batch.netted { try upsert(change) }
      for note in batch.notes { try insert(note, batch.id) }
      for reading in batch.readings { try insert(reading, batch.id) }
      try insert(batch.row)
    } catch {
      switch error.primary {
      case SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_TOOBIG:
        throw .contentRejected(batch: batch.id, reason: error.message)
      default:
        throw LedgerError(error)
      }
    }
  }

  /// Commits the open transaction.
  /// - Throws: `.ambiguous`, because the effect of a failed commit is known only after connecting
  ///   again.
  func commit() throws(LedgerError) {
    do throws(SQLiteFailure) {
      try connection.execute("COMMIT")
    } catch {
      throw .ambiguous("\(error.message) (SQLite \(error.code))")
    }
  }

  /// Rolls back the open transaction, if there is one.
  /// - Returns: `error`, or an error that includes the failure of the rollback.
  func rolledBack(after error: LedgerError) -> LedgerError {
    guard connection.isInTransaction else { return error }
    do throws(SQLiteFailure) {
      try connection.execute("ROLLBACK")
      return error
    } catch let second {
      // Closing the connection ends the transaction, and the remedy of either error reconnects or
      // halts.
      return error.remedy == .halt ? error : .ambiguous("\(error); rollback: \(second.message)")
    }
  }

  /// Runs a statement without results.
  func run(_ sql: String) throws(LedgerError) {
    do throws(SQLiteFailure) { try connection.execute(sql) } catch { throw LedgerError(error) }
  }

  /// The stored row of batch `id`; `nil` when there is none.
  func row(ofBatch id: UInt64) throws(LedgerError) -> BatchRow? {
    try query { () throws(SQLiteFailure) in try selectRow.bind(1, Int64(bitPattern: id)) }
    return try row(selectRow)
  }

  /// The row of the last batch; `nil` for an empty ledger.
  func lastRow() throws(LedgerError) -> BatchRow? { try row(selectLast) }

  private func row(_ statement: SQLiteStatement) throws(LedgerError) -> BatchRow? {
    defer { statement.reset() }
    guard try query({ () throws(SQLiteFailure) in try statement.step() }) else { return nil }
    guard let previous = BatchHash(bytes: statement.bytes(3)),
      let hash = BatchHash(bytes: statement.bytes(4)),
      let count = UInt32(exactly: statement.integer(6))
    else { throw .corrupt("batch \(statement.integer(0)) cannot be read") }
    return BatchRow(
      id: UInt64(bitPattern: statement.integer(0)),
      first: SequenceNumber(UInt64(bitPattern: statement.integer(1))),
      last: SequenceNumber(UInt64(bitPattern: statement.integer(2))), previous: previous,
      hash: hash, firstTransfer: UInt64(bitPattern: statement.integer(5)), count: count)
  }

  private func insert(_ transfer: LedgerTransfer) throws(SQLiteFailure) {
    let statement = insertTransfer
    try statement.bind(1, Int64(bitPattern: transfer.id))
    try statement.bind(2, Int64(bitPattern: transfer.batch))
    try statement.bind(3, Int64(transfer.debit.rawValue))
    try statement.bind(4, Int64(transfer.credit.rawValue))
    try statement.bind(5, Int64(transfer.unit.rawValue))
    try statement.bind(6, transfer.amount)
    try statement.bind(7, Int64(transfer.code.rawValue))
    try statement.bind(8, Int64(transfer.flags.rawValue))
    try statement.bind(9, Int64(bitPattern: transfer.tradeSequence.rawValue))
    try statement.bind(10, Int64(bitPattern: transfer.time.nanoseconds))
    try statement.bind(11, Int64(bitPattern: transfer.reference))
    _ = try statement.step()
  }

  private func insert(_ note: LedgerNote, _ batch: UInt64) throws(SQLiteFailure) {
    guard let insertNote else { preconditionFailure("an older version is only read") }
    try insertNote.bind(1, Int64(bitPattern: note.sequence.rawValue))
    try insertNote.bind(2, Int64(bitPattern: note.time.nanoseconds))
    try insertNote.bind(3, Int64(bitPattern: note.order.rawValue))
    try insertNote.bind(4, Int64(bitPattern: note.clientOrderId.rawValue))
    try insertNote.bind(5, Int64(note.account.rawValue))
    try insertNote.bind(6, note.text.bytes)
    try insertNote.bind(7, Int64(bitPattern: batch))
    _ = try insertNote.step()
  }

  private func insert(_ reading: LedgerReading, _ batch: UInt64) throws(SQLiteFailure) {
    guard let insertReading else { preconditionFailure("an older version is only read") }
    var index: Int32 = 1
    for value in reading.row {
      try insertReading.bind(index, value)
      index += 1
    }
    try insertReading.bind(index, Int64(bitPattern: batch))
    _ = try insertReading.step()
  }

  private func upsert(_ change: NetChange) throws(SQLiteFailure) {
    guard let upsertAccount, let addToAccount else {
      preconditionFailure("an older version is only read")
    }
    if change.debits | change.credits <= Int128(LedgerSchema.lowMask) {
      try addToAccount.bind(1, Int64(bitPattern: change.key))
      try addToAccount.bind(2, Int64(truncatingIfNeeded: change.debits))
      try addToAccount.bind(3, Int64(truncatingIfNeeded: change.credits))
      _ = try addToAccount.step()
      if connection.changedRows > 0 { return }
    }
    try upsertAccount.bind(1, Int64(bitPattern: change.key))
    try bind(change.debits, to: upsertAccount, at: 2)
    try bind(change.credits, to: upsertAccount, at: 4)
    _ = try upsertAccount.step()
  }

  /// Binds a sum, which is at least 0, as its low and high part.
  private func bind(
    _ sum: Int128, to statement: SQLiteStatement, at index: Int32
  ) throws(SQLiteFailure) {
    try statement.bind(index, Int64(truncatingIfNeeded: sum & Int128(LedgerSchema.lowMask)))
    try statement.bind(index + 1, Int64(truncatingIfNeeded: sum >> LedgerSchema.lowBits))
  }

  private func insert(_ row: BatchRow) throws(SQLiteFailure) {
    try insertBatch.bind(1, Int64(bitPattern: row.id))
    try insertBatch.bind(2, Int64(bitPattern: row.first.rawValue))
    try insertBatch.bind(3, Int64(bitPattern: row.last.rawValue))
    try insertBatch.bind(4, row.previous.bytes)
    try insertBatch.bind(5, row.hash.bytes)
    try insertBatch.bind(6, Int64(bitPattern: row.firstTransfer))
    try insertBatch.bind(7, Int64(row.count))
    _ = try insertBatch.step()
  }

  private static func create(
    _ genesis: LedgerGenesis, in connection: SQLiteConnection
  ) throws(SQLiteFailure) {
    try connection.execute("BEGIN IMMEDIATE")
    try connection.execute(LedgerSchema.create)
    let insert = try connection.prepare("INSERT INTO ledger VALUES(?, ?, ?)")
    try insert.bind(1, Int64(genesis.shard))
    try insert.bind(2, Int64(genesis.rules.transfers))
    try insert.bind(3, Int64(bitPattern: genesis.rules.nanoseconds))
    _ = try insert.step()
    try connection.execute("COMMIT")
  }

  private static func genesis(
    of connection: SQLiteConnection, path: String
  ) throws(LedgerError) -> (genesis: LedgerGenesis, version: Int64) {
    let (application, version) = try answer { () throws(SQLiteFailure) in
      (
        try connection.integer("PRAGMA application_id"),
        try connection.integer("PRAGMA user_version")
      )
    }
    guard application == LedgerSchema.applicationId else {
      throw .incompatible("\(path) is a database, but not a Joulebook ledger")
    }
    guard version >= LedgerSchema.oldestVersion, version <= LedgerSchema.version else {
      throw .incompatible(
        "\(path) has table version \(version), but this program uses \(LedgerSchema.version)")
    }
    let columns = try answer { () throws(SQLiteFailure) -> [Int64]? in
      let select = try connection.prepare(
        "SELECT shard, batch_transfers, batch_nanoseconds FROM ledger")
      defer { select.reset() }
      return try select.step() ? (0..<3).map { select.integer($0) } : nil
    }
    guard let columns, let shard = UInt16(exactly: columns[0]),
      let transfers = UInt32(exactly: columns[1]), transfers > 0
    else { throw .corrupt("\(path) has lost its settings (table ledger)") }
    let rules = BatchRules(transfers: transfers, nanoseconds: UInt64(bitPattern: columns[2]))
    return (LedgerGenesis(shard: shard, rules: rules), version)
  }

  /// Runs a call and converts its error.
  private static func answer<Value>(
    _ body: () throws(SQLiteFailure) -> Value
  ) throws(LedgerError) -> Value {
    do throws(SQLiteFailure) { return try body() } catch { throw LedgerError(error) }
  }
}

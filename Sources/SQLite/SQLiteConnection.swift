import CSQLite

/// An error of SQLite.
package struct SQLiteFailure: Error {
  /// The extended result code.
  package var code: Int32
  /// SQLite's message.
  package var message: String

  /// An error with that code and message.
  package init(code: Int32, message: String) { (self.code, self.message) = (code, message) }

  /// The result code without its extension.
  package var primary: Int32 { code & 0xFF }
}

/// One connection to a database file. Owned by one thread.
package final class SQLiteConnection {
  /// The SQLite connection; `nil` only after a failed `init`.
  package private(set) var handle: OpaquePointer?

  /// The longest time that a call waits for another connection's lock, ms.
  private static let patience: Int32 = 1000

  /// Opens `path` for reading or for writing; for writing, a missing file is created.
  /// - Parameter files: The name of SQLite's virtual file system; `nil`: the default one.
  package init(path: String, files: String? = nil, readOnly: Bool) throws(SQLiteFailure) {
    let access = readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    // One thread owns the connection, so SQLite's mutexes are not needed.
    let code = sqlite3_open_v2(path, &handle, access | SQLITE_OPEN_NOMUTEX, files)
    guard code == SQLITE_OK else {
      let failure = failure(code)
      sqlite3_close_v2(handle)
      handle = nil
      throw failure
    }
    sqlite3_extended_result_codes(handle, 1)
    sqlite3_busy_timeout(handle, Self.patience)
  }

  /// Runs `body` without waiting for locks of other connections.
  package func withoutWaiting<Value>(
    _ body: () throws(SQLiteFailure) -> Value
  ) throws(SQLiteFailure) -> Value {
    sqlite3_busy_timeout(handle, 0)
    defer { sqlite3_busy_timeout(handle, Self.patience) }
    return try body()
  }

  deinit { sqlite3_close_v2(handle) }

  /// Runs statements and ignores their results.
  package func execute(_ sql: String) throws(SQLiteFailure) {
    try check(sqlite3_exec(handle, sql, nil, nil, nil))
  }

  /// Compiles one statement.
  package func prepare(_ sql: String) throws(SQLiteFailure) -> SQLiteStatement {
    var statement: OpaquePointer?
    try check(
      sqlite3_prepare_v3(
        handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil))
    guard let statement else { throw SQLiteFailure(code: SQLITE_MISUSE, message: "empty: \(sql)") }
    return SQLiteStatement(statement, of: self)
  }

  /// The integer in the first column of the first row; 0 when there is none.
  package func integer(_ sql: String) throws(SQLiteFailure) -> Int64 {
    let statement = try prepare(sql)
    return try statement.step() ? statement.integer(0) : 0
  }

  /// The number of rows that the last statement changed.
  package var changedRows: Int32 { sqlite3_changes(handle) }

  /// Whether a transaction is open.
  package var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

  /// Throws unless `code` is `SQLITE_OK`.
  package func check(_ code: Int32) throws(SQLiteFailure) {
    guard code == SQLITE_OK else { throw failure(code) }
  }

  /// The error for `code`, with SQLite's message.
  package func failure(_ code: Int32) -> SQLiteFailure {
    let extended = handle.map { sqlite3_extended_errcode($0) } ?? code
    let words = handle.map { String(cString: sqlite3_errmsg($0)) }
    let same = extended & 0xFF == code & 0xFF
    return SQLiteFailure(
      code: same ? extended : code, message: words ?? String(cString: sqlite3_errstr(code)))
  }
}

/// A compiled statement. Owned by its connection's thread.
package final class SQLiteStatement {
  private let handle: OpaquePointer
  private let connection: SQLiteConnection

  /// Takes ownership of a compiled statement of `connection`.
  init(_ handle: OpaquePointer, of connection: SQLiteConnection) {
    (self.handle, self.connection) = (handle, connection)
  }

  deinit { sqlite3_finalize(handle) }

  /// Binds parameter `index` (from 1).
  package func bind(_ index: Int32, _ value: Int64) throws(SQLiteFailure) {
    try connection.check(sqlite3_bind_int64(handle, index, value))
  }

  /// Binds parameter `index` (from 1) to a copy of `text`.
  package func bind(_ index: Int32, text: String) throws(SQLiteFailure) {
    let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    try connection.check(sqlite3_bind_text(handle, index, text, Int32(text.utf8.count), copied))
  }

  /// Binds parameter `index` (from 1) to a copy of `bytes`.
  package func bind(_ index: Int32, _ bytes: [UInt8]) throws(SQLiteFailure) {
    // SQLITE_TRANSIENT, which Swift does not import: SQLite copies the bytes before it returns.
    let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    let code = bytes.withUnsafeBytes {
      sqlite3_bind_blob(handle, index, $0.baseAddress, Int32($0.count), copied)
    }
    try connection.check(code)
  }

  /// Advances to the next row.
  /// - Returns: `false` when there is none; then the statement is reset.
  package func step() throws(SQLiteFailure) -> Bool {
    let code = sqlite3_step(handle)
    if code == SQLITE_ROW { return true }
    guard code == SQLITE_DONE else {
      let failure = connection.failure(code)
      sqlite3_reset(handle)
      throw failure
    }
    sqlite3_reset(handle)
    return false
  }

  /// Ends a query before its last row, which also ends its read transaction.
  package func reset() { sqlite3_reset(handle) }

  /// The integer in `column` (from 0) of the current row.
  package func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

  /// The text in `column` (from 0) of the current row.
  package func text(_ column: Int32) -> String {
    sqlite3_column_text(handle, column).map { String(cString: $0) } ?? ""
  }

  /// The bytes in `column` (from 0) of the current row.
  package func bytes(_ column: Int32) -> [UInt8] {
    guard let start = sqlite3_column_blob(handle, column) else { return [] }
    let count = Int(sqlite3_column_bytes(handle, column))
    return [UInt8](UnsafeRawBufferPointer(start: start, count: count))
  }
}

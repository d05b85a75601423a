import CSQLite
import MarketModel
import SQLite
import Settlement

/// A ledger in one SQLite file (WAL, `synchronous=FULL`), the default backend. One process writes
/// and holds a lock on `PATH.lock`; other processes may read at the same time. Owned by one thread.
public final class SQLiteLedger: Ledger {
  /// The shard and the batch rules, read from the file when it was opened.
  public let genesis: LedgerGenesis
  private let path: String
  private let lock: WriterLock?
  private let writes: Bool
  /// The name of SQLite's virtual file system; `nil`: the default one.
  private let files: String?
  private var session: SQLiteSession?
  /// The identities of the open files; `nil` for a reader and for another virtual file system.
  private var identities: LedgerFileIdentities?
  /// Notes about files that every user of the machine could read, one sentence each.
  public let notes: [String]

  /// Opens the ledger at `path` for writing; creates it when there is none.
  /// - Throws: `.inUse` when another process writes to it; `.incompatible` when it is no ledger or
  ///   has another version or genesis; `.unavailable`, `.corrupt`.
  public convenience init(path: String, genesis: LedgerGenesis) throws(LedgerError) {
    try self.init(path: path, genesis: genesis, files: nil, lock: WriterLock(ledgerAt: path))
  }

  /// Opens the ledger at `path` in the virtual file system `files`, which no other process uses.
  /// - Throws: like `init(path:genesis:)`.
  package convenience init(
    path: String, genesis: LedgerGenesis, files: String
  ) throws(LedgerError) {
    try self.init(path: path, genesis: genesis, files: files, lock: nil)
  }

  private init(
    path: String, genesis: LedgerGenesis, files: String?, lock: WriterLock?
  ) throws(LedgerError) {
    (self.path, self.genesis, self.files, self.lock) = (path, genesis, files, lock)
    writes = true
    notes = files == nil ? try LedgerFiles.protect(path) : []
    session = try SQLiteSession(path: path, files: files, readOnly: false, creating: genesis)
    if files == nil { identities = LedgerFileIdentities(path) }
  }

  /// Opens the ledger at `path` for reading, also while another process writes to it.
  /// - Throws: `.unavailable` when there is none, `.incompatible`, `.corrupt`.
  public init(readingFrom path: String) throws(LedgerError) {
    self.path = path
    (lock, files, writes, notes) = (nil, nil, false, [])
    let session = try SQLiteSession(path: path, files: nil, readOnly: true, creating: nil)
    genesis = session.genesis
    self.session = session
  }

  /// Applies `batch` in one `BEGIN IMMEDIATE` transaction with one sync; see `Ledger.apply`.
  /// - Precondition: The ledger was opened for writing.
  public func apply(_ batch: SettlementBatch) throws(LedgerError) -> ApplyOutcome {
    precondition(writes, "a ledger opened to read only takes no batch")
    let session = try connected()
    try checkFiles()
    do throws(SQLiteFailure) {
      try session.connection.execute("BEGIN IMMEDIATE")
    } catch {
      throw LedgerError(error)
    }
    return try apply(batch, in: session) { () throws(LedgerError) in
      // A batch written to a file that has lost its path must not be confirmed.
      try checkFiles()
      if logBytes > WriteAheadLog.smallBytes { shrinkLog() }
    }
  }

  /// The last batch in the file.
  public func head() throws(LedgerError) -> LedgerHead {
    try LedgerHead(after: connected().lastRow(), genesis: genesis)
  }

  /// The stored row of batch `id`; one lookup by key.
  public func row(ofBatch id: UInt64) throws(LedgerError) -> BatchRow? {
    try connected().row(ofBatch: id)
  }

  /// The transfers of a stored batch, by ascending id; reads one range of the table.
  public func transfers(in row: BatchRow) throws(LedgerError) -> [LedgerTransfer] {
    try connected().transfers(in: row)
  }

  /// At most `most` transfers from number `id` on; reads one range of the table.
  public func transfers(from id: UInt64, most: Int) throws(LedgerError) -> [LedgerTransfer] {
    try connected().transfers(from: id, most: most)
  }

  /// The notes about an order, by an index, or about an account's orders, by reading all notes.
  public func notes(about subject: NoteSubject) throws(LedgerError) -> [LedgerNote] {
    try connected().notes(about: subject)
  }

  /// The readings and corrections of `account`; reads all readings.
  public func readings(of account: AccountId) throws(LedgerError) -> [LedgerReading] {
    try connected().readings(of: account)
  }

  /// The time of transfer `id`; one lookup by key.
  public func time(ofTransfer id: UInt64) throws(LedgerError) -> Timestamp? {
    try connected().time(ofTransfer: id)
  }

  /// Size of the write-ahead log in bytes; 0 when it cannot be determined.
  public var logBytes: UInt64 {
    guard let session, let log = WriteAheadLog(of: session.connection) else { return 0 }
    return log.bytes
  }

  /// Truncates the write-ahead log when no reader needs it.
  public func shrinkLog() {
    guard writes, let session else { return }
    WriteAheadLog.shrink(session.connection)
  }

  /// The transfers of `account` in `period`. There is no index by account, so this reads all
  /// transfers: about 0.7 s for 10 million.
  public func transfers(
    of account: AccountId, in period: Range<Timestamp>
  ) throws(LedgerError) -> [LedgerTransfer] {
    try connected().transfers(of: account, in: period)
  }

  /// The number of stored transfers; reads all keys of the table.
  public func transferCount() throws(LedgerError) -> UInt64 {
    try connected().transferCount()
  }

  /// Every balance, ascending by unit, then account.
  public func balances() throws(LedgerError) -> [LedgerBalance] {
    try connected().balances()
  }

  /// Runs `body` in one read transaction.
  public func snapshot<Value>(
    _ body: () throws(LedgerError) -> Value
  ) throws(LedgerError) -> Value {
    let session = try connected()
    try session.run("BEGIN")
    do throws(LedgerError) {
      let value = try body()
      try session.run("COMMIT")
      return value
    } catch {
      throw session.rolledBack(after: error)
    }
  }

  /// Checks with three `stat` calls that the database, its log and its index are the files that
  /// were opened.
  public func checkFiles() throws(LedgerError) { try identities?.check() }

  /// Opens the file again and keeps the writer's lock. Refuses a file that has replaced the first
  /// one, since it may be empty or belong to another exchange; then the old connection stays open.
  public func reconnect() throws(LedgerError) {
    try checkFiles()
    // A descriptor on which a sync failed must not be used again.
    session = nil
    identities?.forgetLog()
    session = try SQLiteSession(path: path, files: files, readOnly: !writes, creating: nil)
    identities?.noteLog()
  }

  /// Closes the file. The deinit of this object releases the writer's lock.
  public func close() throws(LedgerError) {
    session = nil
  }

  private func connected() throws(LedgerError) -> SQLiteSession {
    guard let session else { throw .unavailable("not connected to \(path)") }
    return session
  }
}

extension LedgerError {
  /// The ledger error for an SQLite error that does not concern the content of a batch.
  init(_ failure: SQLiteFailure) {
    let words = "\(failure.message) (SQLite \(failure.code))"
    switch failure.primary {
    case SQLITE_CORRUPT, SQLITE_FORMAT:
      self = .corrupt("\(words); restore a backup, or let the journal fill a new ledger")
    case SQLITE_NOTADB:
      self = .incompatible("\(words): the file is not a ledger")
    case SQLITE_FULL:
      self = .unavailable("\(words): the disk is full; settlement resumes when there is free space")
    case SQLITE_CANTOPEN:
      self = .unavailable("\(words). Check the path: its folder must exist and be writable")
    default:
      self = .unavailable(words)
    }
  }
}

// A ledger in PostgreSQL, for exchanges whose book several programs read or whose database is
// replicated.

import MarketModel
import Settlement

/// A ledger in a schema of a PostgreSQL database. One session writes and holds an advisory lock;
/// any number of sessions read. Owned by one thread.
///
/// After a lost connection nobody knows whether the last commit took effect. `reconnect` takes the
/// writer's lock first, which the server keeps until the lost session has ended: only then does the
/// head say.
public final class PostgresLedger: Ledger {
  /// The shard and the batch rules, read when the ledger was opened.
  public let genesis: LedgerGenesis
  /// Sentences about settings of PostgreSQL that the session replaced.
  public let notes: [String]
  private let address: PostgresAddress
  private let writes: Bool
  private let limits: PostgresLimits
  private var session: PostgresSession?

  /// Opens the ledger at `address` for writing; creates its schema and tables when there are none.
  /// - Throws: `.inUse` when another session writes to it; `.incompatible` when the server is too
  ///   old or does not keep what it confirms, or the schema has other tables, another version or
  ///   another genesis; `.unavailable`, `.corrupt`.
  public convenience init(
    _ address: PostgresAddress, genesis: LedgerGenesis
  ) throws(LedgerError) {
    try self.init(address, genesis: genesis, limits: PostgresLimits())
  }

  /// Opens the ledger for writing, with other limits.
  /// - Throws: like `init(_:genesis:)`.
  package init(
    _ address: PostgresAddress, genesis: LedgerGenesis, limits: PostgresLimits
  ) throws(LedgerError) {
    let session = try PostgresSession(
      address, writes: true, expecting: genesis, creates: true, limits)
    (self.address, writes, self.genesis, self.limits) = (address, true, genesis, limits)
    (notes, self.session) = (session.notes, session)
  }

  /// Opens the ledger at `address` for reading, also while another session writes to it.
  /// - Throws: `.unavailable` when there is none, `.incompatible`, `.corrupt`.
  public init(readingFrom address: PostgresAddress) throws(LedgerError) {
    limits = PostgresLimits()
    let session = try PostgresSession(
      address, writes: false, expecting: nil, creates: false, limits)
    (self.address, writes, genesis) = (address, false, session.genesis)
    (notes, self.session) = ([], session)
  }

  /// Applies `batch` in one transaction; see `Ledger.apply`.
  /// - Precondition: The ledger was opened for writing.
  public func apply(_ batch: SettlementBatch) throws(LedgerError) -> ApplyOutcome {
    precondition(writes, "a ledger opened to read only takes no batch")
    let session = try connected()
    try session.run("BEGIN")
    return try apply(batch, in: session)
  }

  /// The last batch in the schema.
  public func head() throws(LedgerError) -> LedgerHead {
    try LedgerHead(after: connected().lastRow(), genesis: genesis)
  }

  /// The stored row of batch `id`; one lookup by key.
  public func row(ofBatch id: UInt64) throws(LedgerError) -> BatchRow? {
    try connected().row(ofBatch: id)
  }

  /// The transfers of a stored batch, by ascending id; reads one range of the table.
  public func transfers(in row: BatchRow) throws(LedgerError) -> [LedgerTransfer] {
    let (first, end) = (row.firstTransfer, row.firstTransfer + UInt64(row.count))
    return try connected().transfers(
      where: "id >= $1 AND id < $2 ORDER BY id", [Int64(bitPattern: first), Int64(bitPattern: end)])
  }

  /// At most `most` transfers from number `id` on; reads one range of the table.
  public func transfers(from id: UInt64, most: Int) throws(LedgerError) -> [LedgerTransfer] {
    try connected().transfers(
      where: "id >= $1 ORDER BY id LIMIT $2", [Int64(clamping: id), Int64(most)])
  }

  /// The transfers of `account` in `period`; reads all transfers.
  public func transfers(
    of account: AccountId, in period: Range<Timestamp>
  ) throws(LedgerError) -> [LedgerTransfer] {
    try connected().transfers(
      where: "debit = $1 OR credit = $1 ORDER BY id", [Int64(account.rawValue)], in: period)
  }

  /// The readings and corrections of `account`; reads all readings.
  public func readings(of account: AccountId) throws(LedgerError) -> [LedgerReading] {
    try connected().readings(of: account)
  }

  /// The notes about an order, by an index, or about an account's orders, by reading all notes.
  public func notes(about subject: NoteSubject) throws(LedgerError) -> [LedgerNote] {
    try connected().notes(about: subject)
  }

  /// The time of transfer `id`; one lookup by key.
  public func time(ofTransfer id: UInt64) throws(LedgerError) -> Timestamp? {
    let rows = try connected().query(
      "SELECT time FROM transfer WHERE id = $1", [.integer(Int64(bitPattern: id))])
    guard rows.count > 0 else { return nil }
    return Timestamp(nanoseconds: UInt64(bitPattern: rows.integer(0, 0)))
  }

  /// The number of stored transfers; reads the whole index.
  public func transferCount() throws(LedgerError) -> UInt64 {
    UInt64(bitPattern: try connected().query("SELECT count(*) FROM transfer").integer(0, 0))
  }

  /// Every balance, ascending by unit, then account.
  public func balances() throws(LedgerError) -> [LedgerBalance] { try connected().balances() }

  /// Runs `body` in one transaction that sees one state.
  public func snapshot<Value>(
    _ body: () throws(LedgerError) -> Value
  ) throws(LedgerError) -> Value {
    let session = try connected()
    try session.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    do throws(LedgerError) {
      let value = try body()
      try session.run("COMMIT")
      return value
    } catch {
      throw session.rolledBack(after: error)
    }
  }

  /// Connects again, to whichever server of the address can be written to, and takes the writer's
  /// lock. Creates nothing: a database that came back empty is refused.
  public func reconnect() throws(LedgerError) {
    // The lost session must end before its lock can be taken.
    session = nil
    session = try PostgresSession(
      address, writes: writes, expecting: genesis, creates: false, limits)
  }

  /// Closes the connection, which releases the writer's lock.
  public func close() throws(LedgerError) { session = nil }

  private func connected() throws(LedgerError) -> PostgresSession {
    guard let session else { throw .unavailable("not connected to postgresql:\(address.text)") }
    return session
  }
}

/// What a session accepts, and how long it waits. Tests use other values.
package struct PostgresLimits: Sendable {
  /// The oldest version of PostgreSQL that is accepted, as `server_version_num`.
  package var oldestServer: Int32 = 130_000
  /// The longest time that a writer waits for an answer, ms.
  package var writerMilliseconds: Int32 = 30_000
  /// The longest time that a reader waits for an answer, ms: its questions may take long.
  package var readerMilliseconds: Int32 = 600_000

  /// The limits of every session outside tests.
  package init() {}
}

// The history of accounts: a read model beside a ledger of any kind, in a SQLite file that may be
// removed at any time, since the ledger fills it again.
//
//     ledger   transfers in the order of commands:   1 2 3 4 5 6 7 8 9 ...
//              └──── chunk 1 ────┘└──── chunk 2 ────┘   whole batches, 25,000 transfers or a few more
//     history  (chunk, account) ─▶ packed lines
//
// An index by account in the ledger itself would make settlement nine times slower. Here whole
// chunks are written behind it, in ascending order. A statement finds the lines of its account with
// one lookup for each chunk of the period, and reads from the ledger only what came after the last
// chunk.

import MarketModel
import SQLite
import Settlement

/// How far a history reaches.
public struct HistoryExtent: Sendable, Equatable {
  /// The last batch in the history; 0: none.
  public var batch: UInt64
  /// The last transfer in the history; 0: none.
  public var transfer: UInt64
}

/// The history of the accounts of one ledger. Owned by one thread.
public final class AccountHistory {
  /// Transfers after which a chunk closes, with the batch that brings it there.
  public static let chunkTransfers: UInt64 = 25_000
  private static let version: Int64 = 1

  private let connection: SQLiteConnection
  private let path: String

  /// A stored chunk.
  private struct Chunk {
    var id: Int64
    var last: UInt64
    var period: ClosedRange<UInt64>
    var batch: UInt64
    var hash: BatchHash
  }

  /// Opens the history at `path` for writing, and creates it when there is none.
  /// - Throws: `.unavailable`; `.incompatible` when the file is something else.
  public convenience init(path: String) throws(LedgerError) { try self.init(path, readOnly: false) }

  /// Opens the history at `path` for reading.
  /// - Throws: `.unavailable` when there is none; `.incompatible` when the file is something else.
  public convenience init(readingFrom path: String) throws(LedgerError) {
    try self.init(path, readOnly: true)
  }

  private init(_ path: String, readOnly: Bool) throws(LedgerError) {
    self.path = path
    let found: Int64
    do throws(SQLiteFailure) {
      connection = try SQLiteConnection(path: path, readOnly: readOnly)
      if !readOnly {
        try connection.execute("PRAGMA journal_mode = WAL")
        // What a power failure takes is filled again.
        try connection.execute("PRAGMA synchronous = NORMAL")
      }
      if !readOnly, try connection.integer("SELECT count(*) FROM sqlite_schema") == 0 {
        try connection.execute(Self.create)
      }
      found = try connection.integer("PRAGMA user_version")
    } catch {
      throw .unavailable("\(path): \(error.message) (SQLite \(error.code))")
    }
    guard found == Self.version else {
      throw .incompatible("\(path) is no history of accounts of this version; remove it")
    }
  }

  private static let create = """
    BEGIN IMMEDIATE;
    CREATE TABLE chunk(
      id INTEGER PRIMARY KEY, last INTEGER NOT NULL, earliest INTEGER NOT NULL,
      latest INTEGER NOT NULL, batch INTEGER NOT NULL, hash BLOB NOT NULL
    ) STRICT;
    CREATE TABLE line(
      chunk INTEGER NOT NULL, account INTEGER NOT NULL, lines BLOB NOT NULL,
      PRIMARY KEY(chunk, account)
    ) STRICT, WITHOUT ROWID;
    PRAGMA user_version = \(version);
    COMMIT;
    """

  /// How far the history reaches.
  /// - Throws: `.unavailable`, `.corrupt`.
  public func extent() throws(LedgerError) -> HistoryExtent {
    let last = try lastChunk()
    return HistoryExtent(batch: last?.batch ?? 0, transfer: last?.last ?? 0)
  }

  /// Whether `ledger` has the history's last batch, with the same hash.
  /// - Throws: `.unavailable`, `.corrupt`.
  public func fits(_ ledger: any Ledger) throws(LedgerError) -> Bool {
    guard let last = try lastChunk() else { return true }
    return try ledger.row(ofBatch: last.batch)?.hash == last.hash
  }

  /// Adds the next chunk of `ledger`. A history of another ledger is emptied first.
  /// - Returns: The number of lines added; 0 when the ledger's transfers fill no further chunk.
  /// - Throws: `.unavailable`, `.corrupt`.
  public func fill(from ledger: any Ledger) throws(LedgerError) -> Int {
    if try !fits(ledger) {
      try run { () throws(SQLiteFailure) in
        try connection.execute("BEGIN IMMEDIATE; DELETE FROM line; DELETE FROM chunk; COMMIT")
      }
    }
    let before = try lastChunk()
    let (head, start) = (try ledger.head(), before?.last ?? 0)
    guard head.transfers - start >= Self.chunkTransfers else { return 0 }
    var (lines, accounts): ([HistoryLines], [UInt32: Int]) = ([], [:])
    var (count, last, times) = (UInt64(0), before?.batch ?? 0, UInt64.max...UInt64.max)
    var hash: BatchHash?
    func add(_ transfer: LedgerTransfer, to account: AccountId, isCredited: Bool) {
      let slot = accounts[account.rawValue] ?? lines.count
      if slot == lines.count {
        accounts[account.rawValue] = slot
        lines.append(HistoryLines())
      }
      lines[slot].add(transfer, isCredited: isCredited)
    }
    while count < Self.chunkTransfers, let row = try ledger.row(ofBatch: last + 1) {
      for transfer in try ledger.transfers(in: row) {
        let time = transfer.time.nanoseconds
        times = count == 0 ? time...time : min(times.lowerBound, time)...max(times.upperBound, time)
        add(transfer, to: transfer.debit, isCredited: false)
        add(transfer, to: transfer.credit, isCredited: true)
        count += 1
      }
      (last, hash) = (row.id, row.hash)
    }
    guard count >= Self.chunkTransfers, let hash else { return 0 }
    let chunk = Chunk(
      id: (before?.id ?? 0) + 1, last: start + count, period: times, batch: last, hash: hash)
    try insert(chunk, accounts.sorted { $0.key < $1.key }.map { ($0.key, lines[$0.value].bytes) })
    return Int(2 * count)
  }

  /// The transfers of `account` in `period` that the history has, by ascending id.
  /// - Parameter through: The last transfer to return: the ledger's head as its reader sees it.
  /// - Throws: `.unavailable`, `.corrupt`.
  public func transfers(
    of account: AccountId, in period: Range<Timestamp>, through: UInt64
  ) throws(LedgerError) -> [LedgerTransfer] {
    var found: [LedgerTransfer] = []
    let chunks = try chunks("ORDER BY id")
    let select = try run { () throws(SQLiteFailure) in
      try connection.prepare("SELECT lines FROM line WHERE chunk = ? AND account = ?")
    }
    for chunk in chunks
    where chunk.period.lowerBound < period.upperBound.nanoseconds
      && chunk.period.upperBound >= period.lowerBound.nanoseconds
    {
      let bytes = try run { () throws(SQLiteFailure) -> [UInt8]? in
        try select.bind(1, chunk.id)
        try select.bind(2, Int64(account.rawValue))
        defer { select.reset() }
        return try select.step() ? select.bytes(0) : nil
      }
      guard let bytes else { continue }
      guard let transfers = HistoryLines.unpack(bytes, of: account) else {
        throw .corrupt("\(path): chunk \(chunk.id) cannot be read; remove the file")
      }
      found += transfers.filter { $0.id <= through && period.contains($0.time) }
    }
    return found
  }

  private func insert(
    _ chunk: Chunk, _ lines: [(account: UInt32, bytes: [UInt8])]
  ) throws(LedgerError) {
    try run { () throws(SQLiteFailure) in
      try connection.execute("BEGIN IMMEDIATE")
      let line = try connection.prepare("INSERT INTO line VALUES(?, ?, ?)")
      for (account, bytes) in lines {
        try line.bind(1, chunk.id)
        try line.bind(2, Int64(account))
        try line.bind(3, bytes)
        _ = try line.step()
      }
      let row = try connection.prepare("INSERT INTO chunk VALUES(?, ?, ?, ?, ?, ?)")
      try row.bind(1, chunk.id)
      try row.bind(2, Int64(bitPattern: chunk.last))
      try row.bind(3, Int64(bitPattern: chunk.period.lowerBound))
      try row.bind(4, Int64(bitPattern: chunk.period.upperBound))
      try row.bind(5, Int64(bitPattern: chunk.batch))
      try row.bind(6, chunk.hash.bytes)
      _ = try row.step()
      try connection.execute("COMMIT")
    }
  }

  private func lastChunk() throws(LedgerError) -> Chunk? {
    try chunks("ORDER BY id DESC LIMIT 1").first
  }

  private func chunks(_ rest: String) throws(LedgerError) -> [Chunk] {
    let select = try run { () throws(SQLiteFailure) in
      try connection.prepare("SELECT id, last, earliest, latest, batch, hash FROM chunk \(rest)")
    }
    var chunks: [Chunk] = []
    while try run({ () throws(SQLiteFailure) in try select.step() }) {
      let (earliest, latest) = (
        UInt64(bitPattern: select.integer(2)), UInt64(bitPattern: select.integer(3))
      )
      guard let hash = BatchHash(bytes: select.bytes(5)), earliest <= latest else {
        throw .corrupt("\(path): a chunk cannot be read; remove the file")
      }
      chunks.append(
        Chunk(
          id: select.integer(0), last: UInt64(bitPattern: select.integer(1)),
          period: earliest...latest, batch: UInt64(bitPattern: select.integer(4)), hash: hash))
    }
    return chunks
  }

  /// Runs a call and converts its error; an open transaction ends.
  private func run<Value>(
    _ body: () throws(SQLiteFailure) -> Value
  ) throws(LedgerError) -> Value {
    do throws(SQLiteFailure) {
      return try body()
    } catch {
      do throws(SQLiteFailure) {
        if connection.isInTransaction { try connection.execute("ROLLBACK") }
      } catch {
        throw .unavailable("\(path): \(error.message)")
      }
      throw .unavailable("\(path): \(error.message) (SQLite \(error.code))")
    }
  }
}

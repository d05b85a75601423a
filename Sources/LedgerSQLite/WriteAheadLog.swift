// What the write-ahead log is to the ledger, and what a reader of it does to it.
//
//   commit      appends frames to the log and syncs it
//   checkpoint  carries frames into the database, as far as every reader has come
//   restart     the log begins again at its first byte, when no reader needs it
//
// A reader that stays in one transaction keeps the log from being restarted: it grows with every batch. It
// must never keep settlement from going on.

import CSQLite
import Glibc

/// The file of a connection's write-ahead log, reached through SQLite's own file system. Owned by the
/// connection's thread; not to be kept beyond the connection.
struct WriteAheadLog {
  /// What the log is cut to when it begins again, and above which it is tried to make it small.
  static let smallBytes: UInt64 = 32 << 20
  /// Bytes that are rewritten at a time: SQLite's own file system writes less than 2^17 in one call.
  private static let piece = 1 << 16

  private let file: UnsafeMutablePointer<sqlite3_file>
  private let methods: UnsafePointer<sqlite3_io_methods>

  /// - Returns: `nil` before the connection has opened one.
  init?(of connection: SQLiteConnection) {
    var found: UnsafeMutablePointer<sqlite3_file>?
    let code = sqlite3_file_control(
      connection.handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &found)
    guard code == SQLITE_OK, let found, let methods = found.pointee.pMethods else { return nil }
    (file, self.methods) = (found, methods)
  }

  /// How long it is; 0 when it cannot be asked.
  var bytes: UInt64 {
    var size: sqlite3_int64 = 0
    guard methods.pointee.xFileSize(file, &size) == SQLITE_OK else { return 0 }
    return UInt64(clamping: size)
  }

  /// Puts what can be read in the log on the medium, before anything in it is believed. Where a sync of the
  /// log failed, the kernel takes what it could not write for written: it can be read, counts as committed,
  /// and would be gone with the power, after its confirmation was journaled.
  ///
  /// Every byte of the log is written once more where it stands, as it is, and synced: that makes the
  /// kernel's pages dirty again, so that this sync writes them or fails. It is right beside readers, who see
  /// the same bytes before, meanwhile and after. No other writer is there: this connection holds the lock
  /// that everyone takes who appends to the log, begins it again or cuts it off. A crash meanwhile leaves
  /// each sector as it is or as it was on the medium, as a crash before would have.
  ///
  /// It comes before any checkpoint. A checkpoint syncs the log first, and that sync says that all is well;
  /// were the database then ahead of what the medium has of the log, recovery would put older pages over
  /// newer ones.
  ///
  /// - Parameter path: Of the ledger; its folder is synced, since the name of a new log may be as little on
  ///   the medium as its bytes. `nil` where SQLite's file system is not the machine's.
  /// - Throws: what SQLite says; `SQLITE_BUSY` while somebody else writes, who will be done.
  static func secure(
    _ connection: SQLiteConnection, path: String?
  ) throws(SQLiteFailure) {
    try connection.execute("BEGIN IMMEDIATE")
    do throws(SQLiteFailure) {
      try WriteAheadLog(of: connection)?.rewrite()
      if let path { try syncFolder(of: path) }
    } catch {
      try connection.execute("ROLLBACK")
      throw error
    }
    try connection.execute("ROLLBACK")
    shrink(connection)
  }

  /// Carries the log into the database and makes it empty, if nobody reads what is only there; waits for
  /// nobody. What fails here has changed nothing that is read: the next checkpoint does it again.
  static func shrink(_ connection: SQLiteConnection) {
    do throws(SQLiteFailure) {
      _ = try connection.withoutWaiting { () throws(SQLiteFailure) in
        try connection.integer("PRAGMA wal_checkpoint(TRUNCATE)")
      }
    } catch {
      return
    }
  }

  private func rewrite() throws(SQLiteFailure) {
    var size: sqlite3_int64 = 0
    try Self.check(methods.pointee.xFileSize(file, &size), "its length cannot be read")
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: Self.piece, alignment: 4096)
    defer { buffer.deallocate() }
    for offset in stride(from: 0, to: size, by: Self.piece) {
      let count = Int32(min(size - offset, sqlite3_int64(Self.piece)))
      try Self.check(methods.pointee.xRead(file, buffer, count, offset), "it cannot be read")
      try Self.check(methods.pointee.xWrite(file, buffer, count, offset), "it cannot be written")
    }
    if size > 0 {
      try Self.check(methods.pointee.xSync(file, SQLITE_SYNC_NORMAL), "it cannot be synced")
    }
  }

  private static func check(_ code: Int32, _ words: String) throws(SQLiteFailure) {
    guard code == SQLITE_OK else {
      let reason = String(cString: sqlite3_errstr(code))
      throw SQLiteFailure(code: code, message: "the ledger's log: \(words): \(reason)")
    }
  }

  private static func syncFolder(of path: String) throws(SQLiteFailure) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let parent = parts.dropLast().joined(separator: "/")
    let folder = parent.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : parent
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(folder) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure(folder) }
  }

  private static func failure(_ folder: String) -> SQLiteFailure {
    SQLiteFailure(
      code: SQLITE_IOERR, message: "cannot sync \(folder): \(String(cString: strerror(errno)))")
  }
}

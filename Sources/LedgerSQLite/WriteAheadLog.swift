// The write-ahead log of a ledger:
//
//   commit      appends frames to the log and syncs it
//   checkpoint  copies frames into the database, up to the snapshot of the oldest reader
//   restart     reuses the log from its first byte, when no reader needs it
//
// A reader that stays in one transaction prevents the restart, and the log grows with every batch.
// A reader must never stop settlement.

import CSQLite
import Glibc
import SQLite

/// The file of a connection's write-ahead log, accessed through SQLite's virtual file system. Owned
/// by the connection's thread and valid as long as the connection.
struct WriteAheadLog {
  /// The size to which a restarted log is truncated, and above which the ledger tries to truncate
  /// it, bytes.
  static let smallBytes: UInt64 = 32 << 20
  /// Bytes that are rewritten in one call; SQLite's file system accepts less than 2^17.
  private static let piece = 1 << 16

  private let file: UnsafeMutablePointer<sqlite3_file>
  private let methods: UnsafePointer<sqlite3_io_methods>

  /// The log of `connection`.
  /// - Returns: `nil` before the connection has opened it.
  init?(of connection: SQLiteConnection) {
    var found: UnsafeMutablePointer<sqlite3_file>?
    let code = sqlite3_file_control(
      connection.handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &found)
    guard code == SQLITE_OK, let found, let methods = found.pointee.pMethods else { return nil }
    (file, self.methods) = (found, methods)
  }

  /// The size of the log in bytes; 0 when it cannot be determined.
  var bytes: UInt64 {
    var size: sqlite3_int64 = 0
    guard methods.pointee.xFileSize(file, &size) == SQLITE_OK else { return 0 }
    return UInt64(clamping: size)
  }

  /// Makes the readable content of the log durable before the ledger relies on it. After a failed
  /// sync, the kernel treats the unwritten pages as written: they can be read and count as
  /// committed, but a power failure would lose them after their confirmation was journaled.
  ///
  /// The call rewrites every byte of the log in place and syncs it. This marks the kernel's pages
  /// as dirty again, so that the sync writes them or fails. Concurrent readers are safe, since the
  /// bytes do not change. There is no other writer, because this connection holds the lock that is
  /// needed to append to the log, to restart or to truncate it. A crash during the call leaves each
  /// sector with its content in memory or with its content on the medium, as a crash before the
  /// call would.
  ///
  /// It must precede any checkpoint. A checkpoint syncs the log first, and that sync would succeed
  /// without writing; the database could then be ahead of the log on the medium, and recovery would
  /// overwrite newer pages with older ones.
  ///
  /// - Parameter path: The path of the ledger, whose folder is synced too, because the directory
  ///   entry of a new log may not be durable yet. `nil` for another virtual file system.
  /// - Throws: The error of SQLite; `SQLITE_BUSY` while another connection writes.
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

  /// Copies the log into the database and truncates it, if no reader needs it. Does not wait. An
  /// error is ignored, because the log is still valid and the next checkpoint repeats the work.
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

import Glibc
import Settlement

/// Which files a ledger has open: by device and inode, since a name may come to lead to another file. A value.
struct LedgerPlace {
  /// A file, whatever its name.
  private struct Identity: Equatable {
    let device: dev_t
    let inode: ino_t

    /// - Returns: `nil` when nothing can be found at `path`.
    init?(_ path: String) {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      (device, inode) = (status.st_dev, status.st_ino)
    }
  }

  private let path: String
  private let database: Identity?
  /// Log and index, where the connection has them.
  private var others: [(path: String, identity: Identity)] = []

  /// The ledger that was just opened at `path`.
  init(_ path: String) {
    self.path = path
    database = Identity(path)
    noteLog()
  }

  /// A new connection has opened log and index.
  mutating func noteLog() {
    others = ["-wal", "-shm"].compactMap { suffix in
      Identity(path + suffix).map { (path + suffix, $0) }
    }
  }

  /// The connection is closed, and with it goes what it had beside the database.
  mutating func forgetLog() { others = [] }

  /// - Throws: `.unavailable` when a name does not lead to the file that is open.
  func check() throws(LedgerError) {
    guard let database, Identity(path) == database else {
      throw .unavailable(
        "\(path) was removed, moved away or replaced while this server settles into it. Put the same file "
          + "back (mv, no copy) and settlement goes on; or put a copy there and restart the server, which "
          + "brings what it lacks from the journal")
    }
    for other in others where Identity(other.path) != other.identity {
      throw .unavailable(
        "\(other.path) was removed or replaced while this server writes there. Put the same file back (mv, no "
          + "copy), or restart the server, which brings to the ledger what it lacks from the journal"
      )
    }
  }
}

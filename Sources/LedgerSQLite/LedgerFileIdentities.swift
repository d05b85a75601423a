import Glibc
import Settlement

/// The identities of the files that a ledger has open. Device and inode identify a file, because
/// another file may get its path later.
struct LedgerFileIdentities {
  /// A file, independent of its path.
  private struct Identity: Equatable {
    let device: dev_t
    let inode: ino_t

    /// The file at `path`.
    /// - Returns: `nil` when there is none.
    init?(_ path: String) {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      (device, inode) = (status.st_dev, status.st_ino)
    }
  }

  private let path: String
  private let database: Identity?
  /// The log and the index, if the connection has opened them.
  private var others: [(path: String, identity: Identity)] = []

  /// The files of the ledger that was just opened at `path`.
  init(_ path: String) {
    self.path = path
    database = Identity(path)
    noteLog()
  }

  /// Records the log and the index of a new connection.
  mutating func noteLog() {
    others = ["-wal", "-shm"].compactMap { suffix in
      Identity(path + suffix).map { (path + suffix, $0) }
    }
  }

  /// Removes the log and the index of a closed connection.
  mutating func forgetLog() { others = [] }

  /// Checks that the paths still name the open files.
  /// - Throws: `.unavailable` when one of them does not.
  func check() throws(LedgerError) {
    guard let database, Identity(path) == database else {
      throw .unavailable(
        "\(path) was removed, moved or replaced while this server was writing to it. Settlement "
          + "continues when the same file is back (mv, not a copy). Otherwise put a backup there "
          + "and restart the server, which adds the missing batches from the journal")
    }
    for other in others where Identity(other.path) != other.identity {
      throw .unavailable(
        "\(other.path) was removed or replaced while this server was writing to it. Put the same "
          + "file back (mv, not a copy), or restart the server, which adds the missing batches "
          + "from the journal"
      )
    }
  }
}

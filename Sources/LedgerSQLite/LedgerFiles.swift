import Glibc
import Settlement

/// The files of a ledger and their access mode: only owner and group may read them, as with the
/// journal.
enum LedgerFiles {
  private static let mode: mode_t = 0o640
  private static let others: mode_t = 0o007

  /// All files of the ledger at `path`: database, log, index and the writer's lock.
  static func paths(_ path: String) -> [String] { ["", "-wal", "-shm", ".lock"].map { path + $0 } }

  /// Creates the file at `path` when there is none, because SQLite would make it readable for every
  /// user (log and index get the file's mode). Removes the access of other users from existing
  /// files.
  /// - Returns: A sentence for each file whose mode was changed or could not be changed.
  /// - Throws: `.unavailable` when the file cannot be created.
  static func protect(_ path: String) throws(LedgerError) -> [String] {
    // Only a new file is opened and closed here, because closing a database file releases all locks
    // that this process has on it.
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    if descriptor >= 0 {
      close(descriptor)
    } else if errno != EEXIST {
      throw .unavailable(
        "cannot create \(path): \(String(cString: strerror(errno))). Check the path: its folder "
          + "must exist and be writable")
    }
    var notes: [String] = []
    for file in paths(path) {
      var status = stat()
      guard stat(file, &status) == 0, status.st_mode & others != 0 else { continue }
      if chmod(file, status.st_mode & 0o770) == 0 {
        notes.append("every user of this machine could read \(file); that access was removed")
      } else {
        let reason = String(cString: strerror(errno))
        notes.append("every user of this machine can read \(file), and chmod o= fails: \(reason)")
      }
    }
    return notes
  }
}

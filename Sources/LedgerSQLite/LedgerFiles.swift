import Glibc
import Settlement

/// Who may read a ledger's files: their owner and its group, as with the journal.
enum LedgerFiles {
  private static let mode: mode_t = 0o640
  private static let others: mode_t = 0o007

  /// All files of the ledger at `path`: database, log, index and the writer's lock.
  static func paths(_ path: String) -> [String] { ["", "-wal", "-shm", ".lock"].map { path + $0 } }

  /// Makes the file at `path` when there is none, since SQLite would let everybody read it (its log and
  /// index get the mode of the file), and takes the files that are there from everybody else.
  /// - Returns: what was changed or could not be, a sentence each.
  /// - Throws: `.unavailable` when the file cannot be made.
  static func protect(_ path: String) throws(LedgerError) -> [String] {
    // Only a file that is new here is ever opened and closed: closing a database would let go of the locks
    // that this process holds on it.
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    if descriptor >= 0 {
      close(descriptor)
    } else if errno != EEXIST {
      throw .unavailable(
        "cannot make \(path): \(String(cString: strerror(errno))). Check the path; its folder must be there "
          + "and writable")
    }
    var notes: [String] = []
    for file in paths(path) {
      var status = stat()
      guard stat(file, &status) == 0, status.st_mode & others != 0 else { continue }
      if chmod(file, status.st_mode & 0o770) == 0 {
        notes.append("\(file) could be read by everybody on this machine; it no longer can")
      } else {
        let reason = String(cString: strerror(errno))
        notes.append("\(file) can be read by everybody on this machine; chmod o= fails: \(reason)")
      }
    }
    return notes
  }
}

import Glibc
import Settlement

/// The lock of a ledger's writer: an advisory lock on `PATH.lock`, which the kernel releases when
/// the process ends. Readers do not need it.
final class WriterLock {
  private let descriptor: Int32

  /// Takes the lock.
  /// - Throws: `.inUse` when another process has it, `.unavailable` when the file cannot be opened.
  init(ledgerAt path: String) throws(LedgerError) {
    let file = path + ".lock"
    descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else {
      throw .unavailable("cannot open \(file): \(String(cString: strerror(errno)))")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      Glibc.close(descriptor)
      throw .inUse(
        "another process settles into \(path); stop it, or open the ledger to read only")
    }
  }

  deinit { close(descriptor) }

  /// Whether a process holds the lock of the ledger at `path`.
  static func isHeld(ledgerAt path: String) -> Bool {
    let descriptor = open(path + ".lock", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { Glibc.close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }
}

import Glibc

/// Keeps a journal's directory for this process: two servers never write one journal. The kernel
/// lets go of it when the process ends, however it ends.
public final class DirectoryLock: Sendable {
  /// The directory.
  public let directory: String
  private let descriptor: Int32

  /// Takes the directory, which is created if only its last part is missing.
  /// - Throws: `locked` when another process (or another part of this one) has it; `system`.
  public init(_ directory: String) throws(JournalError) {
    try JournalDirectory.create(directory)
    let path = directory + "/lock"
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { throw .system(.open, path) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      let holder = Self.holder(descriptor)
      close(descriptor)
      throw code == EWOULDBLOCK
        ? .locked(path: directory, holder: holder)
        : .system(.lock, path: path, offset: nil, code: code)
    }
    let owner = Array((String(getpid()) + "\n").utf8)
    guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, owner, owner.count, 0) == owner.count
    else {
      let code = errno
      close(descriptor)
      throw .system(.write, path: path, offset: 0, code: code)
    }
    (self.directory, self.descriptor) = (directory, descriptor)
  }

  deinit {
    // Unlocked, not only closed: a child between fork and exec may still hold the description.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  /// The process id that the holder left in the file; 0 when there is none.
  private static func holder(_ descriptor: Int32) -> Int32 {
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    return Int32(text.prefix { $0.isNumber }) ?? 0
  }
}

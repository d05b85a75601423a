import Glibc
import MarketModel

/// The operating system's file system. Stateless; any thread.
public struct SystemDisk: Disk {
  /// Creates access to the file system.
  public init() {}

  /// Calls `open`, with close-on-exec.
  public func open(_ path: String, _ access: DiskAccess) throws(DiskFailure) -> Int32 {
    switch access {
    case .reading: return try openFile(path, O_RDONLY)
    case .writing: return try openFile(path, O_RDWR | O_NOFOLLOW)
    case .creating:
      let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
      let descriptor = Glibc.open(path, flags, 0o640)
      guard descriptor < 0, errno == EEXIST else { return try Self.check(descriptor) }
      if let emptied = try empty(path) { return emptied }
      try remove(path)
      return try Self.check(Glibc.open(path, flags, 0o640))
    }
  }

  /// Opens an existing file without blocking, for example on a pipe.
  /// - Throws: ELOOP for a dangling link, which must not be mistaken for a missing file; EEXIST
  ///   if it is not a file.
  private func openFile(_ path: String, _ flags: Int32) throws(DiskFailure) -> Int32 {
    let descriptor = Glibc.open(path, flags | O_NONBLOCK | O_CLOEXEC)
    var status = stat()
    guard descriptor >= 0 else {
      let code = errno
      throw DiskFailure(code == ENOENT && lstat(path, &status) == 0 ? ELOOP : code)
    }
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw DiskFailure(EEXIST)
    }
    return descriptor
  }

  /// Truncates the leftover of an earlier run where a new file is to be created.
  /// - Returns: `nil` if the file has another hard link, whose content must stay.
  /// - Throws: ELOOP for a link, EEXIST if it is not a file.
  private func empty(_ path: String) throws(DiskFailure) -> Int32? {
    let descriptor = try openFile(path, O_RDWR | O_NOFOLLOW)
    do throws(DiskFailure) {
      var status = stat()
      _ = try Self.check(fstat(descriptor, &status))
      if status.st_nlink == 1 {
        _ = try Self.check(ftruncate(descriptor, 0))
        return descriptor
      }
    } catch {
      close(descriptor)
      throw error
    }
    close(descriptor)
    return nil
  }

  /// Calls `close` and ignores its error: callers that need certainty have synced before.
  public func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

  /// Calls `fstat`.
  public func size(of descriptor: Int32) throws(DiskFailure) -> Int {
    var status = stat()
    _ = try Self.check(fstat(descriptor, &status))
    invariant(status.st_size >= 0, "a size is not negative")
    return Int(status.st_size)
  }

  /// Calls `pread`, again after an interruption.
  public func read(
    _ descriptor: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DiskFailure) -> Int {
    precondition(descriptor >= 0 && offset >= 0, "the file is open and the offset not negative")
    while true {
      let count = pread(descriptor, bytes.baseAddress, bytes.count, off_t(offset))
      if count < 0, errno == EINTR { continue }
      invariant(count >= -1 && count <= bytes.count, "a read fits into its buffer")
      return try Self.check(count)
    }
  }

  /// Calls `pwrite`.
  public func write(
    _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(DiskFailure) -> Int {
    precondition(descriptor >= 0 && offset >= 0, "the file is open and the offset not negative")
    let count = pwrite(descriptor, bytes.baseAddress, bytes.count, off_t(offset))
    invariant(count <= bytes.count, "at most the given bytes are written")
    return try Self.check(count)
  }

  /// Sets `O_DIRECT`.
  public func bypassCache(_ descriptor: Int32) {
    let flags = fcntl(descriptor, F_GETFL)
    if flags >= 0 { _ = fcntl(descriptor, F_SETFL, flags | Self.direct) }
  }

  /// Disables read-ahead with `posix_fadvise`. On a disk with one queue, reading megabytes of a
  /// segment's zeros would delay the next sync.
  public func disableReadAhead(_ descriptor: Int32) {
    _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_RANDOM)
  }

  /// O_DIRECT, which the C library defines only for GNU sources (Linux, asm/fcntl.h).
  private static var direct: Int32 {
    #if arch(arm64)
      0o200000
    #else
      0o40000
    #endif
  }

  /// Calls `fdatasync`.
  public func sync(_ descriptor: Int32) throws(DiskFailure) {
    _ = try Self.check(fdatasync(descriptor))
  }

  /// Calls `rename`.
  public func rename(_ path: String, to name: String) throws(DiskFailure) {
    _ = try Self.check(Glibc.rename(path, name))
  }

  /// Calls `renameat`.
  public func rename(_ path: String, to name: String, in held: Int32) throws(DiskFailure) {
    _ = try Self.check(renameat(held, Self.lastPart(path), held, Self.lastPart(name)))
  }

  private static func lastPart(_ path: String) -> String {
    String(path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...])
  }

  /// Calls `unlink`.
  public func remove(_ path: String) throws(DiskFailure) { _ = try Self.check(unlink(path)) }

  /// Calls `readdir` to the end.
  public func names(in directory: String) throws(DiskFailure) -> [String] {
    guard let stream = opendir(directory) else { throw DiskFailure(errno) }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(stream) {
      names.append(
        withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        })
      errno = 0
    }
    guard errno == 0 else { throw DiskFailure(errno) }
    invariant(!names.contains(""), "a file has a name")
    return names
  }

  /// Calls `mkdir`, with access for owner and group.
  public func makeDirectory(_ path: String) throws(DiskFailure) {
    guard mkdir(path, 0o750) != 0, errno != EEXIST else { return }
    throw DiskFailure(errno)
  }

  /// Calls `fsync` on the directory.
  public func syncDirectory(_ path: String) throws(DiskFailure) {
    let descriptor = try Self.check(Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    defer { close(descriptor) }
    _ = try Self.check(fsync(descriptor))
  }

  /// Calls `fsync` on the open directory.
  public func syncDirectory(_ path: String, held: Int32) throws(DiskFailure) {
    _ = try Self.check(fsync(held))
  }

  /// Calls `flock` on the directory. Network file systems lock only files that are open for
  /// writing, which a directory never is; there only the lock file excludes others.
  public func lockDirectory(_ path: String) throws(DiskFailure) -> Int32 {
    let descriptor = try Self.check(Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let code = errno
      guard [EBADF, EINVAL, ENOTSUP, ENOLCK, ENOSYS].contains(code) else {
        close(descriptor)
        throw DiskFailure(code)
      }
    }
    return descriptor
  }

  /// Compares `stat` with `fstat`.
  public func names(_ path: String, held: Int32) -> Bool {
    var (named, open) = (stat(), stat())
    return stat(path, &named) == 0 && fstat(held, &open) == 0 && named.st_dev == open.st_dev
      && named.st_ino == open.st_ino
  }

  /// Compares `fstatat` with `fstat`.
  public func names(_ path: String, file: Int32, in held: Int32?) -> Bool {
    var (named, open) = (stat(), stat())
    let name = held == nil ? path : Self.lastPart(path)
    return fstatat(held ?? AT_FDCWD, name, &named, AT_SYMLINK_NOFOLLOW) == 0
      && fstat(file, &open) == 0 && named.st_dev == open.st_dev && named.st_ino == open.st_ino
  }

  /// Calls `flock`; the kernel releases the lock when the process ends in any way.
  public func lock(_ path: String) throws(DiskFailure) -> Int32 {
    let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC
    let descriptor = try Self.check(Glibc.open(path, flags, 0o640))
    let owner = Array((String(getpid()) + "\n").utf8)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, ftruncate(descriptor, 0) == 0,
      pwrite(descriptor, owner, owner.count, 0) == owner.count
    else {
      let code = errno
      close(descriptor)
      throw DiskFailure(code)
    }
    invariant(descriptor > STDERR_FILENO, "a lock does not have a standard stream's descriptor")
    return descriptor
  }

  /// Unlocks explicitly: a child process between fork and exec may still share the open file
  /// description.
  public func unlock(_ descriptor: Int32) {
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  private static func check<Value: SignedInteger>(_ value: Value) throws(DiskFailure) -> Value {
    guard value >= 0 else { throw DiskFailure(errno) }
    return value
  }
}

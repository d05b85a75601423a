/// The file-system operations of the journal. `SystemDisk` is the operating system's
/// implementation; the simulation's tears writes, flips bits, fails and loses power.
public protocol Disk: Sendable {
  /// Opens a file.
  /// - Returns: a non-negative descriptor, to be closed.
  /// - Throws: the errno.
  func open(_ path: String, _ access: DiskAccess) throws(DiskFailure) -> Int32
  /// Closes a descriptor.
  func close(_ descriptor: Int32)
  /// Size of an open file, in bytes.
  /// - Throws: the errno.
  func size(of descriptor: Int32) throws(DiskFailure) -> Int
  /// Reads at an offset like `pread`: fewer bytes than requested are no error, 0 is the end of the
  /// file.
  /// - Throws: the errno.
  func read(
    _ descriptor: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DiskFailure) -> Int
  /// Writes at an offset like `pwrite`: fewer bytes than given are no error.
  /// - Throws: the errno.
  func write(
    _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(DiskFailure) -> Int
  /// Makes later writes bypass the page cache; they must be whole blocks of 4 KiB from aligned
  /// memory. Has no effect where that is not supported.
  func bypassCache(_ descriptor: Int32)
  /// Disables read-ahead for this file, whose reader follows its writer. Has no effect where that
  /// is not supported.
  func disableReadAhead(_ descriptor: Int32)
  /// Makes a file's content durable, like `fdatasync`.
  /// - Throws: the errno.
  func sync(_ descriptor: Int32) throws(DiskFailure)
  /// Renames a file; an existing file with the new name is replaced.
  /// - Throws: the errno.
  func rename(_ path: String, to name: String) throws(DiskFailure)
  /// Renames a file within an open directory, even if the directory itself was renamed. Needs no
  /// descriptor.
  /// - Throws: the errno.
  func rename(_ path: String, to name: String, in held: Int32) throws(DiskFailure)
  /// Removes a file.
  /// - Throws: the errno.
  func remove(_ path: String) throws(DiskFailure)
  /// The names in a directory, in unspecified order.
  /// - Throws: the errno.
  func names(in directory: String) throws(DiskFailure) -> [String]
  /// Creates a directory; an existing one is accepted.
  /// - Throws: the errno.
  func makeDirectory(_ path: String) throws(DiskFailure)
  /// Makes the names in a directory durable.
  /// - Throws: the errno.
  func syncDirectory(_ path: String) throws(DiskFailure)
  /// Makes the names in an open directory durable. Needs no descriptor.
  /// - Throws: the errno.
  func syncDirectory(_ path: String, held: Int32) throws(DiskFailure)
  /// Locks a directory itself, so that the lock survives the removal of a file in it and a rename
  /// of the directory. Where directories cannot be locked, it is only opened.
  /// - Returns: a descriptor that holds the lock until `unlock`.
  /// - Throws: the errno; EWOULDBLOCK if another process has the lock.
  func lockDirectory(_ path: String) throws(DiskFailure) -> Int32
  /// Whether `path` still names the open directory.
  func names(_ path: String, held: Int32) -> Bool
  /// Whether a name, which is not a link, refers to the open file. Needs no descriptor.
  /// - Parameter held: The open directory in which the name is looked up; `nil` uses the path.
  func names(_ path: String, file: Int32, in held: Int32?) -> Bool
  /// Locks a file and writes the process id into it.
  /// - Returns: a descriptor that holds the lock until `unlock`.
  /// - Throws: the errno; EWOULDBLOCK if another process has the lock.
  func lock(_ path: String) throws(DiskFailure) -> Int32
  /// Releases a lock and closes its descriptor.
  func unlock(_ descriptor: Int32)
}

extension Disk {
  /// The default: no effect.
  public func bypassCache(_ descriptor: Int32) {}

  /// The default: no effect.
  public func disableReadAhead(_ descriptor: Int32) {}

  /// The default: renames by path.
  public func rename(_ path: String, to name: String, in held: Int32) throws(DiskFailure) {
    try rename(path, to: name)
  }

  /// The default: syncs by path.
  public func syncDirectory(_ path: String, held: Int32) throws(DiskFailure) {
    try syncDirectory(path)
  }

  /// The default, for disks on which directories are never renamed.
  public func names(_ path: String, held: Int32) -> Bool { true }

  /// The default, for disks on which files are never replaced.
  public func names(_ path: String, file: Int32, in held: Int32?) -> Bool { true }
}

/// How a file is opened.
public enum DiskAccess: Sendable {
  /// The file must exist; links are followed.
  case reading
  /// The file must exist and must not be a link.
  case writing
  /// A new, empty file. An existing file with the name is replaced, unless it has another hard
  /// link, whose content stays; a link or anything else is refused.
  case creating
}

/// The file system refused an operation.
public struct DiskFailure: Error, Sendable, Equatable {
  /// The error number (errno).
  public var code: Int32
  /// A failure with the given errno.
  public init(_ code: Int32) { self.code = code }
}

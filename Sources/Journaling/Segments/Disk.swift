/// What the journal asks of the file system. `SystemDisk` is the operating system's; the simulation has
/// one that tears writes, flips bits, fails and loses power.
public protocol Disk: Sendable {
  /// Opens a file.
  /// - Returns: a descriptor, not negative, to be closed.
  /// - Throws: the errno.
  func open(_ path: String, _ access: DiskAccess) throws(DiskFailure) -> Int32
  /// Lets go of a descriptor.
  func close(_ descriptor: Int32)
  /// Bytes in an open file.
  /// - Throws: the errno.
  func size(of descriptor: Int32) throws(DiskFailure) -> Int
  /// Reads at a place, as `pread` does: fewer bytes than asked for are no error, 0 is the end.
  /// - Throws: the errno.
  func read(
    _ descriptor: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DiskFailure) -> Int
  /// Writes at a place, as `pwrite` does: fewer bytes than given are no error.
  /// - Throws: the errno.
  func write(
    _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(DiskFailure) -> Int
  /// Asks that writes, in whole blocks of 4 KiB from memory that starts at one, go past the kernel's
  /// cache from now on. Where that is not possible nothing changes.
  func bypassCache(_ descriptor: Int32)
  /// Says that reads of this file ask for what was just written, so that nothing beyond it is worth
  /// fetching. Where that cannot be said nothing changes.
  func readOnlyWhatIsAsked(_ descriptor: Int32)
  /// Makes a file's contents durable, as `fdatasync` does.
  /// - Throws: the errno.
  func sync(_ descriptor: Int32) throws(DiskFailure)
  /// Gives a file another name; a file that has it is replaced.
  /// - Throws: the errno.
  func rename(_ path: String, to name: String) throws(DiskFailure)
  /// The same within a directory that is held, whatever its own name is by now. Opens nothing.
  /// - Throws: the errno.
  func rename(_ path: String, to name: String, in held: Int32) throws(DiskFailure)
  /// Removes a file's name.
  /// - Throws: the errno.
  func remove(_ path: String) throws(DiskFailure)
  /// The names in a directory, in no order.
  /// - Throws: the errno.
  func names(in directory: String) throws(DiskFailure) -> [String]
  /// Makes a directory; one that is there is fine.
  /// - Throws: the errno.
  func makeDirectory(_ path: String) throws(DiskFailure)
  /// Makes the names in a directory durable.
  /// - Throws: the errno.
  func syncDirectory(_ path: String) throws(DiskFailure)
  /// The same for a directory that is held. Opens nothing.
  /// - Throws: the errno.
  func syncDirectory(_ path: String, held: Int32) throws(DiskFailure)
  /// Takes a directory itself for this holder alone: it stays taken when a file in it is removed, or when
  /// it gets another name. Where a file system cannot lock directories it is only held open.
  /// - Returns: a descriptor that holds it until `unlock`.
  /// - Throws: the errno; EWOULDBLOCK when another has it.
  func lockDirectory(_ path: String) throws(DiskFailure) -> Int32
  /// Whether `path` still names the directory that is held.
  func names(_ path: String, held: Int32) -> Bool
  /// Whether a name, which is no link, is the file that is open. Opens nothing.
  /// - Parameter held: The directory it is looked up in, whatever that is called by now; `nil`: by its path.
  func names(_ path: String, file: Int32, in held: Int32?) -> Bool
  /// Takes a file for this holder alone and writes its process id there.
  /// - Returns: a descriptor that holds it until `unlock`.
  /// - Throws: the errno; EWOULDBLOCK when another has it.
  func lock(_ path: String) throws(DiskFailure) -> Int32
  /// Gives up a lock.
  func unlock(_ descriptor: Int32)
}

extension Disk {
  /// Nothing changes.
  public func bypassCache(_ descriptor: Int32) {}

  /// Nothing changes.
  public func readOnlyWhatIsAsked(_ descriptor: Int32) {}

  /// By its path.
  public func rename(_ path: String, to name: String, in held: Int32) throws(DiskFailure) {
    try rename(path, to: name)
  }

  /// By its path.
  public func syncDirectory(_ path: String, held: Int32) throws(DiskFailure) {
    try syncDirectory(path)
  }

  /// It does: nobody moves directories there.
  public func names(_ path: String, held: Int32) -> Bool { true }

  /// It is: nobody replaces files there.
  public func names(_ path: String, file: Int32, in held: Int32?) -> Bool { true }
}

/// How a file is opened.
public enum DiskAccess: Sendable {
  /// It must be there, and be a file or lead to one.
  case reading
  /// It must be there, and be a file and no link.
  case writing
  /// It is made anew: a file that has its name goes, whoever else has that file under another name keeps
  /// its contents, and a link or anything else in its place is refused.
  case creating
}

/// The file system refused; its error number.
public struct DiskFailure: Error, Sendable, Equatable {
  /// The errno.
  public var code: Int32
  /// A refusal with that errno.
  public init(_ code: Int32) { self.code = code }
}

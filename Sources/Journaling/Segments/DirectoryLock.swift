import Glibc
import MarketModel

/// Excludes other processes from a journal's directory, so that two servers never write one
/// journal. The directory itself is locked, since its file `lock`, which contains the process id,
/// can be removed, and the directory can be renamed. The kernel releases both locks when the
/// process ends in any way.
public final class DirectoryLock: Sendable {
  /// Path of the directory.
  public let directory: String
  /// File system that contains it.
  package let disk: any Disk
  /// Descriptors of the directory and of the lock file.
  private let held, descriptor: Int32

  /// Locks the directory, and creates it if only its last component is missing.
  /// - Throws: `locked` if another process, or another part of this one, has locked it; `system`.
  public convenience init(_ directory: String) throws(JournalError) {
    try self.init(directory, on: SystemDisk())
  }

  /// Locks a directory of `disk`.
  /// - Throws: as `init(_:)`.
  package init(_ directory: String, on disk: any Disk) throws(JournalError) {
    try JournalDirectory.create(directory, on: disk)
    let path = directory + "/lock"
    let held: Int32
    do throws(DiskFailure) {
      held = try disk.lockDirectory(directory)
    } catch {
      throw Self.failure(error, directory, directory, disk)
    }
    do throws(DiskFailure) {
      // Older versions know only the file, so it is locked too.
      descriptor = try disk.lock(path)
    } catch {
      let failure = Self.failure(error, path, directory, disk)
      disk.unlock(held)
      throw failure
    }
    invariant(held >= 0 && descriptor >= 0, "both locks are held")
    (self.directory, self.disk, self.held) = (directory, disk, held)
  }

  deinit {
    disk.unlock(descriptor)
    disk.unlock(held)
  }

  /// Whether the directory is still in its place. Another one there belongs to another server.
  var isInPlace: Bool { disk.names(directory, held: held) }

  /// Whether a name in the directory, which is not a link, refers to the open file. Needs no
  /// descriptor.
  func names(_ path: String, file: Int32) -> Bool { disk.names(path, file: file, in: held) }

  /// Makes the names in the directory durable. Needs no descriptor.
  func sync() throws(JournalError) {
    do throws(DiskFailure) {
      try disk.syncDirectory(directory, held: held)
    } catch {
      throw .system(.sync, directory, error)
    }
  }

  /// Renames a file of the directory durably. Needs no descriptor.
  func rename(_ path: String, to name: String) throws(JournalError) {
    do throws(DiskFailure) {
      try disk.rename(path, to: name, in: held)
    } catch {
      throw .system(.rename, path, error)
    }
    try sync()
  }

  private static func failure(
    _ error: DiskFailure, _ path: String, _ directory: String, _ disk: any Disk
  ) -> JournalError {
    error.code == EWOULDBLOCK
      ? .locked(path: directory, holder: holder(directory + "/lock", disk))
      : .system(.lock, path, error)
  }

  /// The process id in the lock file; 0 if it cannot be read.
  private static func holder(_ path: String, _ disk: any Disk) -> Int32 {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 8)
    defer { bytes.deallocate() }
    do throws(DiskFailure) {
      let descriptor = try disk.open(path, .reading)
      defer { disk.close(descriptor) }
      let count = try disk.read(descriptor, into: bytes, at: 0)
      invariant(count >= 0 && count <= bytes.count, "a read fits into its buffer")
      invariant(descriptor >= 0, "an open file has a descriptor")
      let text = String(decoding: bytes.prefix(count), as: UTF8.self)
      return Int32(text.prefix { $0.isNumber }) ?? 0
    } catch {
      return 0
    }
  }
}

import Glibc
import MarketModel

/// Keeps a journal's directory for this process: two servers never write one journal. The directory itself is
/// locked: its file `lock`, which says who has it, may be removed, and the directory may get another name. The
/// kernel lets go of both when the process ends, however it ends.
public final class DirectoryLock: Sendable {
  /// The directory.
  public let directory: String
  /// Where it is.
  package let disk: any Disk
  /// Of the directory, and of the file in it.
  private let held, descriptor: Int32

  /// Takes the directory, which is created if only its last part is missing.
  /// - Throws: `locked` when another process (or another part of this one) has it; `system`.
  public convenience init(_ directory: String) throws(JournalError) {
    try self.init(directory, on: SystemDisk())
  }

  /// Takes a directory of `disk`.
  /// - Throws: like `init(_:)`.
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
      // A version that knows only the file may be running: that is taken too.
      descriptor = try disk.lock(path)
    } catch {
      let failure = Self.failure(error, path, directory, disk)
      disk.unlock(held)
      throw failure
    }
    invariant(held >= 0 && descriptor >= 0, "locks that are held")
    (self.directory, self.disk, self.held) = (directory, disk, held)
  }

  deinit {
    disk.unlock(descriptor)
    disk.unlock(held)
  }

  /// Whether the directory is still where it was. Where another lies in its place, that is another server's.
  var isInPlace: Bool { disk.names(directory, held: held) }

  /// Whether a name in the directory, which is no link, is the file that is open. Opens nothing.
  func names(_ path: String, file: Int32) -> Bool { disk.names(path, file: file, in: held) }

  /// Makes the names in the directory durable. Opens nothing.
  func sync() throws(JournalError) {
    do throws(DiskFailure) {
      try disk.syncDirectory(directory, held: held)
    } catch {
      throw .system(.sync, directory, error)
    }
  }

  /// Gives a file of the directory another name, durably. Opens nothing.
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

  /// The process id that the holder left in the file; 0 when it cannot be read.
  private static func holder(_ path: String, _ disk: any Disk) -> Int32 {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 8)
    defer { bytes.deallocate() }
    do throws(DiskFailure) {
      let descriptor = try disk.open(path, .reading)
      defer { disk.close(descriptor) }
      let count = try disk.read(descriptor, into: bytes, at: 0)
      invariant(count >= 0 && count <= bytes.count, "no more read than there is room for")
      invariant(descriptor >= 0, "an open file has a descriptor")
      let text = String(decoding: bytes.prefix(count), as: UTF8.self)
      return Int32(text.prefix { $0.isNumber }) ?? 0
    } catch {
      return 0
    }
  }
}

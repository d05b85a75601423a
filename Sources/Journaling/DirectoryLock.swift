import Glibc
import MarketModel

/// Keeps a journal's directory for this process: two servers never write one journal. The kernel
/// lets go of it when the process ends, however it ends.
public final class DirectoryLock: Sendable {
  /// The directory.
  public let directory: String
  /// Where it is.
  package let disk: any Disk
  private let descriptor: Int32

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
    do throws(DiskFailure) {
      descriptor = try disk.lock(path)
    } catch {
      throw error.code == EWOULDBLOCK
        ? .locked(path: directory, holder: Self.holder(path, disk))
        : .system(.lock, path, error)
    }
    invariant(descriptor >= 0, "a lock that is held")
    (self.directory, self.disk) = (directory, disk)
  }

  deinit { disk.unlock(descriptor) }

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

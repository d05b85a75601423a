import Glibc
import MarketModel

/// An open segment, closed at deinitialisation. Owned by one thread.
struct SegmentFile: ~Copyable {
  private(set) var path: String
  /// Size in bytes when it was opened. Segments do not grow.
  let size: Int
  private let descriptor: Int32
  private let disk: any Disk

  /// Opens a segment.
  init(opening path: String, for access: DiskAccess, on disk: any Disk) throws(JournalError) {
    let descriptor: Int32
    let size: Int
    do throws(DiskFailure) {
      descriptor = try disk.open(path, access)
    } catch {
      throw .system(access == .creating ? .create : .open, path, error)
    }
    do throws(DiskFailure) {
      size = try disk.size(of: descriptor)
    } catch {
      disk.close(descriptor)
      throw .system(.open, path, error)
    }
    invariant(descriptor >= 0 && size >= 0, "an open file has a descriptor and a size")
    invariant(access != .creating || size == 0, "a new file is empty")
    (self.path, self.disk, self.descriptor, self.size) = (path, disk, descriptor, size)
  }

  deinit {
    disk.close(descriptor)
  }

  /// Creates a file of `bytes` zeros, written rather than preallocated so that later writes change
  /// no metadata, and syncs it. Then opens it for writing through the page cache, which the zeros
  /// bypassed.
  /// - Parameter rest: Called between the pieces, so that the disk can serve other requests.
  static func createZeroed(
    _ path: String, bytes: Int, on disk: any Disk, rest: () -> Void = {}
  ) throws(JournalError) -> SegmentFile {
    invariant(bytes > 0 && bytes % BlockHeader.alignment == 0, "a segment consists of whole blocks")
    let file = try SegmentFile(opening: path, for: .creating, on: disk)
    invariant(file.size == 0, "the file is empty before zeros are written")
    // The zeros are never read, and copying them into the cache would slow down the threads that
    // write commands.
    disk.bypassCache(file.descriptor)
    try file.zero(0..<bytes, pieces: zeroPiece, rest: rest)
    try file.sync()
    let opened = try SegmentFile(opening: path, for: .writing, on: disk)
    // The file must not have been replaced by another one in between.
    guard file.isNamed, opened.isNamed, opened.size == bytes else {
      throw .system(.open, path, DiskFailure(EEXIST))
    }
    return opened
  }

  /// Whether its name still refers to this file. Needs no descriptor.
  func isNamed(by lock: DirectoryLock) -> Bool { lock.names(path, file: descriptor) }

  /// Like `isNamed(by:)`, looked up by the path alone.
  var isNamed: Bool { disk.names(path, file: descriptor, in: nil) }

  /// Renames the prepared segment, which stays open.
  /// - Returns: `false` if another file took its place; that file then has the prepared name
  ///   again, and what is written here would be in no segment.
  mutating func name(
    first: SequenceNumber, by lock: DirectoryLock
  ) throws(JournalError) -> Bool {
    guard isNamed(by: lock) else { return false }
    let prepared = path
    do throws(JournalError) {
      path = try JournalDirectory.name(prepared: prepared, first: first, by: lock)
    } catch .system(.rename, _, _, ENOENT) {
      return false
    }
    if isNamed(by: lock) { return true }
    try lock.rename(path, to: prepared)
    path = prepared
    return false
  }

  /// Copies this file under its own name, which now belongs to another file or to none.
  /// - Parameter unnamed: Path of the copy until it is complete.
  /// - Returns: the copy, open for writing.
  func copied(through unnamed: String, by lock: DirectoryLock) throws(JournalError) -> SegmentFile {
    var copy = try SegmentFile(opening: unnamed, for: .creating, on: disk)
    let chunk = 1 << 20
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk, alignment: 4096)
    defer { bytes.deallocate() }
    var offset = 0
    while offset < size {
      let count = try read(
        into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<min(chunk, size - offset)]),
        at: offset)
      guard count > 0 else { throw .system(.read, path, DiskFailure(EIO), at: offset) }
      try copy.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: offset)
      offset += count
    }
    try copy.sync()
    try lock.rename(unnamed, to: path)
    copy.path = path
    return copy
  }

  /// Number of zeros written at once; a sync that comes in between waits about 0.1 ms for them.
  private static let zeroPiece = 128 << 10

  /// Disables read-ahead for this file, whose reader follows the writer.
  func disableReadAhead() { disk.disableReadAhead(descriptor) }

  /// Reads up to `bytes.count` bytes at `offset`.
  /// - Returns: the number of bytes read; fewer only at the end of the file.
  func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(JournalError) -> Int {
    precondition(offset >= 0, "the offset is not negative")
    var done = 0
    while done < bytes.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[done...])
      do throws(DiskFailure) {
        let count = try disk.read(descriptor, into: rest, at: offset + done)
        if count == 0 { break }
        invariant(count <= rest.count, "at most the requested bytes are read")
        done += count
      } catch {
        throw .system(.read, path, error, at: offset + done)
      }
    }
    invariant(done <= bytes.count, "a read fits into its buffer")
    return done
  }

  /// Writes all of `bytes` at `offset`. A failure is not retried.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(JournalError) {
    precondition(offset >= 0, "the offset is not negative")
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      do throws(DiskFailure) {
        let count = try disk.write(descriptor, rest, at: offset + done)
        guard count > 0 else { throw DiskFailure(EIO) }
        invariant(count <= rest.count, "at most the given bytes are written")
        done += count
      } catch {
        throw .system(.write, path, error, at: offset + done)
      }
    }
    invariant(done == bytes.count, "all bytes are written")
  }

  /// Makes what was written durable. A failure is not retried, because the kernel may have dropped
  /// the pages.
  func sync() throws(JournalError) {
    do throws(DiskFailure) {
      try disk.sync(descriptor)
    } catch {
      throw .system(.sync, path, error)
    }
  }

  /// Overwrites `range` with zeros, in pieces with pauses in between.
  func zero(
    _ range: Range<Int>, pieces: Int = 1 << 20, rest: () -> Void = {}
  ) throws(JournalError) {
    invariant(range.lowerBound >= 0, "the range is within the file")
    let chunk = min(pieces, range.count)
    let zeros = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk, alignment: 4096)
    defer { zeros.deallocate() }
    zeros.initializeMemory(as: UInt8.self, repeating: 0)
    var offset = range.lowerBound
    while offset < range.upperBound {
      let count = min(chunk, range.upperBound - offset)
      try write(UnsafeRawBufferPointer(rebasing: zeros[..<count]), at: offset)
      offset += count
      if offset < range.upperBound { rest() }
    }
    invariant(offset == range.upperBound, "the whole range is overwritten, no more")
  }
}

import Glibc
import MarketModel

/// An open segment. Closed when it goes out of scope. Owned by one thread.
struct SegmentFile: ~Copyable {
  private(set) var path: String
  /// Bytes in the file when it was opened. Segments do not grow.
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

  /// Creates a file of `bytes` zeros, written rather than promised (writes into it then need no
  /// change of the file's metadata), and synced; and opens it for what comes into it: through the cache, which
  /// the zeros went past.
  /// - Parameter rest: Called between the pieces, so that the disk can do something else.
  static func createZeroed(
    _ path: String, bytes: Int, on disk: any Disk, rest: () -> Void = {}
  ) throws(JournalError) -> SegmentFile {
    invariant(bytes > 0 && bytes % BlockHeader.alignment == 0, "a segment of whole blocks")
    let file = try SegmentFile(opening: path, for: .creating, on: disk)
    invariant(file.size == 0, "zeros from the first byte on")
    // Nobody reads the zeros, and copying them would take time from those who write commands.
    disk.bypassCache(file.descriptor)
    try file.zero(0..<bytes, pieces: zeroPiece, rest: rest)
    try file.sync()
    let opened = try SegmentFile(opening: path, for: .writing, on: disk)
    // Not a file that was put in the place of the zeros meanwhile.
    guard file.isNamed, opened.isNamed, opened.size == bytes else {
      throw .system(.open, path, DiskFailure(EEXIST))
    }
    return opened
  }

  /// Whether its name is still this file, and not another that was put in its place. Opens nothing.
  func isNamed(by lock: DirectoryLock) -> Bool { lock.names(path, file: descriptor) }

  /// The same by its path alone.
  var isNamed: Bool { disk.names(path, file: descriptor, in: nil) }

  /// Gives the prepared segment, which stays open, its name.
  /// - Returns: `false` when another file was put in its place, which has the prepared one's name again: what is
  ///   written here would lie in no segment.
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

  /// Writes all of this file anew under its own name, which another has by now, or none.
  /// - Parameter unnamed: Where it is written until it is whole.
  /// - Returns: the new file, open to write.
  func written(anew unnamed: String, by lock: DirectoryLock) throws(JournalError) -> SegmentFile {
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

  /// Zeros that are written at once: a sync that comes meanwhile waits for them, some 0.1 ms.
  private static let zeroPiece = 128 << 10

  /// Reads of this file ask for what was just written.
  func readOnlyWhatIsAsked() { disk.readOnlyWhatIsAsked(descriptor) }

  /// Reads up to `bytes.count` bytes at `offset`.
  /// - Returns: How many were read; fewer only at the end of the file.
  func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(JournalError) -> Int {
    precondition(offset >= 0, "a place in the file")
    var done = 0
    while done < bytes.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[done...])
      do throws(DiskFailure) {
        let count = try disk.read(descriptor, into: rest, at: offset + done)
        if count == 0 { break }
        invariant(count <= rest.count, "no more read than asked for")
        done += count
      } catch {
        throw .system(.read, path, error, at: offset + done)
      }
    }
    invariant(done <= bytes.count, "no more read than there is room for")
    return done
  }

  /// Writes all of `bytes` at `offset`. A failure is not retried.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(JournalError) {
    precondition(offset >= 0, "a place in the file")
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      do throws(DiskFailure) {
        let count = try disk.write(descriptor, rest, at: offset + done)
        guard count > 0 else { throw DiskFailure(EIO) }
        invariant(count <= rest.count, "no more written than given")
        done += count
      } catch {
        throw .system(.write, path, error, at: offset + done)
      }
    }
    invariant(done == bytes.count, "all of it was written")
  }

  /// Makes what was written durable. A failure is not retried: the kernel may have dropped the pages.
  func sync() throws(JournalError) {
    do throws(DiskFailure) {
      try disk.sync(descriptor)
    } catch {
      throw .system(.sync, path, error)
    }
  }

  /// Writes zeros over `range`, so many at a time, and rests in between.
  func zero(
    _ range: Range<Int>, pieces: Int = 1 << 20, rest: () -> Void = {}
  ) throws(JournalError) {
    invariant(range.lowerBound >= 0, "zeros within the file")
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
    invariant(offset == range.upperBound, "zeros up to the end, not beyond")
  }
}

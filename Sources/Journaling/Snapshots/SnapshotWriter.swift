import Glibc
import MarketModel

/// Writes a snapshot piece by piece. The file gets its name only when it is complete and durable.
/// Owned by one thread.
public final class SnapshotWriter: StateSink {
  /// Number of bytes after which the file is synced, so that a disk shared with the journal never
  /// has to write hundreds of megabytes at once while a commit waits.
  private static let syncInterval = 8 << 20

  private let directory: String
  private let disk: any Disk
  private let sequence: SequenceNumber
  private let file: SegmentFile
  /// The present piece, after space for its header.
  private let buffer: UnsafeMutableRawBufferPointer
  private var used = 0
  private var pieces: UInt32 = 0
  private var offset = SnapshotHeader.body
  private var synced = SnapshotHeader.body
  private var failure: JournalError?

  /// Starts a snapshot of the state after the command `sequence`, which is durable.
  /// - Parameter refused: The refused commands; those up to `sequence` are written with the
  ///   state.
  /// - Throws: `system` if the file cannot be created.
  public init(
    _ directory: String, sequence: SequenceNumber, without refused: [RefusedCommand] = [],
    disk: any Disk = SystemDisk()
  ) throws(JournalError) {
    precondition(sequence > .none, "a snapshot contains at least one command")
    (self.directory, self.disk, self.sequence) = (directory, disk, sequence)
    file = try SegmentFile(
      opening: JournalDirectory.unnamedSnapshot(directory), for: .creating, on: disk)
    buffer = .allocate(byteCount: SnapshotPiece.size + SnapshotPiece.longest, alignment: 4096)
    invariant(file.size == 0, "a snapshot is written from its first byte on")
    let list = refused.filter { $0.sequence <= sequence }
    let text = list.isEmpty ? [] : Array(RefusedCommands.text(of: list).utf8)
    put(UInt32(text.count))
    text.withUnsafeBytes { write($0) }
  }

  deinit { buffer.deallocate() }

  /// Writes the next bytes of the state.
  public func write(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes
    while !rest.isEmpty, failure == nil {
      let count = min(rest.count, SnapshotPiece.longest - used)
      invariant(count > 0, "a full piece is written before the next byte")
      let start = SnapshotPiece.size + used
      UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + count])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
      used += count
      invariant(used <= SnapshotPiece.longest, "a piece is within its buffer")
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      if used == SnapshotPiece.longest { flush() }
    }
  }

  /// Completes the snapshot and makes it durable under its name.
  /// - Throws: `system`, the first error since the beginning. No snapshot exists then, at most
  ///   the unnamed file, which `abandon` removes.
  public func finish(_ header: SnapshotHeader) throws(JournalError) {
    precondition(header.sequence == sequence, "the header belongs to this snapshot")
    flush()
    if let failure { throw failure }
    invariant(used == 0 && pieces > 0, "every byte of the state is in a piece")
    invariant(
      offset > SnapshotHeader.body + Int(pieces - 1) * (SnapshotPiece.size + SnapshotPiece.longest),
      "all pieces but the last are full")
    var header = header
    header.pieces = pieces
    let head = UnsafeMutableRawBufferPointer(rebasing: buffer[..<SnapshotHeader.body])
    head.initializeMemory(as: UInt8.self, repeating: 0)
    if let base = head.baseAddress { header.write(to: base) }
    try file.write(UnsafeRawBufferPointer(head), at: 0)
    try file.sync()
    let path = JournalDirectory.unnamedSnapshot(directory)
    // If another file took its place, the snapshot has failed.
    guard file.isNamed else { throw .system(.rename, path, DiskFailure(EEXIST)) }
    do throws(DiskFailure) {
      try disk.rename(path, to: JournalDirectory.snapshotPath(directory, sequence))
    } catch {
      throw .system(.rename, path, error)
    }
    try JournalDirectory.sync(directory, on: disk)
  }

  /// Removes the unnamed file. If that fails, the next snapshot overwrites it.
  /// - Returns: whether it is removed.
  @discardableResult public func abandon() -> Bool {
    do throws(DiskFailure) {
      try disk.remove(JournalDirectory.unnamedSnapshot(directory))
      return true
    } catch {
      return false
    }
  }

  private func flush() {
    guard used > 0, failure == nil, let base = buffer.baseAddress else { return }
    invariant(offset >= SnapshotHeader.body && synced <= offset, "pieces follow the header")
    invariant(used <= SnapshotPiece.longest, "a piece has a length that can be read")
    let start = SnapshotPiece.size
    let bytes = UnsafeRawBufferPointer(rebasing: buffer[start..<start + used])
    SnapshotPiece(
      sequence: sequence, number: pieces, length: UInt32(used),
      checksum: CRC32C.checksum(bytes)
    ).write(to: base)
    do throws(JournalError) {
      try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<(start + used)]), at: offset)
      offset += start + used
      if offset - synced >= Self.syncInterval {
        try file.sync()
        synced = offset
      }
    } catch {
      failure = error
    }
    pieces += 1
    used = 0
  }
}

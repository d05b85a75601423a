import Glibc
import MarketModel

/// Reads a snapshot; each piece is verified before any of its bytes is returned. Owned by one
/// thread.
public final class SnapshotReader: StateSource {
  /// The header.
  public let header: SnapshotHeader
  /// The refused commands up to the snapshot; `nil` if its version does not contain them.
  public private(set) var refused: [RefusedCommand]?
  /// The error after which nothing more can be read; `nil` if there is none so far.
  public private(set) var failure: JournalError?

  private let file: SegmentFile
  private let buffer: UnsafeMutableRawBufferPointer
  /// The unread range of the present piece.
  private var rest = 0..<0
  private var pieces: UInt32 = 0
  private var offset = SnapshotHeader.body

  /// Opens the snapshot at `path`.
  /// - Throws: `system` if it cannot be read, `badSnapshot` if it is damaged or not a snapshot.
  public init(_ path: String, disk: any Disk = SystemDisk()) throws(JournalError) {
    let file = try SegmentFile(opening: path, for: .reading, on: disk)
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: SnapshotPiece.longest, alignment: 4096)
    let count: Int
    do throws(JournalError) {
      count = try file.read(
        into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<SnapshotHeader.size]), at: 0)
    } catch {
      buffer.deallocate()
      throw error
    }
    guard let header = SnapshotHeader(reading: UnsafeRawBufferPointer(rebasing: buffer[..<count])),
      path.hasSuffix(JournalDirectory.snapshotPath("", header.sequence))
    else {
      buffer.deallocate()
      throw .badSnapshot(path: path, "its header is damaged")
    }
    (self.buffer, self.header) = (buffer, header)
    self.file = file
    invariant(header.sequence > .none, "a snapshot contains at least one command")
    invariant(buffer.count >= SnapshotHeader.size && rest.isEmpty, "no piece is read yet")
    if header.version > 1 { refused = readRefused() }
  }

  deinit { buffer.deallocate() }

  /// Whether everything read so far was valid.
  public var isWhole: Bool { failure == nil }

  /// Reads the next bytes; returns zeros after a `failure`.
  public func read(into bytes: UnsafeMutableRawBufferPointer) {
    var target = bytes
    while !target.isEmpty {
      if rest.isEmpty { nextPiece() }
      guard failure == nil else {
        target.initializeMemory(as: UInt8.self, repeating: 0)
        return
      }
      let count = min(rest.count, target.count)
      invariant(count > 0 && rest.upperBound <= buffer.count, "a piece is within its buffer")
      UnsafeMutableRawBufferPointer(rebasing: target[..<count]).copyMemory(
        from: UnsafeRawBufferPointer(
          rebasing: buffer[rest.lowerBound..<rest.lowerBound + count]))
      rest = rest.lowerBound + count..<rest.upperBound
      target = UnsafeMutableRawBufferPointer(rebasing: target[count...])
    }
  }

  private func readRefused() -> [RefusedCommand]? {
    let length = Int(get(UInt32.self))
    guard isWhole, length <= RefusedCommands.longestFile else {
      reject("it does not begin with a list of refused commands")
      return nil
    }
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: max(length, 1), alignment: 8)
    defer { bytes.deallocate() }
    read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<length]))
    if length == 0 || !isWhole { return [] }
    guard let list = RefusedCommands.list(Array(bytes[..<length])) else {
      reject("its list of refused commands is damaged")
      return nil
    }
    return list
  }

  /// Rejects the content: a value that was read is impossible.
  public func reject(_ what: String) {
    failure = failure ?? .badSnapshot(path: file.path, what)
    invariant(!isWhole, "a rejected snapshot is not valid")
  }

  /// Checks that everything was read.
  /// - Throws: the first error since the beginning.
  public func finish() throws(JournalError) {
    if failure == nil, !rest.isEmpty || pieces != header.pieces || offset != file.size {
      reject("bytes follow its last piece")
    }
    if let failure { throw failure }
    invariant(pieces == header.pieces && rest.isEmpty, "every piece was returned")
    invariant(offset == file.size, "every byte of the file was read")
  }

  /// Reads and verifies the rest without interpreting it.
  /// - Throws: the defect.
  public func verify() throws(JournalError) {
    while failure == nil, pieces < header.pieces { nextPiece() }
    rest = 0..<0
    try finish()
    invariant(isWhole, "a verified snapshot is valid")
  }

  private func nextPiece() {
    guard failure == nil else { return }
    invariant(offset >= SnapshotHeader.body && pieces <= header.pieces, "pieces follow the header")
    guard pieces < header.pieces else { return reject("it ends too early") }
    do throws(JournalError) {
      let head = UnsafeMutableRawBufferPointer(rebasing: buffer[..<SnapshotPiece.size])
      let count = try file.read(into: head, at: offset)
      guard
        let piece = SnapshotPiece(reading: UnsafeRawBufferPointer(rebasing: head[..<count])),
        piece.sequence == header.sequence, piece.number == pieces
      else { return reject("piece \(pieces) is damaged") }
      let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(piece.length)])
      let length = try file.read(into: bytes, at: offset + SnapshotPiece.size)
      guard length == bytes.count, CRC32C.checksum(UnsafeRawBufferPointer(bytes)) == piece.checksum
      else { return reject("piece \(pieces) is damaged") }
      invariant(length > 0 && length <= buffer.count, "a piece is within its buffer")
      rest = 0..<length
      offset += SnapshotPiece.size + length
      pieces += 1
      invariant(offset <= file.size, "a piece is within its file")
    } catch {
      failure = error
    }
  }
}

// Reads blocks through a window on the segment:
//
//   segment   | block | block | block | block |  ...                          | zeros
//                     '------- window --------'
//                       ^ offset              ^ end of the last read
//
// While a server writes, a block may be incomplete. Every read of the window therefore records the
// durable sequence number known before the read, and a block that starts beyond it is read again.
// Nothing is read that cannot be durable yet: written blocks are in the page cache, but the zeros
// after them would have to be fetched from the disk, while the writer waits for it.

import Glibc
import MarketModel

/// How thoroughly a reader checks blocks.
public enum Verification: Sendable, Hashable {
  /// Checksums and order only; for a reader in the writer's process.
  case checksums
  /// Also that each block contains the hash of the previous one.
  case hashes
}

/// Reads a journal block by block, from files that may still be written. Owned by one thread.
public struct BlockReader: ~Copyable {
  /// What the next block must connect to.
  public private(set) var chain: BlockChain
  /// Path of the segment being read; `nil` before the first and between two.
  public private(set) var path: String?
  /// Offset of the next block in that segment.
  public private(set) var offset = 0

  private let directory: String
  private let verification: Verification
  private let disk: any Disk
  private var file: SegmentFile?
  private var size = 0
  private let window: UnsafeMutableRawBufferPointer
  private var windowStart = 0
  private var windowCount = 0
  /// Blocks that start at or before this were complete when the window was read.
  private var windowBound = SequenceNumber.none
  private var readAhead = 64 * 1024

  private static let largestWindow = 1 << 20
  private static let smallestReadAhead = 16 * 1024

  /// Starts with the segment that contains `sequence`.
  /// - Throws: `tooEarly` if the journal starts later; `system` if it cannot be listed.
  public init(
    directory: String, from sequence: SequenceNumber = SequenceNumber(1),
    verification: Verification = .hashes, disk: any Disk = SystemDisk()
  ) throws(JournalError) {
    let segments = try JournalDirectory.segments(directory, on: disk)
    if let oldest = segments.first?.first, sequence < oldest {
      throw .tooEarly(path: directory, asked: sequence, oldest: oldest)
    }
    let begin = segments.last { $0.first <= sequence }?.first ?? SequenceNumber(1)
    invariant(
      begin <= max(sequence, SequenceNumber(1)),
      "the segment starts at or before the requested command")
    self.directory = directory
    self.verification = verification
    self.disk = disk
    chain = BlockChain(next: begin)
    window = .allocate(byteCount: Self.largestWindow, alignment: BlockHeader.alignment)
  }

  deinit {
    window.deallocate()
  }

  /// The next block.
  /// - Parameter bound: A durable sequence number; blocks that start beyond it are not read.
  ///   Needed while a server writes. `nil` reads to the end of a journal that no process writes.
  /// - Returns: `nil` at the bound or the end; call again when more is durable.
  /// - Throws: `corrupt` for a damaged block, including a torn tail, and if the journal ends
  ///   before the bound; `system` if a file cannot be read. The position does not change.
  public mutating func next(
    through bound: SequenceNumber? = nil
  ) throws(JournalError) -> Block? {
    let limit = bound ?? SequenceNumber(.max)
    while chain.next <= limit {
      guard try openSegment(mustExist: bound != nil) else { return nil }
      if offset > 0, offset == size {
        file = nil
        path = nil
        offset = 0
        continue
      }
      invariant(path != nil && offset <= size, "the offset is within the open segment")
      let start = try fill(BlockHeader.size, limit: limit)
      let header: BlockHeader
      do throws(BlockDefect) {
        header = try BlockHeader(reading: start)
      } catch {
        if bound == nil, Zeros.fill(start) { return nil }
        throw corrupt(error)
      }
      let bytes = try fill(header.blockBytes, limit: limit)
      do throws(BlockDefect) {
        return try pass(header, bytes)
      } catch {
        throw corrupt(error)
      }
    }
    return nil
  }

  /// Verifies the block in `bytes` and moves after it.
  private mutating func pass(
    _ header: BlockHeader, _ bytes: UnsafeRawBufferPointer
  ) throws(BlockDefect) -> Block {
    guard bytes.count == header.blockBytes else { throw .cutOff }
    invariant(offset % BlockHeader.alignment == 0, "blocks begin on pages")
    let content = BlockHeader.size + Int(header.length)
    invariant(content <= bytes.count, "a payload is within its block")
    let payload = UnsafeRawBufferPointer(rebasing: bytes[BlockHeader.size..<content])
    guard CRC32C.checksum(payload) == header.payloadChecksum else { throw .payloadChecksum }
    guard Zeros.fill(UnsafeRawBufferPointer(rebasing: bytes[content...])) else {
      throw .paddingNotZero
    }
    try chain.check(header, hashes: verification == .hashes)
    let hash =
      verification == .hashes
      ? BlockHash(of: UnsafeRawBufferPointer(rebasing: bytes[..<content])) : nil
    let block = Block(
      header: header, payload: payload, path: path ?? directory, offset: offset, hash: hash)
    chain.pass(header, hash: hash)
    offset += header.blockBytes
    invariant(
      (hash != nil) == (verification == .hashes),
      "a hash is computed exactly if hashes are verified")
    return block
  }

  /// Opens the segment that starts with the next block, unless one is open.
  /// - Returns: `false` if it does not exist and need not.
  private mutating func openSegment(mustExist: Bool) throws(JournalError) -> Bool {
    if file != nil { return true }
    invariant(path == nil && offset == 0, "no segment is open when one is opened")
    let path = JournalDirectory.segmentPath(directory, first: chain.next)
    do throws(JournalError) {
      let opened = try SegmentFile(opening: path, for: .reading, on: disk)
      if mustExist { opened.disableReadAhead() }
      (self.path, size) = (path, opened.size)
      file = consume opened
    } catch .system(.open, _, _, ENOENT) {
      guard mustExist else { return false }
      throw .corrupt(path: path, offset: 0, expected: chain.next, .missing)
    }
    (offset, windowStart, windowCount) = (0, 0, 0)
    invariant(file != nil && size >= 0, "an open segment has a size")
    return true
  }

  /// At most `count` bytes from `offset` on; fewer only at the end of the file. Reads if the window
  /// does not contain them, or contains them as they were before they were durable.
  private mutating func fill(
    _ count: Int, limit: SequenceNumber
  ) throws(JournalError) -> UnsafeRawBufferPointer {
    invariant(count > 0 && count <= window.count, "the window can contain any block")
    let known = offset >= windowStart && offset + count <= windowStart + windowCount
    if !known || windowBound < chain.next {
      // Long reads while catching up, short ones when following a writer of small blocks.
      readAhead =
        windowBound < chain.next
        ? max(Self.smallestReadAhead, readAhead / 2) : min(Self.largestWindow, readAhead * 2)
      let length = max(count, min(readAhead, written(through: limit)))
      invariant(length <= window.count, "a read fits into the window")
      let target = UnsafeMutableRawBufferPointer(rebasing: window[..<length])
      // A failed read may have overwritten the window, so the window is invalid.
      windowCount = 0
      windowCount = try file?.read(into: target, at: offset) ?? 0
      (windowStart, windowBound) = (offset, limit)
    }
    let start = offset - windowStart
    let end = min(start + count, windowCount)
    invariant(
      start <= end && windowBound >= chain.next, "the bytes were durable when they were read")
    invariant(end - start <= count, "at most the requested bytes are returned")
    invariant(start >= 0 && windowCount <= window.count, "the window contains the bytes")
    return UnsafeRawBufferPointer(rebasing: window[start..<end])
  }

  /// Lower bound of the number of bytes from `offset` on that belong to blocks if everything up to
  /// `limit` is durable: whole pages, and the shortest record per command.
  private func written(through limit: SequenceNumber) -> Int {
    invariant(chain.next <= limit, "durable commands remain to be read")
    let commands = Int(min(limit.rawValue - chain.next.rawValue, UInt64(window.count))) + 1
    let shortest = BlockHeader.size + commands * CommandCodec.headerLength
    return (shortest + BlockHeader.alignment - 1) & ~(BlockHeader.alignment - 1)
  }

  private func corrupt(_ defect: BlockDefect) -> JournalError {
    .corrupt(path: path ?? directory, offset: offset, expected: chain.next, defect)
  }
}

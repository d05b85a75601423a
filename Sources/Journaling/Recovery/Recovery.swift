// Recovery reads every block and stops at the first invalid one.
//
//   | block | block | block | 0 0 0 0 0 0 0 0 |   clean end: append here
//   | block | block | bl#ck | 0 0 0 0 0 0 0 0 |   torn tail: the last write was incomplete. No
//                           '- no valid block     valid block follows, so its commands were never
//                              follows            acknowledged: zeroed, reported, append here
//   | block | bl#ck | block | 0 0 0 0 0 0 0 0 |   corruption: a block is written only after the one
//                                                 before it was synced. Refused
//   | block | bl#ck |   + a later segment         corruption, for the same reason
//
// The writer has one write in flight and syncs it before the next, so only the very last write can
// be torn. A last block that was acknowledged and damaged later looks equal; after an orderly end
// the seal distinguishes the two, because it contains the committed sequence number.

import Glibc
import MarketModel

/// Where and how a journal ended.
public struct RecoveredJournal: Sendable, Equatable {
  /// The last write of the previous run, incomplete because of a crash.
  public struct TornTail: Sendable, Equatable {
    /// Path of the segment.
    public let path: String
    /// Offset of the torn block.
    public let offset: Int
    /// Number of bytes from there to the last non-zero byte.
    public let bytes: Int
    /// The defect of the block.
    public let defect: BlockDefect
    /// CRC-32C of those bytes, to compare two readings of them.
    let checksum: UInt32
  }

  /// Path of the journal's directory.
  public let directory: String
  /// What the next block must connect to: sequence number, hash, epoch, time.
  public let chain: BlockChain
  /// Path of the segment to append to; `nil` if a new one is needed.
  public let segmentPath: String?
  /// Offset in the segment at which to append.
  public let appendOffset: Int
  /// Number of blocks read, including seals.
  public let blocks: Int
  /// Whether the last block is a seal: the previous server closed its journal in order.
  public let isSealed: Bool
  /// The torn tail that was cut off; `nil` if the journal had a clean end.
  public let tornTail: TornTail?
  /// Commands that are refused and not applied.
  public let refused: RefusedCommands
  /// Position of the last valid block.
  let lastBlock: BlockPosition?

  /// Sequence number of the last command; `.none` in an empty journal.
  public var lastSequence: SequenceNumber { chain.last }
  /// Time of the last command.
  public var lastTime: Timestamp { chain.time }
}

/// Finds the end of a journal. Stateless; one thread.
public enum Recovery {
  /// Verifies the journal, cuts off a torn tail and makes everything that remains durable.
  /// - Parameters:
  ///   - lock: Proves that no other process writes the journal.
  ///   - shard: The shard that the journal must belong to.
  ///   - snapshot: Last command of the snapshot that recovery starts from: earlier segments are
  ///     not read, and the journal must reach this command.
  /// - Throws: `corrupt` if the journal is damaged other than by a torn last write, or ends
  ///   before any snapshot, without changing anything; `system` if a file cannot be read or
  ///   written.
  public static func recover(
    _ lock: DirectoryLock, shard: UInt32 = 0, after snapshot: SequenceNumber = .none
  ) throws(JournalError) -> RecoveredJournal {
    let disk = lock.disk
    let found = try examine(lock.directory, shard: shard, after: snapshot, disk: disk)
    if let torn = found.tornTail {
      // A second reading: a transient read error must not cause valid data to be cut off.
      let again = try examine(lock.directory, shard: shard, after: snapshot, disk: disk)
      guard again == found else {
        throw .system(.read, path: torn.path, offset: torn.offset, code: EIO)
      }
    }
    try compareWithNames(found, on: disk)
    invariant(
      found.appendOffset % BlockHeader.alignment == 0, "the journal ends at a block boundary")
    invariant(found.lastSequence >= snapshot, "the journal reaches its snapshot")
    invariant(
      (found.lastBlock == nil) == (found.blocks == 0),
      "a last block exists exactly if blocks were read")
    if let block = found.lastBlock { try secure(block, on: disk) }
    if let path = found.segmentPath {
      let file = try SegmentFile(opening: path, for: .writing, on: disk)
      let whole = (file.size + BlockHeader.alignment - 1) & ~(BlockHeader.alignment - 1)
      if let torn = found.tornTail {
        invariant(torn.offset == found.appendOffset, "only bytes after the last block are cut off")
        invariant(torn.path == path, "only the last segment is truncated")
        try file.zero(torn.offset..<max(torn.offset + torn.bytes, file.size == whole ? 0 : whole))
      } else if file.size < whole {
        try file.zero(file.size..<whole)
      }
      try file.sync()
      try JournalDirectory.sync(lock.directory, on: disk)
    }
    return found
  }

  /// A snapshot contains only durable commands. Even one that cannot be read at the moment shows by
  /// its name how far the journal reached. A journal that ends before it has lost its end and is
  /// not torn.
  private static func compareWithNames(
    _ found: RecoveredJournal, on disk: any Disk
  ) throws(JournalError) {
    let newest = try Snapshots.list(found.directory, disk: disk).first?.sequence ?? .none
    guard found.lastSequence < newest else { return }
    invariant(found.chain.next <= newest, "the next command of the journal is in the snapshot")
    throw .corrupt(
      path: found.segmentPath ?? found.directory, offset: found.appendOffset,
      expected: found.chain.next, .endsBefore(newest))
  }

  /// Writes and syncs the last block once more, because it counts as durable from now on. A killed
  /// server may not have synced it. After a failed sync, the kernel treats the pages as written:
  /// they can still be read but would be lost in a power failure, and only writing them again makes
  /// them durable. Earlier blocks were synced before this one was written.
  private static func secure(_ block: BlockPosition, on disk: any Disk) throws(JournalError) {
    invariant(block.content <= block.bytes, "a payload is within its block")
    invariant(block.bytes % BlockHeader.alignment == 0, "a block consists of whole pages")
    invariant(block.hash != nil, "a block that is written again was verified")
    let file = try SegmentFile(opening: block.path, for: .writing, on: disk)
    let bytes = UnsafeMutableRawBufferPointer.allocate(
      byteCount: block.bytes, alignment: BlockHeader.alignment)
    defer { bytes.deallocate() }
    let count = try file.read(into: bytes, at: block.offset)
    // The second reading may differ; then it must not be written.
    guard count == block.bytes,
      BlockHash(of: UnsafeRawBufferPointer(rebasing: bytes[..<block.content])) == block.hash,
      Zeros.fill(UnsafeRawBufferPointer(rebasing: bytes[block.content...]))
    else { throw .system(.read, path: block.path, offset: block.offset, code: EIO) }
    try file.write(UnsafeRawBufferPointer(bytes), at: block.offset)
    try file.sync()
  }

  /// Like `examine`, beside a server that may be writing: the journal then ends with the last block
  /// that was complete when it was read.
  public static func survey(
    _ directory: String, progress: (Int, Int) -> Void = { _, _ in }
  ) throws(JournalError) -> RecoveredJournal {
    // A transient read error must not be mistaken for a block being written.
    for _ in 0..<2 {
      do throws(JournalError) {
        return try examine(directory, progress: progress)
      } catch .system(.read, _, _, EIO) {
        continue
      } catch .corrupt {
        continue
      }
    }
    return try examine(directory, isWritten: true, progress: progress)
  }

  /// Verifies the whole journal without changing it. Not beside a server that writes it, unless
  /// `isWritten`.
  /// - Parameters:
  ///   - directory: Path of the journal's directory.
  ///   - shard: The shard it must belong to; `nil` accepts any.
  ///   - snapshot: Starts with the segment that contains this command; `.none` starts with the
  ///     oldest.
  ///   - isWritten: A server may be writing: a block that is complete now, where none was found
  ///     before, is not damage. What follows it is not read.
  ///   - progress: Receives the number of segments read and the number of all segments.
  /// - Throws: as `recover`; `badRefusals` if a refused command differs from the journal's or a
  ///   snapshot's.
  public static func examine(
    _ directory: String, shard: UInt32? = nil, after snapshot: SequenceNumber = .none,
    isWritten: Bool = false, disk: any Disk = SystemDisk(),
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws(JournalError) -> RecoveredJournal {
    let segments = try JournalDirectory.segments(directory, on: disk)
    let refused = try RefusedCommands(in: directory, disk: disk)
    for snapshot in try Snapshots.refusals(directory, disk: disk) {
      try refused.check(against: snapshot)
    }
    let oldest = segments.first?.first ?? SequenceNumber(1)
    // The block with the snapshot's last command is read too, because the next one contains its
    // hash.
    let begin = snapshot == .none ? oldest : snapshot
    var reader = try BlockReader(directory: directory, from: begin, disk: disk)
    var (blocks, isSealed) = (0, false)
    var lastBlock: BlockPosition?
    var failure: BlockDefect?
    do throws(JournalError) {
      while let block = try reader.next() {
        if let shard, block.header.shard != shard {
          throw .corrupt(
            path: block.path, offset: block.offset, expected: block.header.firstSequence,
            .foreignShard(block.header.shard))
        }
        try refused.check(block)
        blocks += 1
        if block.offset == 0 {
          let done = segments.count { $0.first < block.header.firstSequence }
          progress(done, segments.count)
        }
        isSealed = block.header.count == 0
        lastBlock = BlockPosition(block)
      }
    } catch .corrupt(let path, let offset, let expected, let defect) {
      guard defect.canBeTorn else {
        throw .corrupt(path: path, offset: offset, expected: expected, defect)
      }
      failure = defect
    }
    invariant(blocks == 0 || lastBlock != nil, "a last block exists exactly if blocks were read")
    invariant(
      reader.offset % BlockHeader.alignment == 0, "the next block begins at a block boundary")
    invariant(
      lastBlock == nil || reader.path == nil || lastBlock?.path != reader.path
        || (lastBlock.map { $0.offset + $0.bytes } ?? 0) == reader.offset,
      "the reader is after the last block")
    let hasGrown =
      isWritten ? try Rest.hasBlock(reader.chain, reader.path, reader.offset, disk) : false
    let tail =
      hasGrown
      ? nil : try tail(of: reader.chain, reader.path, reader.offset, failure, segments, disk)
    guard reader.chain.last >= snapshot else {
      throw .corrupt(
        path: reader.path ?? directory, offset: reader.offset, expected: reader.chain.next,
        failure ?? .endsBefore(snapshot))
    }
    try refused.check(endingWith: reader.chain.last)
    return RecoveredJournal(
      directory: directory, chain: reader.chain, segmentPath: reader.path,
      appendOffset: reader.offset, blocks: blocks, isSealed: isSealed, tornTail: tail,
      refused: refused, lastBlock: lastBlock)
  }

  /// Classifies what follows the last valid block.
  private static func tail(
    of chain: BlockChain, _ path: String?, _ offset: Int, _ failure: BlockDefect?,
    _ segments: [JournalDirectory.Segment], _ disk: any Disk
  ) throws(JournalError) -> RecoveredJournal.TornTail? {
    if let later = segments.last, later.first > chain.next {
      throw .corrupt(
        path: path ?? later.path, offset: offset, expected: chain.next,
        failure ?? .followedBy(later.first))
    }
    guard let path else { return nil }
    invariant(chain.next > .none && offset >= 0, "the tail is after the last block")
    let rest = try Rest(of: path, from: offset, on: disk)
    if let found = rest.block {
      throw .corrupt(
        path: path, offset: offset, expected: chain.next, failure ?? .followedBy(found))
    }
    let bytes = rest.bytes
    invariant(offset % BlockHeader.alignment == 0, "a tail begins at a block boundary")
    guard failure != nil || bytes > 0 else { return nil }
    return RecoveredJournal.TornTail(
      path: path, offset: offset, bytes: bytes, defect: failure ?? .notABlock,
      checksum: rest.checksum)
  }
}

/// Position and identity of a block.
struct BlockPosition: Sendable, Equatable {
  let path: String
  let offset: Int
  /// Length with padding, and without.
  let bytes, content: Int
  let hash: BlockHash?

  init(_ block: Block) {
    (path, offset, hash) = (block.path, block.offset, block.hash)
    bytes = block.header.blockBytes
    content = BlockHeader.size + Int(block.header.length)
    invariant(
      content <= bytes && bytes - content < BlockHeader.alignment,
      "the padding is shorter than a page")
    invariant(offset % BlockHeader.alignment == 0, "a block begins on a page")
  }
}

/// The content of a segment after its last valid block.
private struct Rest {
  /// First sequence number of a valid block at any later position; `nil` if there is none.
  private(set) var block: SequenceNumber?
  /// Number of bytes up to the last non-zero one.
  private(set) var bytes = 0
  /// CRC-32C over the chunks' checksums, up to there.
  private(set) var checksum: UInt32 = 0

  init(of path: String, from start: Int, on disk: any Disk) throws(JournalError) {
    let file = try SegmentFile(opening: path, for: .reading, on: disk)
    let chunk = 1 << 20
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk, alignment: 4096)
    defer { memory.deallocate() }
    var offset = start
    while offset < file.size {
      let count = try file.read(into: memory, at: offset)
      if count == 0 { break }
      let read = UnsafeRawBufferPointer(rebasing: memory[..<count])
      let used = Zeros.lengthWithout(trailing: read)
      if used > 0 {
        bytes = offset + used - start
        invariant(bytes > 0 && used <= count, "used bytes are within the chunk")
        add(CRC32C.checksum(UnsafeRawBufferPointer(rebasing: read[..<used])))
        try findBlocks(read, at: offset, after: start, in: file)
      }
      offset += count
    }
    invariant(bytes <= max(0, file.size - start), "the tail is within its segment")
  }

  /// Whether a valid block that follows `chain` is at `offset`.
  static func hasBlock(
    _ chain: BlockChain, _ path: String?, _ offset: Int, _ disk: any Disk
  ) throws(JournalError) -> Bool {
    guard let path else { return false }
    let file = try SegmentFile(opening: path, for: .reading, on: disk)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: BlockHeader.size, alignment: 8)
    defer { memory.deallocate() }
    guard try file.read(into: memory, at: offset) == memory.count else { return false }
    let header: BlockHeader
    do throws(BlockDefect) {
      header = try BlockHeader(reading: UnsafeRawBufferPointer(memory))
      try chain.check(header, hashes: true)
    } catch {
      return false
    }
    return try isWhole(header, at: offset, in: file, padded: true)
  }

  private mutating func add(_ chunk: UInt32) {
    let both = [checksum, chunk]
    checksum = both.withUnsafeBytes { CRC32C.checksum($0) }
  }

  /// Looks for valid blocks at every position where one could start.
  private mutating func findBlocks(
    _ bytes: UnsafeRawBufferPointer, at offset: Int, after start: Int,
    in file: borrowing SegmentFile
  ) throws(JournalError) {
    var position = 0
    while position + BlockHeader.size <= bytes.count, block == nil {
      defer { position += BlockHeader.alignment }
      let isFirst = offset + position == start
      invariant(
        (offset + position - start) % BlockHeader.alignment == 0,
        "blocks are searched at block boundaries")
      let header: BlockHeader
      do throws(BlockDefect) {
        header = try BlockHeader(reading: UnsafeRawBufferPointer(rebasing: bytes[position...]))
      } catch {
        continue
      }
      guard try Self.isWhole(header, at: offset + position, in: file, padded: isFirst) else {
        continue
      }
      // A block that is valid now but was invalid before: a transient read error, so nothing may be
      // cut off.
      if isFirst {
        throw .system(.read, path: file.path, offset: start, code: EIO)
      }
      block = header.firstSequence
    }
  }

  private static func isWhole(
    _ header: BlockHeader, at offset: Int, in file: borrowing SegmentFile, padded: Bool
  ) throws(JournalError) -> Bool {
    let rest = UnsafeMutableRawBufferPointer.allocate(
      byteCount: header.blockBytes - BlockHeader.size, alignment: 8)
    defer { rest.deallocate() }
    let count = try file.read(into: rest, at: offset + BlockHeader.size)
    invariant(count <= rest.count, "a read fits into its buffer")
    invariant(Int(header.length) <= rest.count, "a payload is within its block")
    let payload = UnsafeRawBufferPointer(rebasing: rest[..<Int(header.length)])
    let padding = UnsafeRawBufferPointer(rebasing: rest[Int(header.length)...])
    return count == rest.count && CRC32C.checksum(payload) == header.payloadChecksum
      && (!padded || Zeros.fill(padding))
  }
}

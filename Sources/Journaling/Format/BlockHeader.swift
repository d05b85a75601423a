// A block is what one write and one sync make durable. It starts at a multiple of 4096 and has at
// most 256 KiB: a header, the records of its commands, and zeros up to the next multiple of 4096.
//
//   offset  size  field             check made on reading
//        0     8  magic             "JOULEBLK"
//        8     2  version           1
//       10     2  header length     128
//       12     4  shard             the journal's
//       16     8  epoch             not below that of the previous block: counts the server's runs
//       24     8  first sequence    the one after the previous block
//       32     4  count             commands in the payload; 0 only in a seal, written on closing
//       36     4  length            bytes of payload, at most 262016; a multiple of 8
//       40     8  time              of the last command; not below that of the previous block
//       48     8  committed         sequence known durable when this was written: below first
//       56    32  previous          SHA-256 of the previous block (header, payload); zeros at first
//       88     4  payload CRC-32C   of the payload's bytes
//       92    32  reserved          zero
//      124     4  header CRC-32C    of bytes 0 to 123
//      128     -  payload           records as drawn in CommandCodec.swift
//        -     -  padding           zero, to the next multiple of 4096

import MarketModel

/// The first 128 bytes of a block.
public struct BlockHeader: Hashable, Sendable, BitwiseCopyable {
  /// The shard that the journal belongs to.
  public var shard: UInt32
  /// The run of the server that wrote it: 1, 2, 3 ...
  public var epoch: UInt64
  /// Sequence number of its first command; for a seal, of the next command.
  public var firstSequence: SequenceNumber
  /// Number of commands; 0 for a seal, written when a server closes its journal.
  public var count: UInt32
  /// Length of the payload, in bytes.
  public var length: UInt32
  /// Time of its last command.
  public var time: Timestamp
  /// The last sequence number known to be durable when it was written.
  public var committed: SequenceNumber
  /// Hash of the previous block.
  public var previous: BlockHash
  /// CRC-32C of the payload.
  public var payloadChecksum: UInt32

  /// Length of the header, in bytes.
  public static let size = SealedHeader.size
  /// Blocks start at multiples of this, in bytes.
  public static let alignment = 4096
  /// Maximum length of a block, in bytes.
  public static let largestBlock = 256 * 1024

  static let magic: UInt64 = 0x4B4C_4245_4C55_4F4A  // "JOULEBLK"
  static let version: UInt16 = 1

  /// Sequence number of its last command; for a seal, the one before `firstSequence`.
  public var lastSequence: SequenceNumber {
    SequenceNumber(firstSequence.rawValue + UInt64(count) - 1)
  }

  /// Length of the block in its file including padding, in bytes.
  public var blockBytes: Int { Self.blockBytes(payload: Int(length)) }

  static func blockBytes(payload: Int) -> Int {
    invariant(payload >= 0 && payload <= largestBlock - size, "the payload fits into a block")
    let bytes = (size + payload + alignment - 1) & ~(alignment - 1)
    invariant(
      bytes >= size + payload && bytes <= largestBlock, "a block is not longer than the maximum")
    return bytes
  }
}

extension BlockHeader {
  /// Writes the header with its checksum to 128 bytes.
  func write(to bytes: UnsafeMutableRawPointer) {
    invariant(isPossible, "a header is written only if it can be read")
    var writer = SealedHeader.begin(Self.magic, Self.version, at: bytes)
    writer.put(shard)
    writer.put(epoch)
    writer.put(firstSequence.rawValue)
    writer.put(count)
    writer.put(length)
    writer.put(time.nanoseconds)
    writer.put(committed.rawValue)
    previous.write(to: bytes + 56)
    invariant(writer.offset == 56, "fields are written at their offsets")
    writer = RecordWriter(bytes + 88)
    writer.put(payloadChecksum)
    writer.reserve(32)
    SealedHeader.seal(bytes)
    invariant(isRead(from: bytes), "a header reads as it was written")
  }

  /// Whether reading these 128 bytes gives this header.
  private func isRead(from bytes: UnsafeRawPointer) -> Bool {
    do throws(BlockDefect) {
      return try self
        == BlockHeader(reading: UnsafeRawBufferPointer(start: bytes, count: Self.size))
    } catch {
      return false
    }
  }

  /// Reads a header and checks everything that needs no other block.
  /// - Parameter bytes: At least 128 bytes.
  init(reading bytes: UnsafeRawBufferPointer) throws(BlockDefect) {
    guard let base = bytes.baseAddress else { throw .cutOff }
    var reader = try SealedHeader.open(bytes, Self.magic, Self.version)
    shard = reader.u32()
    epoch = reader.u64()
    firstSequence = SequenceNumber(reader.u64())
    count = reader.u32()
    length = reader.u32()
    time = reader.time()
    committed = SequenceNumber(reader.u64())
    invariant(reader.offset == 56, "fields are read at their offsets")
    previous = BlockHash(reading: bytes, at: 56)
    reader = RecordReader(base + 88, .tick)
    payloadChecksum = reader.u32()
    invariant(reader.offset == 4, "the reserved bytes follow the payload's checksum")
    let reserved = UnsafeRawBufferPointer(rebasing: bytes[92..<124])
    guard isPossible, Zeros.fill(reserved) else { throw .impossibleHeader }
  }

  /// The length of records is left to their codec, which recognises those of newer programs; the
  /// check here is only that `count` records can fit.
  private var isPossible: Bool {
    Int(length) <= Self.largestBlock - Self.size && length % 8 == 0
      && (count == 0) == (length == 0) && Int(count) * CommandCodec.headerLength <= Int(length)
      && firstSequence > .none
      && committed < firstSequence && firstSequence.rawValue < 1 << 63
  }
}

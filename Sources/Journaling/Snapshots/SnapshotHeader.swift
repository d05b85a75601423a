// A snapshot: the state after one command as a file, so that a start need not replay the earlier
// commands.
//
//   offset  size  field              check made on reading
//        0     8  magic              "JOULESNP"
//        8     2  version            2; 1: no list of refused commands
//       10     2  header length      128
//       12     4  shard              the journal's
//       16     8  sequence           of the last command in it; that of the file's name
//       24     8  time               of that command
//       32     8  event hash         that of the state read
//       40     8  state hash         that of the state read
//       48     8  batch              last settlement batch closed up to there
//       56     8  confirmed          last settlement batch whose confirmation is journaled
//       64     4  pieces             the number that follows
//       68    56  reserved           zero
//      124     4  header CRC-32C     of bytes 0 to 123
//     4096     -  pieces             consecutive, then the end of the file
//
// The pieces contain the refused commands up to there (length (4), then the text of the list, see
// RefusedCommands.swift; since version 2), then the state.
//
// A piece, which allows reading a state without loading the whole file:
//
//        0     8  sequence           the snapshot's
//        8     4  number             0, 1, 2 ...
//       12     4  length             of its bytes, 1 to 1 MiB
//       16     4  bytes' CRC-32C
//       20     4  CRC-32C            of bytes 0 to 19
//       24     -  bytes              of the state
//
// The header is written last, then the file is synced and renamed, then the directory is synced. So
// a file with a snapshot's name is complete, unless the medium damaged it.

import MarketModel

/// The header of a snapshot.
public struct SnapshotHeader: Hashable, Sendable {
  /// The shard of its journal.
  public var shard: UInt32 = 0
  /// The last command applied to the state.
  public var sequence: SequenceNumber
  /// Time of that command.
  public var time: Timestamp
  /// Rolling hash over all events up to there.
  public var eventHash: UInt64
  /// Hash of the whole state.
  public var stateHash: UInt64
  /// Last settlement batch closed up to there; 0 if none.
  public var batch: UInt64
  /// Last settlement batch whose confirmation is journaled up to there; 0 if none.
  public var confirmedBatch: UInt64
  /// Number of pieces in the file.
  var pieces: UInt32 = 0
  /// Version of the file's layout.
  var version = Self.newestVersion

  /// A header of a new snapshot; the number of pieces is filled in by the writer.
  public init(
    sequence: SequenceNumber, time: Timestamp, eventHash: UInt64, stateHash: UInt64,
    batch: UInt64, confirmedBatch: UInt64
  ) {
    (self.sequence, self.time) = (sequence, time)
    (self.eventHash, self.stateHash) = (eventHash, stateHash)
    (self.batch, self.confirmedBatch) = (batch, confirmedBatch)
  }

  /// Length of the header, in bytes.
  static let size = SealedHeader.size
  /// Offset of the first piece.
  static let body = 4096
  private static let magic: UInt64 = 0x504E_5345_4C55_4F4A  // "JOULESNP"
  private static let newestVersion: UInt16 = 2

  /// Writes the header with its checksum to 128 bytes.
  func write(to bytes: UnsafeMutableRawPointer) {
    invariant(sequence > .none && pieces > 0, "a snapshot contains at least one command")
    invariant(confirmedBatch <= batch, "only closed batches are confirmed")
    var writer = SealedHeader.begin(Self.magic, version, at: bytes)
    writer.put(shard)
    for word in [
      sequence.rawValue, time.nanoseconds, eventHash, stateHash, batch, confirmedBatch,
    ] {
      writer.put(word)
    }
    writer.put(pieces)
    invariant(writer.offset == 68, "fields are written at their offsets")
    writer.reserve(56)
    SealedHeader.seal(bytes)
    invariant(
      SnapshotHeader(reading: UnsafeRawBufferPointer(start: bytes, count: Self.size)) == self,
      "a header reads as it was written")
  }

  /// Reads a header.
  /// - Returns: `nil` if the 128 bytes are not a valid header.
  init?(reading bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Self.size else { return nil }
    version = max(1, min(UInt16(bytes[8]), Self.newestVersion))
    var reader: RecordReader
    do throws(BlockDefect) {
      reader = try SealedHeader.open(bytes, Self.magic, version)
    } catch {
      return nil
    }
    shard = reader.u32()
    sequence = SequenceNumber(reader.u64())
    time = reader.time()
    (eventHash, stateHash) = (reader.u64(), reader.u64())
    (batch, confirmedBatch) = (reader.u64(), reader.u64())
    pieces = reader.u32()
    invariant(reader.offset == 68, "fields are read at their offsets")
    guard Zeros.fill(UnsafeRawBufferPointer(rebasing: bytes[68..<124])) else { return nil }
  }
}

/// The header of a piece.
struct SnapshotPiece: Equatable {
  /// Its length, in bytes.
  static let size = 24
  /// Maximum number of bytes that follow it.
  static let longest = 1 << 20

  var sequence: SequenceNumber
  var number: UInt32
  var length: UInt32
  var checksum: UInt32

  init(sequence: SequenceNumber, number: UInt32, length: UInt32, checksum: UInt32) {
    (self.sequence, self.number) = (sequence, number)
    (self.length, self.checksum) = (length, checksum)
  }

  func write(to bytes: UnsafeMutableRawPointer) {
    invariant(length > 0 && length <= UInt32(Self.longest), "a piece has a length that can be read")
    var writer = RecordWriter(bytes)
    writer.put(sequence.rawValue)
    writer.put(number)
    writer.put(length)
    writer.put(checksum)
    writer.put(CRC32C.checksum(UnsafeRawBufferPointer(start: bytes, count: 20)))
    invariant(writer.offset == Self.size, "a piece header has its documented length")
    invariant(
      SnapshotPiece(reading: UnsafeRawBufferPointer(start: bytes, count: Self.size)) == self,
      "a piece header reads as it was written")
  }

  /// - Returns: `nil` if the 24 bytes are not a valid header.
  init?(reading bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress, bytes.count >= Self.size else { return nil }
    var reader = RecordReader(base, .tick)
    sequence = SequenceNumber(reader.u64())
    (number, length, checksum) = (reader.u32(), reader.u32(), reader.u32())
    invariant(reader.offset == 20, "fields are read at their offsets")
    let whole = reader.u32() == CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<20]))
    guard whole, length > 0, length <= UInt32(Self.longest) else { return nil }
  }
}

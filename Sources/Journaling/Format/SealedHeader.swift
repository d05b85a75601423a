// The common form of the headers of blocks and snapshots: 128 bytes with a checksum.
//
//   offset  size  field             check made on reading
//        0     8  magic             that of the kind
//        8     2  version           that of the kind
//       10     2  header length     128
//       12   112  fields of the kind
//      124     4  CRC-32C           of bytes 0 to 123

import MarketModel

/// Common parts of headers. Stateless; any thread.
enum SealedHeader {
  /// Length of a header, in bytes.
  static let size = 128
  private static let sealed = 124
  private static let own = 12

  /// Writes bytes 0 to 11. The caller writes bytes 12 to 123 and then calls `seal`.
  static func begin(
    _ magic: UInt64, _ version: UInt16, at bytes: UnsafeMutableRawPointer
  ) -> RecordWriter {
    var writer = RecordWriter(bytes)
    writer.put(magic)
    writer.put(version)
    writer.put(UInt16(size))
    invariant(writer.offset == own, "the fields of the kind begin at their offset")
    return writer
  }

  /// Writes the checksum over bytes 0 to 123.
  static func seal(_ bytes: UnsafeMutableRawPointer) {
    var writer = RecordWriter(bytes + sealed)
    writer.put(CRC32C.checksum(UnsafeRawBufferPointer(start: bytes, count: sealed)))
    invariant(sealed + writer.offset == size, "the checksum ends the header")
  }

  /// Checks the common parts.
  /// - Returns: a reader at byte 12.
  /// - Throws: `cutOff`, `notABlock`, `headerChecksum` or `unsupportedVersion`, checked in that
  ///   order.
  static func open(
    _ bytes: UnsafeRawBufferPointer, _ magic: UInt64, _ version: UInt16
  ) throws(BlockDefect) -> RecordReader {
    guard let base = bytes.baseAddress, bytes.count >= size else { throw .cutOff }
    var reader = RecordReader(base, .tick)
    guard reader.u64() == magic else { throw .notABlock }
    var checksum = RecordReader(base + sealed, .tick)
    guard checksum.u32() == CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<sealed]))
    else { throw .headerChecksum }
    invariant(
      reader.offset == 8 && checksum.offset == 4, "the magic is first and the checksum last")
    let found = reader.u16()
    guard found == version, reader.u16() == UInt16(size) else { throw .unsupportedVersion(found) }
    invariant(reader.offset == own, "the fields of the kind are read at their offset")
    return reader
  }
}

// CRC-32C (Castagnoli; RFC 3720 appendix B.4): reflected polynomial 0x82F63B78, initial value and
// result inverted.
//
// It processes sixteen bytes per step: table t contains the CRC of a byte followed by t zero bytes,
// so the CRC of sixteen bytes is the exclusive or of sixteen independent look-ups.

import MarketModel

/// The checksum of headers and payloads.
enum CRC32C {
  private static let lanes = 16

  /// Initialised once, never changed, never freed.
  private nonisolated(unsafe) static let tables: UnsafePointer<UInt32> = {
    let tables = UnsafeMutablePointer<UInt32>.allocate(capacity: lanes * 256)
    for byte in 0..<256 {
      var crc = UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
      tables[byte] = crc
    }
    for lane in 1..<lanes {
      for byte in 0..<256 {
        let before = tables[(lane - 1) * 256 + byte]
        tables[lane * 256 + byte] = before >> 8 ^ tables[Int(before & 0xFF)]
      }
    }
    // The published check value of this CRC, computed byte by byte with the first table.
    let check = "123456789".utf8.reduce(~0 as UInt32) { crc, byte in
      crc >> 8 ^ tables[Int((crc ^ UInt32(byte)) & 0xFF)]
    }
    invariant(~check == 0xE306_9283, "the table is that of this polynomial")
    invariant(tables[lanes * 256 - 1] != tables[255], "every lane has a table")
    return UnsafePointer(tables)
  }()

  /// The CRC-32C of `bytes`.
  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    guard let base = bytes.baseAddress else { return 0 }
    let tables = tables
    var crc: UInt32 = ~0
    var offset = 0
    while bytes.count - offset >= lanes {
      let low = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      let high = UInt64(
        littleEndian: base.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
      crc = step(low ^ UInt64(crc), tables + 8 * 256) ^ step(high, tables)
      offset += lanes
    }
    while offset < bytes.count {
      crc = crc >> 8 ^ tables[Int((crc ^ UInt32(bytes[offset])) & 0xFF)]
      offset += 1
    }
    invariant(offset == bytes.count, "every byte is processed once")
    return ~crc
  }

  /// Eight look-ups; the first byte of `word` is farthest from the end.
  @inline(__always)
  private static func step(_ word: UInt64, _ tables: UnsafePointer<UInt32>) -> UInt32 {
    var crc: UInt32 = 0
    for byte in 0..<8 {
      crc ^= tables[(7 - byte) * 256 + Int(word >> UInt64(8 * byte) & 0xFF)]
    }
    return crc
  }
}

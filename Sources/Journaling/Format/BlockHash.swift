import Crypto
import MarketModel

/// The SHA-256 of a block: 32 bytes as four little-endian words.
public struct BlockHash: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
  let word0, word1, word2, word3: UInt64

  init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
    (self.word0, self.word1, self.word2, self.word3) = (word0, word1, word2, word3)
  }

  /// The hash before the first block of a journal: 32 zero bytes.
  public static let genesis = BlockHash(0, 0, 0, 0)

  /// The hash of a block: over its stored header and its payload.
  init(of block: UnsafeRawBufferPointer) {
    invariant(block.count >= BlockHeader.size, "a hash covers the header")
    invariant(block.count % 8 == 0, "a hash covers whole records")
    var hash = SHA256()
    hash.update(bufferPointer: block)
    self = hash.finalize().withUnsafeBytes { BlockHash(reading: $0, at: 0) }
  }

  init(reading bytes: UnsafeRawBufferPointer, at offset: Int) {
    precondition(offset >= 0 && offset + 32 <= bytes.count, "a hash has 32 bytes")
    func word(_ index: Int) -> UInt64 {
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8 * index, as: UInt64.self))
    }
    self.init(word(0), word(1), word(2), word(3))
  }

  func write(to bytes: UnsafeMutableRawPointer) {
    var writer = RecordWriter(bytes)
    writer.put(word0)
    writer.put(word1)
    writer.put(word2)
    writer.put(word3)
    invariant(
      BlockHash(reading: UnsafeRawBufferPointer(start: bytes, count: writer.offset), at: 0) == self,
      "a hash reads as it was written")
  }

  /// 64 hexadecimal digits, in the order of the bytes.
  public var description: String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for word in [word0, word1, word2, word3] {
      for byte in 0..<8 {
        let value = Int(word >> UInt64(8 * byte) & 0xFF)
        text += [digits[value >> 4], digits[value & 15]]
      }
    }
    invariant(text.count == 64, "a byte has two digits")
    return String(decoding: text, as: UTF8.self)
  }
}

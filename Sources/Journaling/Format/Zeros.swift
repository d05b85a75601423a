import Glibc
import MarketModel

/// Finds bytes that are not zero, at the speed of memcmp.
enum Zeros {
  /// Whether all of `bytes` are zero; true for an empty range.
  static func fill(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return true }
    // True if the first byte is zero and each byte equals the one before.
    return bytes[0] == 0 && memcmp(base, base + 1, bytes.count - 1) == 0
  }

  /// The length up to the last byte that is not zero.
  static func lengthWithout(trailing bytes: UnsafeRawBufferPointer) -> Int {
    var end = bytes.count
    while end > 0 {
      let start = max(0, end - 4096)
      if !fill(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) { break }
      end = start
    }
    while end > 0, bytes[end - 1] == 0 { end -= 1 }
    invariant(end >= 0 && end <= bytes.count, "the length is within the bytes")
    return end
  }
}

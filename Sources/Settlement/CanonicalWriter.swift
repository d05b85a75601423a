/// Writes the bytes to be hashed: integers in little-endian order, without padding.
struct CanonicalWriter {
  /// The bytes written so far.
  private(set) var bytes: [UInt8] = []

  /// An empty writer that reserves `capacity` bytes.
  init(capacity: Int) { bytes.reserveCapacity(capacity) }

  /// Appends the bytes of `value`, the lowest first.
  mutating func append<Value: FixedWidthInteger>(_ value: Value) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Appends raw bytes.
  mutating func append(_ raw: [UInt8]) { bytes.append(contentsOf: raw) }

  /// Appends the characters of `ascii`.
  mutating func append(ascii: StaticString) {
    ascii.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }
}

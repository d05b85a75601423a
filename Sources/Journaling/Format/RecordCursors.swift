import MarketModel

/// Writes consecutive little-endian fields. The caller provides the memory.
struct RecordWriter {
  private let bytes: UnsafeMutableRawPointer
  private(set) var offset = 0

  @inline(__always) init(_ bytes: UnsafeMutableRawPointer) { self.bytes = bytes }

  @inline(__always) mutating func put<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
    bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
    offset += MemoryLayout<Value>.size
  }

  @inline(__always) mutating func put(_ flag: Bool) { put(flag ? 1 as UInt8 : 0) }

  @inline(__always) mutating func put(_ label: Label) {
    put(label.low)
    put(label.high)
  }

  @inline(__always) mutating func put(_ text: NoteText) {
    put(text.word0)
    put(text.word1)
    put(text.word2)
    put(text.word3)
    put(text.word4)
  }

  @inline(__always) mutating func put(_ key: PublicKey) {
    put(key.word0)
    put(key.word1)
    put(key.word2)
    put(key.word3)
  }

  /// Writes `count` reserved zero bytes.
  @inline(__always) mutating func reserve(_ count: Int) {
    for _ in 0..<count { put(0 as UInt8) }
  }
}

/// Reads consecutive little-endian fields. The caller has checked that the memory contains them.
struct RecordReader {
  private let bytes: UnsafeRawPointer
  private let kind: CommandCodec.Kind
  private(set) var offset = 0

  @inline(__always) init(_ bytes: UnsafeRawPointer, _ kind: CommandCodec.Kind) {
    self.bytes = bytes
    self.kind = kind
  }

  @inline(__always)
  private mutating func take<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type) -> Value {
    let value = bytes.loadUnaligned(fromByteOffset: offset, as: Value.self)
    offset += MemoryLayout<Value>.size
    return Value(littleEndian: value)
  }

  @inline(__always) mutating func u8() -> UInt8 { take(UInt8.self) }
  @inline(__always) mutating func u16() -> UInt16 { take(UInt16.self) }
  @inline(__always) mutating func u32() -> UInt32 { take(UInt32.self) }
  @inline(__always) mutating func u64() -> UInt64 { take(UInt64.self) }
  @inline(__always) mutating func i64() -> Int64 { take(Int64.self) }
  @inline(__always) mutating func time() -> Timestamp { Timestamp(nanoseconds: u64()) }
  @inline(__always) mutating func label() -> Label { Label(low: u64(), high: u64()) }
  @inline(__always) mutating func noteText() -> NoteText {
    NoteText(u64(), u64(), u64(), u64(), u64())
  }
  @inline(__always) mutating func publicKey() -> PublicKey { PublicKey(u64(), u64(), u64(), u64()) }

  /// Reads an enumeration with one byte.
  @inline(__always)
  mutating func value<Value: RawRepresentable<UInt8>>(
    _: Value.Type
  ) throws(CommandCodec.Failure) -> Value {
    let raw = u8()
    guard let value = Value(rawValue: raw) else {
      throw .unknownValue(kind, payloadOffset: offset - 1, value: raw)
    }
    return value
  }

  /// Reads a flag: 0 or 1.
  @inline(__always) mutating func flag() throws(CommandCodec.Failure) -> Bool {
    let raw = u8()
    guard raw <= 1 else { throw .unknownValue(kind, payloadOffset: offset - 1, value: raw) }
    return raw == 1
  }

  /// Skips `count` reserved bytes, which must be zero.
  @inline(__always) mutating func reserved(_ count: Int) throws(CommandCodec.Failure) {
    var union: UInt8 = 0
    for _ in 0..<count { union |= u8() }
    guard union == 0 else { throw .reservedNotZero(kind, payloadOffset: offset - count) }
  }

  /// The failure for a record that is longer than necessary: the fields from `offset` on have their
  /// default values.
  func needless(at offset: Int) -> CommandCodec.Failure {
    .unknownValue(
      kind, payloadOffset: offset, value: bytes.load(fromByteOffset: offset, as: UInt8.self))
  }
}

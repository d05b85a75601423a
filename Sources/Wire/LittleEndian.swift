// Unaligned little-endian loads and stores, because a frame may start at any address.

extension UnsafeRawPointer {
  /// The little-endian integer at `offset`.
  @inlinable func little<Integer: FixedWidthInteger & BitwiseCopyable>(
    _ offset: Int, as type: Integer.Type
  ) -> Integer {
    Integer(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
  }
}

extension UnsafeMutableRawPointer {
  /// The little-endian integer at `offset`.
  @inlinable func little<Integer: FixedWidthInteger & BitwiseCopyable>(
    _ offset: Int, as type: Integer.Type
  ) -> Integer {
    Integer(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
  }

  /// Stores `value`, little-endian, at `offset`.
  @inlinable func setLittle<Integer: FixedWidthInteger & BitwiseCopyable>(
    _ offset: Int, _ value: Integer
  ) {
    storeBytes(of: value.littleEndian, toByteOffset: offset, as: Integer.self)
  }
}

// The transfers of a batch as the rows of a binary COPY. The buffer is written with stores at
// computed places: ten thousand rows have more than a hundred thousand fields.

import MarketModel
import Settlement

/// The bytes of `PostgresSchema.copyTransfers`.
enum PostgresCopy {
  /// Fields of 8 bytes, then of 4, then of 2, in a row.
  private static let (wide, middle, narrow) = (8, 2, 1)
  /// Bytes of a row: the number of fields, and each field behind its length.
  private static let rowBytes = 2 + wide * 12 + middle * 8 + narrow * 6
  private static let headBytes = 19

  /// The COPY of `transfers`.
  static func bytes(of transfers: [LedgerTransfer]) -> [UInt8] {
    var head = PostgresWriter(capacity: headBytes)
    head.beginCopy()
    let size = headBytes + transfers.count * rowBytes + 2
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      let bytes = UnsafeMutableRawBufferPointer(buffer)
      bytes.copyBytes(from: head.bytes)
      var offset = headBytes
      for transfer in transfers { write(transfer, to: bytes, at: &offset) }
      store(Int16(-1), to: bytes, at: &offset)
      count = offset
    }
  }

  private static func write(
    _ transfer: LedgerTransfer, to bytes: UnsafeMutableRawBufferPointer, at offset: inout Int
  ) {
    store(Int16(wide + middle + narrow), to: bytes, at: &offset)
    field(Int64(bitPattern: transfer.id), to: bytes, at: &offset)
    field(Int64(bitPattern: transfer.batch), to: bytes, at: &offset)
    field(Int64(transfer.debit.rawValue), to: bytes, at: &offset)
    field(Int64(transfer.credit.rawValue), to: bytes, at: &offset)
    field(transfer.amount, to: bytes, at: &offset)
    field(Int64(bitPattern: transfer.tradeSequence.rawValue), to: bytes, at: &offset)
    field(Int64(bitPattern: transfer.time.nanoseconds), to: bytes, at: &offset)
    field(Int64(bitPattern: transfer.reference), to: bytes, at: &offset)
    field(Int32(bitPattern: transfer.unit.rawValue), to: bytes, at: &offset)
    field(Int32(transfer.flags.rawValue), to: bytes, at: &offset)
    field(Int16(transfer.code.rawValue), to: bytes, at: &offset)
  }

  private static func field<Value: FixedWidthInteger & BitwiseCopyable>(
    _ value: Value, to bytes: UnsafeMutableRawBufferPointer, at offset: inout Int
  ) {
    store(Int32(MemoryLayout<Value>.size), to: bytes, at: &offset)
    store(value, to: bytes, at: &offset)
  }

  private static func store<Value: FixedWidthInteger & BitwiseCopyable>(
    _ value: Value, to bytes: UnsafeMutableRawBufferPointer, at offset: inout Int
  ) {
    bytes.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Value.self)
    offset += MemoryLayout<Value>.size
  }
}

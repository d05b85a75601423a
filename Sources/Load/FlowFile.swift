// An order-flow file of the format OBFLOW01, little-endian: a header of 128 bytes, then records of
// 32 bytes. The first records are the prefill, which builds the book and is not measured.
//
//   header:  0 char[8] "OBFLOW01" | 8 u32 version 1 | 12 u32 record size 32 | 16 u64 prefill
//           24 u64 operations | 32 u32 symbols | 36 i32 lowest price | 40 i32 highest price
//           44 u32 accounts | 48 u64 highest order id | 56 u64 trades | 64 u64 volume | ...
//   record:  0 u64 order id | 8 i32 price | 12 u32 quantity | 16 u32 symbol | 20 u32 account
//           (from 1) | 24 u8 operation (0 add, 1 cancel) | 25 u8 side (0 buy, 1 sell)
//           26 u16 flags | 28 u32 zero

import Foundation
import JoulebookServer

/// An order-flow file, mapped into memory.
struct FlowFile {
  /// One operation: a new order or a cancel.
  struct Record {
    var id: UInt64
    var price: Int32
    var quantity: UInt32
    var symbol: UInt32
    var account: UInt32
    var isCancel: Bool
    var sells: Bool
  }

  private static let header = 128
  private static let stride = 32

  let prefill: Int
  let count: Int
  let symbols: Int
  let lowest: Int64
  let highest: Int64
  let accounts: Int
  let highestId: UInt64
  let trades: UInt64
  let volume: UInt64
  private let data: Data

  /// Opens the file at `path`.
  /// - Throws: `.flow` when it cannot be read or is not an order-flow file.
  init(path: String) throws(LoadError) {
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    } catch {
      throw .flow("\(path) cannot be read: \(DataFolder.reason(error))")
    }
    let data = data
    func load<Value: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _: Value.Type) -> Value {
      data.withUnsafeBytes {
        Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Value.self))
      }
    }
    guard data.count >= Self.header, data.prefix(8) == Data("OBFLOW01".utf8),
      load(8, UInt32.self) == 1, load(12, UInt32.self) == Self.stride
    else {
      throw .flow("\(path) does not begin with the OBFLOW01 header of an order-flow file")
    }
    let records = load(16, UInt64.self).addingReportingOverflow(load(24, UInt64.self))
    guard !records.overflow, records.partialValue <= (data.count - Self.header) / Self.stride,
      load(48, UInt64.self) <= records.partialValue
    else { throw .flow("\(path) is shorter than its header requires") }
    (prefill, count) = (Int(load(16, UInt64.self)), Int(records.partialValue))
    (symbols, accounts) = (Int(load(32, UInt32.self)), Int(load(44, UInt32.self)))
    (lowest, highest) = (Int64(load(36, Int32.self)), Int64(load(40, Int32.self)))
    (highestId, trades) = (load(48, UInt64.self), load(56, UInt64.self))
    volume = load(64, UInt64.self)
    guard (1...10_000).contains(symbols), (1...1_000_000).contains(accounts) else {
      throw .flow(
        "\(path) has \(symbols) symbols and \(accounts) accounts; at most 10,000 and 1,000,000 are "
          + "possible")
    }
  }

  /// The `index`-th record; 0 ..< `count`.
  func record(_ index: Int) -> Record {
    data.withUnsafeBytes { bytes in
      let start = Self.header + index * Self.stride
      func load<Value: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _: Value.Type) -> Value {
        Value(littleEndian: bytes.loadUnaligned(fromByteOffset: start + offset, as: Value.self))
      }
      return Record(
        id: load(0, UInt64.self), price: load(8, Int32.self), quantity: load(12, UInt32.self),
        symbol: load(16, UInt32.self), account: load(20, UInt32.self),
        isCancel: load(24, UInt8.self) == 1, sells: load(25, UInt8.self) == 1)
    }
  }
}

// Recorded or generated order flow in the format OBFLOW01, little-endian: a header of 128 bytes, then
// `prefill + operations` records of 32 bytes.
//
//   header:  0 char[8] "OBFLOW01" | 8 u32 version 1 | 12 u32 record size 32 | 16 u64 prefill
//           24 u64 operations | 32 u32 symbols | 36 i32 lowest price | 40 i32 highest price
//           44 u32 accounts | 48 u64 highest order id | 56 u64 trades | 64 u64 volume
//           72 u64 notional (mod 2^64) | 80 u64 hash | 88 u64 resting orders
//           96 u64 adds | 104 u64 cancels | 112 u64 aggressive adds | 120 padding
//   record:  0 u64 order id | 8 i32 price | 12 u32 quantity | 16 u32 symbol | 20 u32 account
//           24 u8 operation (0 add, 1 cancel; our extension: 2 meter reading)
//           25 u8 side (0 buy, 1 sell) | 26 u16 flags (1: trades)

import Foundation

/// An order flow in memory.
package struct FlowFile {
  package var name: String
  package var prefill: Int
  package var symbols: UInt32
  package var lowest: Int32
  package var highest: Int32
  package var accounts: UInt32
  package var highestOrderId: UInt64
  package var expected: FlowResult
  package var records: [FlowRecord]

  package var operations: Int { records.count - prefill }

  package init(
    name: String, prefill: Int, symbols: UInt32, lowest: Int32, highest: Int32, accounts: UInt32,
    highestOrderId: UInt64, expected: FlowResult, records: [FlowRecord]
  ) {
    (self.name, self.prefill, self.symbols) = (name, prefill, symbols)
    (self.lowest, self.highest, self.accounts) = (lowest, highest, accounts)
    (self.highestOrderId, self.expected, self.records) = (highestOrderId, expected, records)
  }

  package init(path: String) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    guard data.count >= 128, data.prefix(8) == Data("OBFLOW01".utf8) else {
      throw FlowError.notAFlow(path)
    }
    func load<T: BitwiseCopyable>(_ offset: Int, as type: T.Type) -> T {
      data.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: type) }
    }
    let prefill = Int(load(16, as: UInt64.self))
    let count = prefill + Int(load(24, as: UInt64.self))
    guard data.count >= 128 + 32 * count else { throw FlowError.truncated(path, count) }
    self.init(
      name: URL(fileURLWithPath: path).lastPathComponent, prefill: prefill,
      symbols: load(32, as: UInt32.self), lowest: load(36, as: Int32.self),
      highest: load(40, as: Int32.self), accounts: load(44, as: UInt32.self),
      highestOrderId: load(48, as: UInt64.self),
      expected: FlowResult(
        trades: load(56, as: UInt64.self), volume: load(64, as: UInt64.self),
        notional: load(72, as: UInt64.self), hash: load(80, as: UInt64.self),
        resting: load(88, as: UInt64.self)),
      records: data.withUnsafeBytes { raw in
        Array(
          UnsafeRawBufferPointer(rebasing: raw[128..<(128 + 32 * count)]).assumingMemoryBound(
            to: FlowRecord.self))
      })
  }

  package func write(to path: String) throws {
    var data = Data(capacity: 128 + 32 * records.count)
    func put<T: BitwiseCopyable>(_ value: T) {
      withUnsafeBytes(of: value) { data.append(contentsOf: $0) }
    }
    data.append(contentsOf: Array("OBFLOW01".utf8))
    put(UInt32(1))
    put(UInt32(32))
    put(UInt64(prefill))
    put(UInt64(operations))
    put(symbols)
    put(lowest)
    put(highest)
    put(accounts)
    put(highestOrderId)
    for word in [
      expected.trades, expected.volume, expected.notional, expected.hash, expected.resting,
    ] {
      put(word)
    }
    let timed = records[prefill...]
    put(UInt64(timed.count { $0.operation == 0 }))
    put(UInt64(timed.count { $0.operation == 1 }))
    put(UInt64(timed.count { $0.operation == 0 && $0.flags & 1 == 1 }))
    put(UInt64(0))
    records.withUnsafeBytes { data.append(contentsOf: $0) }
    try data.write(to: URL(fileURLWithPath: path))
  }
}

/// A fault of an order-flow file.
package enum FlowError: Error, CustomStringConvertible {
  case notAFlow(String)
  case truncated(String, Int)
  case notRecorded(String)

  package var description: String {
    switch self {
    case .notAFlow(let path): "\(path): no OBFLOW01 header; make flows with `flow --generate DIR`"
    case .notRecorded(let path): "\(path): not a csv.gz file that gzip can unpack"
    case .truncated(let path, let count): "\(path): fewer than the \(count) records it announces"
    }
  }
}

// The image of a table: the number of rows, then the bytes of the rows as they are in memory.

import MarketModel

extension Table {
  /// Writes the first rows.
  /// - Parameter used: Number of rows to write; `nil`: up to the last row that is not all zero.
  func write(to sink: any StateSink, used: Int? = nil) {
    let rows = used ?? usedRows
    precondition(rows <= capacity, "more rows in use than there are")
    sink.put(UInt64(rows))
    sink.write(UnsafeRawBufferPointer(rebasing: bytes[..<(rows * MemoryLayout<Element>.stride)]))
  }

  /// Reads the rows that `write` wrote. All rows of the table must be zero.
  func read(from source: any StateSource) {
    let rows = source.count(most: capacity)
    invariant(rows >= 0 && rows <= capacity, "rows within the table")
    source.read(
      into: UnsafeMutableRawBufferPointer(
        rebasing: bytes[..<(rows * MemoryLayout<Element>.stride)]))
  }

  private var bytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(
      start: address(of: 0), count: capacity * MemoryLayout<Element>.stride)
  }

  /// Number of rows up to the last one that is not all zero. Searches from the end by words.
  private var usedRows: Int {
    let all = UnsafeRawBufferPointer(bytes)
    var end = all.count
    while end >= 8, all.loadUnaligned(fromByteOffset: end - 8, as: UInt64.self) == 0 { end -= 8 }
    while end > 0, all[end - 1] == 0 { end -= 1 }
    let stride = MemoryLayout<Element>.stride
    let rows = (end + stride - 1) / stride
    invariant(rows >= 0 && rows <= capacity, "rows within the table")
    return rows
  }
}

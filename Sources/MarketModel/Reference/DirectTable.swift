/// A table of rows with small numbers as indices; it grows when a higher number is set. The rows
/// are plain memory, so reading one counts no references. The first row begins on a cache line.
/// Owned by one thread.
@usableFromInline package struct DirectTable<Row: BitwiseCopyable>: ~Copyable {
  @usableFromInline var rows: UnsafeMutablePointer<Row>
  /// One above the highest number that was set.
  package private(set) var count: Int {
    @inlinable get { used }
    set { used = newValue }
  }
  @usableFromInline var used = 0
  private var capacity: Int
  @usableFromInline let empty: Row

  /// A table in which every row is `empty`.
  /// - Parameter capacity: Number of rows before the table grows, at least 1.
  package init(_ empty: Row, capacity: Int = 64) {
    (self.empty, self.capacity) = (empty, capacity)
    rows = Self.allocate(capacity)
  }

  private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Row> {
    UnsafeMutableRawPointer.allocate(
      byteCount: max(1, capacity * MemoryLayout<Row>.stride), alignment: 64
    ).bindMemory(to: Row.self, capacity: capacity)
  }

  /// A table whose first rows are `known`.
  package init(_ empty: Row, _ known: [Row]) {
    self.init(empty, capacity: max(64, known.count))
    for row in known {
      (rows + used).initialize(to: row)
      used += 1
    }
  }

  deinit { rows.deallocate() }

  /// The rows up to the highest number that was set.
  package var all: [Row] { Array(UnsafeBufferPointer(start: rows, count: used)) }

  /// The row of a number, which is at least 0. Setting a number above the highest grows the table.
  @usableFromInline package subscript(number: Int) -> Row {
    @inlinable @inline(__always) get { number < used ? rows[number] : empty }
    set {
      if number >= used { grow(to: number + 1) }
      rows[number] = newValue
    }
  }

  /// The address of the row of a number, valid until the table grows; `nil` for a number above the
  /// highest.
  @inlinable @inline(__always)
  package func pointer(_ number: Int) -> UnsafeMutablePointer<Row>? {
    number < used ? rows + number : nil
  }

  private mutating func grow(to needed: Int) {
    if needed > capacity {
      while capacity < needed { capacity *= 2 }
      let larger = Self.allocate(capacity)
      larger.moveInitialize(from: rows, count: used)
      rows.deallocate()
      rows = larger
    }
    (rows + used).initialize(repeating: empty, count: needed - used)
    used = needed
  }
}

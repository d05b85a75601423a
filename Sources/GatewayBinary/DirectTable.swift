/// Rows found by a small number, grown when a higher one is set. Its rows are plain memory: looking one up
/// counts no references. The first row begins a line of the cache. Owned by one thread.
struct DirectTable<Row: BitwiseCopyable>: ~Copyable {
  private var rows: UnsafeMutablePointer<Row>
  /// One above the highest number that was set.
  private(set) var count = 0
  private var capacity: Int
  private let empty: Row

  /// A table in which every row is `empty`.
  init(_ empty: Row, capacity: Int = 64) {
    (self.empty, self.capacity) = (empty, capacity)
    rows = Self.allocate(capacity)
  }

  private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Row> {
    UnsafeMutableRawPointer.allocate(
      byteCount: max(1, capacity * MemoryLayout<Row>.stride), alignment: 64
    ).bindMemory(to: Row.self, capacity: capacity)
  }

  /// A table that begins with `known`.
  init(_ empty: Row, _ known: [Row]) {
    self.init(empty, capacity: max(64, known.count))
    for row in known {
      (rows + count).initialize(to: row)
      count += 1
    }
  }

  deinit { rows.deallocate() }

  /// The rows up to the highest number that was set.
  var all: [Row] { Array(UnsafeBufferPointer(start: rows, count: count)) }

  /// The row of a number, not negative.
  subscript(number: Int) -> Row {
    @inline(__always) get { number < count ? rows[number] : empty }
    set {
      if number >= count { grow(to: number + 1) }
      rows[number] = newValue
    }
  }

  /// Where the row of a number stands, until the next one is set; `nil`: it never was.
  @inline(__always) func pointer(_ number: Int) -> UnsafeMutablePointer<Row>? {
    number < count ? rows + number : nil
  }

  private mutating func grow(to needed: Int) {
    if needed > capacity {
      while capacity < needed { capacity *= 2 }
      let larger = Self.allocate(capacity)
      larger.moveInitialize(from: rows, count: count)
      rows.deallocate()
      rows = larger
    }
    (rows + count).initialize(repeating: empty, count: needed - count)
    count = needed
  }
}

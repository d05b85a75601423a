// A fixed table of plain values, zeroed, taken from the system at the start. Rows begin on a cache
// line; large tables ask for huge pages, because a random access to a table of a million orders costs
// a page walk beside the cache miss otherwise. Pages that are never touched are never backed.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `capacity` elements of plain bytes, all zero at the start, indexed 0 ..< capacity.
///
/// All-zero bytes must be a valid `Element`. Access checks its bound (0.5 ns) and is a pointer
/// otherwise; elements are read and written in place. Owned by one thread.
struct Table<Element: BitwiseCopyable>: ~Copyable {
  private let base: UnsafeMutablePointer<Element>
  /// How many elements there are.
  let capacity: Int

  init(capacity: Int) {
    precondition(capacity >= 0, "a table cannot have \(capacity) elements")
    let bytes = Table.bytes(capacity)
    guard
      let raw = mmap(
        nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | anonymousMapping, -1, 0),
      raw != MAP_FAILED
    else {
      fatalError("no memory for a table of \(capacity) elements: lower the capacities")
    }
    #if os(Linux)
      // A wish, not a need: where the system refuses, the table is only slower.
      if bytes >= hugePage { _ = madvise(raw, bytes, MADV_HUGEPAGE) }
    #endif
    base = raw.bindMemory(to: Element.self, capacity: max(capacity, 1))
    self.capacity = capacity
  }

  deinit { munmap(base, Table.bytes(capacity)) }

  private static func bytes(_ capacity: Int) -> Int {
    max(capacity, 1) * MemoryLayout<Element>.stride
  }

  /// Where element `index` is.
  @inline(__always) func address(of index: UInt32) -> UnsafeMutablePointer<Element> {
    precondition(Int(index) < capacity)
    return base + Int(index)
  }

  subscript(index: UInt32) -> Element {
    @inline(__always) unsafeAddress { UnsafePointer(address(of: index)) }
    @inline(__always) nonmutating unsafeMutableAddress { address(of: index) }
  }
}

/// What a huge page holds on this class of machine, in bytes.
private let hugePage = 2 << 20

#if os(Linux)
  private let anonymousMapping = MAP_ANONYMOUS
#else
  private let anonymousMapping = MAP_ANON
#endif

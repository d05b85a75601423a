// A table of fixed capacity for plain values, zeroed and mapped at the start. Its first row begins
// on a cache line. Large tables request huge pages, because otherwise each random access to a table
// of a million orders costs a page walk beside the cache miss. Pages that were never written take
// no memory.
//
// The processor's page protection checks the bounds, as in WebAssembly engines: an index has 32
// bits, and the whole address range that such an index can reach behind the elements is reserved
// without access.
//
//     | elements: read and write | no access ......................................... |
//     base                       base + capacity                       base + 2^32 elements
//
// An index beyond the last page of elements ends the process, and a valid index needs no
// comparison, which saves about twenty of them for each order. Reserved addresses take no memory.
// Debug builds compare instead.

/// A table of `capacity` plain elements with indices 0 ..< capacity, all zero at the start.
///
/// All-zero bytes must be a valid `Element`. Elements are read and written in place. An index
/// beyond the last page of elements ends the process. Owned by one thread.
struct Table<Element: BitwiseCopyable>: ~Copyable {
  private let base: UnsafeMutablePointer<Element>
  private let reserved: TableMemory
  /// Number of elements.
  let capacity: Int

  /// A table whose elements are all zero. Ends the process when the system refuses the memory.
  /// - Precondition: `capacity` fits a 32-bit index.
  init(capacity: Int) {
    precondition(capacity >= 0 && capacity < 1 << 32, "a table cannot have \(capacity) elements")
    guard let memory = TableMemory(elements: Table.bytes(capacity), reach: Table.reach(capacity))
    else {
      fatalError(
        "no memory for a table of \(capacity) elements: lower the capacities, or raise the limit of "
          + "addresses (ulimit -v)")
    }
    reserved = memory
    base = memory.start.bindMemory(to: Element.self, capacity: max(capacity, 1))
    self.capacity = capacity
  }

  deinit { reserved.release() }

  /// Bytes of addresses for the elements and for the range that an index can reach.
  private static func reach(_ capacity: Int) -> Int {
    // valgrind cannot reserve such ranges; build with -Xswiftc -DVALGRIND to profile with it.
    #if DEBUG || VALGRIND
      (bytes(capacity) + TableMemory.page - 1) / TableMemory.page * TableMemory.page
        + TableMemory.page
    #else
      MemoryLayout<Element>.stride << 32 + TableMemory.page
    #endif
  }

  private static func bytes(_ capacity: Int) -> Int {
    max(capacity, 1) * MemoryLayout<Element>.stride
  }

  /// The address of element `index`.
  @inline(__always) func address(of index: UInt32) -> UnsafeMutablePointer<Element> {
    assert(Int(index) < capacity)
    return base + Int(index)
  }

  /// A reference to element `index`.
  @inline(__always) func row(_ index: UInt32) -> Row<Element> { Row(address(of: index)) }

  subscript(index: UInt32) -> Element {
    @inline(__always) unsafeAddress { UnsafePointer(address(of: index)) }
    @inline(__always) nonmutating unsafeMutableAddress { address(of: index) }
  }
}

// A fixed table of plain values, zeroed, taken from the system at the start. Rows begin on a cache
// line; large tables ask for huge pages, because a random access to a table of a million orders costs
// a page walk beside the cache miss otherwise. Pages that are never touched are never backed.
//
// Its bound is checked by the processor's page protection, as engines for WebAssembly do it: an index
// has 32 bits, and behind the elements the whole reach of such an index is reserved without access.
//
//     | elements: read and write | no access ......................................... |
//     base                       base + capacity                       base + 2^32 elements
//
// A wrong index beyond the last page of elements stops the process, and a right one costs no comparison:
// some twenty an order. Reserved addresses cost no memory. Debug builds compare instead.

/// `capacity` elements of plain bytes, all zero at the start, indexed 0 ..< capacity.
///
/// All-zero bytes must be a valid `Element`. Elements are read and written in place; an index that is
/// not below the capacity ends the process. Owned by one thread.
struct Table<Element: BitwiseCopyable>: ~Copyable {
  private let base: UnsafeMutablePointer<Element>
  private let reserved: TableMemory
  /// How many elements there are.
  let capacity: Int

  /// - Precondition: the capacity fits a 32-bit index; the system has the memory.
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

  /// Addresses for the elements and for all that an index can reach.
  private static func reach(_ capacity: Int) -> Int {
    // valgrind has no room for such reaches: build with -Xswiftc -DVALGRIND to profile with it.
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

  /// Where element `index` is.
  @inline(__always) func address(of index: UInt32) -> UnsafeMutablePointer<Element> {
    assert(Int(index) < capacity)
    return base + Int(index)
  }

  /// Element `index` in its place.
  @inline(__always) func row(_ index: UInt32) -> Row<Element> { Row(address(of: index)) }

  subscript(index: UInt32) -> Element {
    @inline(__always) unsafeAddress { UnsafePointer(address(of: index)) }
    @inline(__always) nonmutating unsafeMutableAddress { address(of: index) }
  }
}

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

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `capacity` elements of plain bytes, all zero at the start, indexed 0 ..< capacity.
///
/// All-zero bytes must be a valid `Element`. Elements are read and written in place; an index that is
/// not below the capacity ends the process. Owned by one thread.
struct Table<Element: BitwiseCopyable>: ~Copyable {
  private let base: UnsafeMutablePointer<Element>
  private let reserved: UnsafeMutableRawBufferPointer
  /// How many elements there are.
  let capacity: Int

  /// - Precondition: the capacity fits a 32-bit index; the system has the memory.
  init(capacity: Int) {
    precondition(capacity >= 0 && capacity < 1 << 32, "a table cannot have \(capacity) elements")
    let bytes = Table.bytes(capacity)
    reserved = Table.reserve(bytes)
    guard let start = reserved.baseAddress, mprotect(start, bytes, PROT_READ | PROT_WRITE) == 0
    else {
      fatalError(
        "no memory for a table of \(capacity) elements: lower the capacities, or raise the limit of "
          + "addresses (ulimit -v)")
    }
    #if os(Linux)
      // A wish, not a need: where the system refuses, the table is only slower.
      if bytes >= hugePage { _ = madvise(start, bytes, MADV_HUGEPAGE) }
    #endif
    base = start.bindMemory(to: Element.self, capacity: max(capacity, 1))
    self.capacity = capacity
  }

  deinit { munmap(reserved.baseAddress, reserved.count) }

  /// Addresses for `bytes` of elements and for all that an index can reach; none when the system refuses
  /// them: without what lies behind, a wrong index would write into what is not the table's.
  private static func reserve(_ bytes: Int) -> UnsafeMutableRawBufferPointer {
    // valgrind has no room for such reaches: build with -Xswiftc -DVALGRIND to profile with it.
    #if DEBUG || VALGRIND
      let count = (bytes + page - 1) / page * page + page
    #else
      let count = MemoryLayout<Element>.stride << 32 + page
    #endif
    let start = mmap(nil, count, PROT_NONE, MAP_PRIVATE | anonymousMapping | noReserve, -1, 0)
    guard let start, start != MAP_FAILED else {
      return UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }
    return UnsafeMutableRawBufferPointer(start: start, count: count)
  }

  private static func bytes(_ capacity: Int) -> Int {
    max(capacity, 1) * MemoryLayout<Element>.stride
  }

  /// Where element `index` is.
  @inline(__always) func address(of index: UInt32) -> UnsafeMutablePointer<Element> {
    assert(Int(index) < capacity)
    return base + Int(index)
  }

  subscript(index: UInt32) -> Element {
    @inline(__always) unsafeAddress { UnsafePointer(address(of: index)) }
    @inline(__always) nonmutating unsafeMutableAddress { address(of: index) }
  }
}

/// What a huge page holds on this class of machine, in bytes.
private let hugePage = 2 << 20

/// At least what a page holds, in bytes.
private let page = 64 << 10

#if os(Linux)
  private let anonymousMapping = MAP_ANONYMOUS
  private let noReserve = MAP_NORESERVE
#else
  private let anonymousMapping = MAP_ANON
  private let noReserve: Int32 = 0
#endif

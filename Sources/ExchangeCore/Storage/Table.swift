// A fixed table of plain values, zeroed, taken from the system at the start. Pages that are never
// touched are never backed by memory.

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
    guard let raw = calloc(max(capacity, 1), MemoryLayout<Element>.stride) else {
      fatalError("no memory for a table of \(capacity) elements: lower the capacities")
    }
    base = raw.bindMemory(to: Element.self, capacity: max(capacity, 1))
    self.capacity = capacity
  }

  deinit { free(base) }

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

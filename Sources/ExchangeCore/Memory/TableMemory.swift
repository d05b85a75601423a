// The memory of tables. Mapping takes three system calls for each table, which does not matter to
// an exchange that runs for days. Simulations and tests create thousands of exchanges and would
// spend a third of their time on these calls and on page faults. Therefore the mappings of small
// tables are cached when their table is deinitialised, and the next table of equal size uses one of
// them, zeroed again.
//
// The functions are not inlined, so that their system calls stay out of the hot path's code, which
// Tests/hotpath/check.py inspects.

import MarketModel
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Zeroed memory and the reserved addresses behind it. The owner may write the first `elements`
/// bytes and calls `release` once. Thread-safe because a mapping has one owner or is in the cache,
/// which has a lock.
struct TableMemory: @unchecked Sendable {
  /// The first byte, at the start of a page.
  let start: UnsafeMutableRawPointer
  /// Number of bytes that can be read and written.
  private let elements: Int
  /// Number of bytes of reserved addresses, including `elements`.
  private let reach: Int

  /// An upper bound of the size of a page, bytes; tables up to this size are cached.
  static let page = 64 << 10
  /// The size of a huge page, bytes.
  private static let hugePage = 2 << 20
  /// The most bytes of addresses in the cache: a quarter of a process's address space.
  private static let mostKept = 32 << 40

  /// The cached mappings and the bytes of addresses that they take.
  private struct Kept: ~Copyable {
    var memories: [TableMemory] = []
    var addresses = 0
  }

  private static let kept = Mutex(Kept())

  /// Maps `elements` bytes, all zero, at the start of `reach` bytes of reserved addresses. An
  /// access behind the page in which the elements end ends the process.
  /// - Returns: `nil` when the system refuses the mapping. The reserved addresses are required,
  ///   since otherwise an index out of range could write to other memory.
  @inline(never) init?(elements: Int, reach: Int) {
    precondition(elements > 0 && elements <= reach, "elements within their addresses")
    if let used = TableMemory.take(elements, reach) {
      self = used
      start.initializeMemory(as: UInt8.self, repeating: 0, count: elements)
      return
    }
    let mapped = mmap(
      nil, reach, PROT_NONE, MAP_PRIVATE | anonymousMapping | noReserve, -1, 0)
    guard let mapped, mapped != MAP_FAILED else { return nil }
    guard mprotect(mapped, elements, PROT_READ | PROT_WRITE) == 0 else {
      munmap(mapped, reach)
      return nil
    }
    #if os(Linux)
      // Optional: where the system refuses huge pages, the table is only slower.
      if elements >= TableMemory.hugePage { _ = madvise(mapped, elements, MADV_HUGEPAGE) }
    #endif
    (start, self.elements, self.reach) = (mapped, elements, reach)
    invariant(Int(bitPattern: start) % 64 == 0, "rows begin on a cache line")
  }

  /// Gives the memory to the cache, or unmaps it. The owner must not use it afterwards.
  @inline(never) func release() {
    if !keep() { munmap(start, reach) }
  }

  private static func take(_ elements: Int, _ reach: Int) -> TableMemory? {
    guard elements <= page else { return nil }
    return kept.withLock { kept in
      let found = kept.memories.lastIndex { $0.elements == elements && $0.reach == reach }
      guard let found else { return nil }
      kept.addresses -= reach
      invariant(kept.addresses >= 0, "the count of cached addresses is at least 0")
      let taken = kept.memories.remove(at: found)
      invariant(
        taken.elements == elements && taken.reach == reach,
        "the cached mapping has the requested size")
      return taken
    }
  }

  /// Adds the mapping to the cache.
  /// - Returns: `false` when it is too large or the cache is full.
  private func keep() -> Bool {
    guard elements <= TableMemory.page else { return false }
    return TableMemory.kept.withLock { kept in
      guard kept.addresses + reach <= TableMemory.mostKept else { return false }
      kept.addresses += reach
      kept.memories.append(self)
      invariant(kept.addresses <= TableMemory.mostKept, "the cache is within its bound")
      return true
    }
  }
}

#if os(Linux)
  private let anonymousMapping = MAP_ANONYMOUS
  private let noReserve = MAP_NORESERVE
#else
  private let anonymousMapping = MAP_ANON
  private let noReserve: Int32 = 0
#endif

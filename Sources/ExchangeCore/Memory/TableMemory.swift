// Where a table's addresses come from. Three calls to the system a table are nothing for an exchange that
// lives a day; whoever makes thousands (a simulation, a test, a search over markets) would spend a third
// of the time in them and in the page faults behind them. So the addresses of small tables are kept when
// their table goes, and the next table of the same size begins in them, zeroed again.
//
// None of this is inlined: it would stand between the functions of the hot path, whose code is looked
// through for calls that it must not make.

import MarketModel
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Zeroed memory and the addresses behind it. Whoever has it may write `elements` bytes and calls
/// `release` once; between two owners, none but the list below knows it.
struct TableMemory: @unchecked Sendable {
  /// Where it begins: at a page.
  let start: UnsafeMutableRawPointer
  /// Bytes that may be touched.
  private let elements: Int
  /// All bytes that are reserved.
  private let reach: Int

  /// At least what a page holds, in bytes.
  static let page = 64 << 10
  /// What a huge page holds on this class of machine, in bytes.
  private static let hugePage = 2 << 20
  /// The most addresses that are kept, in bytes: a quarter of what a process has.
  private static let mostKept = 32 << 40

  /// Kept memory, and how many addresses it takes.
  private struct Kept: ~Copyable {
    var memories: [TableMemory] = []
    var addresses = 0
  }

  private static let kept = Mutex(Kept())

  /// Memory of `elements` bytes, all zero, at the start of `reach` bytes of addresses; touching one
  /// behind the page in which the elements end stops the process.
  /// - Returns: `nil` when the system refuses it: without what lies behind, a wrong index would write
  ///   into what is not the table's.
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
      // A wish, not a need: where the system refuses, the table is only slower.
      if elements >= TableMemory.hugePage { _ = madvise(mapped, elements, MADV_HUGEPAGE) }
    #endif
    (start, self.elements, self.reach) = (mapped, elements, reach)
    invariant(Int(bitPattern: start) % 64 == 0, "rows begin on a line of the cache")
  }

  /// Nobody touches it any more.
  @inline(never) func release() {
    if !keep() { munmap(start, reach) }
  }

  private static func take(_ elements: Int, _ reach: Int) -> TableMemory? {
    guard elements <= page else { return nil }
    return kept.withLock { kept in
      let found = kept.memories.lastIndex { $0.elements == elements && $0.reach == reach }
      guard let found else { return nil }
      kept.addresses -= reach
      invariant(kept.addresses >= 0, "only what was kept is taken")
      let taken = kept.memories.remove(at: found)
      invariant(taken.elements == elements && taken.reach == reach, "addresses of the same size")
      return taken
    }
  }

  /// - Returns: `false` when it is too large to be kept.
  private func keep() -> Bool {
    guard elements <= TableMemory.page else { return false }
    return TableMemory.kept.withLock { kept in
      guard kept.addresses + reach <= TableMemory.mostKept else { return false }
      kept.addresses += reach
      kept.memories.append(self)
      invariant(kept.addresses <= TableMemory.mostKept, "no more kept than may be")
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

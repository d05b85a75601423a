// The memory of a ring. Each index takes two cache lines (the processor fetches lines in pairs), so
// that writer and reader never share a line:
//
//   byte   0              128             256             384
//        +---------------+---------------+---------------+----------------------------------------+
//        | head          | tail          | closed        | element 0 | element 1 | ... capacity-1 |
//        | written up to | read up to    | rarely        |           |           |                |
//        +---------------+---------------+---------------+----------------------------------------+
//          writer          reader          any thread
//
// head and tail count elements since the start and never wrap (2^64). The slot is the position
// modulo the capacity. tail <= head <= tail + capacity.

import Synchronization

/// One raw allocation with the indices and elements of a ring. The ring frees it when it is
/// deinitialised.
@usableFromInline
struct RingMemory<Element: BitwiseCopyable>: @unchecked Sendable {
  @usableFromInline typealias Index = UnsafeMutablePointer<Atomic<UInt64>>

  private let base: UnsafeMutableRawPointer
  @usableFromInline let head: Index
  @usableFromInline let tail: Index
  @usableFromInline let closed: Index
  @usableFromInline let slots: UnsafeMutablePointer<Element>
  @usableFromInline let mask: UInt64

  /// - Precondition: `capacity` is a power of two, 1 to 2^30.
  init(capacity: Int) {
    precondition(
      capacity > 0 && capacity <= 1 << 30 && capacity & (capacity - 1) == 0,
      "a ring's capacity is a power of two up to 2^30, not \(capacity)")
    base = UnsafeMutableRawPointer.allocate(
      byteCount: 384 + capacity * MemoryLayout<Element>.stride, alignment: 128)
    head = Self.index(at: base)
    tail = Self.index(at: base + 128)
    closed = Self.index(at: base + 256)
    slots = (base + 384).bindMemory(to: Element.self, capacity: capacity)
    mask = UInt64(capacity - 1)
  }

  private static func index(at pointer: UnsafeMutableRawPointer) -> Index {
    let index = pointer.bindMemory(to: Atomic<UInt64>.self, capacity: 1)
    index.initialize(to: Atomic(0))
    return index
  }

  /// Frees the memory. No thread may use it afterwards.
  func deallocate() {
    base.deallocate()
  }

  /// The slot of `position`.
  @inlinable func slot(_ position: UInt64) -> UnsafeMutablePointer<Element> {
    slots + Int(position & mask)
  }

  /// The number of elements from `position` on that are contiguous in memory, at most `count`.
  @inlinable func contiguous(from position: UInt64, count: Int) -> Int {
    min(count, Int(mask + 1) - Int(position & mask))
  }
}

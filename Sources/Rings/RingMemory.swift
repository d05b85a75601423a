// Memory of a ring. Each index has two cache lines of its own (the processor fetches lines in pairs),
// so that writer and reader never share one:
//
//   byte   0              128             256             384
//        +---------------+---------------+---------------+----------------------------------------+
//        | head          | tail          | closed        | element 0 | element 1 | ... capacity-1 |
//        | written up to | read up to    | rarely        |           |           |                |
//        +---------------+---------------+---------------+----------------------------------------+
//          the writer's    the reader's    anybody's
//
// head and tail count elements since the start and never wrap (2^64); position modulo capacity is the
// slot. tail <= head <= tail + capacity.

import Synchronization

/// One raw allocation with a ring's indices and elements, freed with the last handle to the ring.
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

  /// Frees the memory; nobody may use it after.
  func deallocate() {
    base.deallocate()
  }

  /// The slot of `position`.
  @inlinable func slot(_ position: UInt64) -> UnsafeMutablePointer<Element> {
    slots + Int(position & mask)
  }

  /// How many elements follow `position` in one piece of memory, at most `count`.
  @inlinable func contiguous(from position: UInt64, count: Int) -> Int {
    min(count, Int(mask + 1) - Int(position & mask))
  }
}

// The memory of all send queues, in blocks of two sizes:
//
//     small   the first bytes of a queue: with it most turns of most connections need nothing else
//     large   whatever follows
//
// A queue holds blocks only while it holds bytes. Blocks that return are used again, the last ones
// first, as they are still in the processor's cache; so the steady state allocates nothing. What
// was not used between two calls of `trim` goes back to the system.

import Glibc

/// A part of a send queue: this header, then memory for bytes.
struct MemoryBlock {
  /// Length of the header in bytes; a cache line, so that bytes do not share it.
  static let header = 64

  /// The next block of the queue, or of the pool's list.
  var next: UnsafeMutablePointer<MemoryBlock>?
  /// Number of bytes after the header.
  let capacity: Int
  /// Position of the first queued byte.
  var begin = 0
  /// Position after the last queued byte.
  var end = 0
}

extension UnsafeMutablePointer where Pointee == MemoryBlock {
  /// The memory after the header.
  @inline(__always) var bytes: UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(self) + MemoryBlock.header
  }
}

/// Blocks for send queues. Owned by the loop's thread.
struct MemoryPool: ~Copyable {
  typealias Block = UnsafeMutablePointer<MemoryBlock>

  /// Size of a small block with its header, in bytes.
  static let smallSize = 4 << 10
  /// Size of a large block with its header, in bytes; a multiple of the page size.
  static let largeSize = 64 << 10
  /// Number of free blocks of each size that are always kept.
  private static let reserve = 16

  /// Free blocks of one size.
  private struct FreeList {
    var first: Block?
    var count = 0
    /// Least value of `count` since the last trim: blocks that nobody needed.
    var unneeded = 0
  }

  /// Bytes in blocks that queues hold, headers included.
  private(set) var used = 0
  private var small = FreeList()
  private var large = FreeList()

  deinit {
    Self.release(small.first, count: small.count)
    Self.release(large.first, count: large.count)
  }

  /// Bytes in blocks that nobody holds.
  var free: Int { small.count * Self.smallSize + large.count * Self.largeSize }

  /// Whether `trim` may have something to do now or later.
  var isTrimmable: Bool { max(small.count, large.count) > Self.reserve }

  /// Whether there is a free block of `size` bytes.
  func hasFree(_ size: Int) -> Bool {
    size == Self.smallSize ? small.count > 0 : size == Self.largeSize && large.count > 0
  }

  /// Size of the block that `take` returns, in bytes.
  static func size(for bytes: Int, isFirst: Bool) -> Int {
    let size = bytes + MemoryBlock.header
    return isFirst && size <= smallSize ? smallSize : max(largeSize, size)
  }

  /// An empty block.
  /// - Parameters:
  ///   - bytes: The least capacity.
  ///   - isFirst: Whether it is the first block of its queue.
  mutating func take(_ bytes: Int, isFirst: Bool) -> Block {
    let size = Self.size(for: bytes, isFirst: isFirst)
    used += size
    switch size {
    case Self.smallSize: return Self.take(&small) ?? Self.allocate(size)
    case Self.largeSize: return Self.take(&large) ?? Self.allocate(size)
    default: return Self.allocate(size)
    }
  }

  /// Takes a block back.
  mutating func give(_ block: Block) {
    let size = block.pointee.capacity + MemoryBlock.header
    used -= size
    switch size {
    case Self.smallSize: Self.give(block, &small)
    case Self.largeSize: Self.give(block, &large)
    default: Self.release(block, count: 1)
    }
  }

  /// Returns to the system what was free all the time since the last call.
  mutating func trim() {
    Self.trim(&small, keeping: Self.reserve)
    Self.trim(&large, keeping: Self.reserve)
  }

  /// Returns to the system everything that is free.
  mutating func trimAll() {
    (small.unneeded, large.unneeded) = (small.count, large.count)
    Self.trim(&small, keeping: 0)
    Self.trim(&large, keeping: 0)
  }

  private static func take(_ list: inout FreeList) -> Block? {
    guard let block = list.first else { return nil }
    list.first = block.pointee.next
    list.count -= 1
    list.unneeded = min(list.unneeded, list.count)
    (block.pointee.next, block.pointee.begin, block.pointee.end) = (nil, 0, 0)
    return block
  }

  private static func give(_ block: Block, _ list: inout FreeList) {
    block.pointee.next = list.first
    list.first = block
    list.count += 1
  }

  private static func trim(_ list: inout FreeList, keeping reserve: Int) {
    var surplus = min(list.unneeded, list.count - reserve)
    while surplus > 0, let block = list.first {
      list.first = block.pointee.next
      list.count -= 1
      surplus -= 1
      release(block, count: 1)
    }
    list.unneeded = list.count
  }

  /// Large blocks are pages of their own, so that the system gets them back wherever they are.
  private static func allocate(_ size: Int) -> Block {
    let memory: UnsafeMutableRawPointer
    if size == smallSize {
      memory = .allocate(byteCount: size, alignment: MemoryBlock.header)
    } else {
      guard
        let mapped = mmap(
          nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        mapped != MAP_FAILED
      else { fatalError("no memory for send queues: \(String(cString: strerror(errno)))") }
      memory = mapped
    }
    let block = memory.bindMemory(to: MemoryBlock.self, capacity: 1)
    block.initialize(to: MemoryBlock(next: nil, capacity: size - MemoryBlock.header))
    return block
  }

  /// Frees the first `count` blocks of a list.
  private static func release(_ first: Block?, count: Int) {
    var (next, left) = (first, count)
    while left > 0, let block = next {
      (next, left) = (block.pointee.next, left - 1)
      let size = block.pointee.capacity + MemoryBlock.header
      if size == smallSize {
        UnsafeMutableRawPointer(block).deallocate()
      } else {
        munmap(block, size)
      }
    }
  }
}

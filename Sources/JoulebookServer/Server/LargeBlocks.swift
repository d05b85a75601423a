// Memory follows use: what a burst needed is given back when it is over.

import CAllocator

/// How the process's allocator treats large blocks.
enum LargeBlocks {
  /// Blocks from this size on are mapped by themselves, bytes.
  private static let size: Int32 = 512 << 10

  /// Makes the allocator map every large block by itself and unmap it when it is freed.
  ///
  /// By default glibc raises that size, up to 32 MiB, each time a mapped block is freed. Event
  /// buffers and queues that a mass cancel has doubled a few times then lie in arenas, whose pages
  /// are never given back. The hot path allocates nothing, so mapping costs it nothing.
  static func areGivenBack() {
    // If it is refused, memory only stays with the process longer.
    _ = mallopt(M_MMAP_THRESHOLD, size)
    _ = mallopt(M_TRIM_THRESHOLD, size)
  }
}

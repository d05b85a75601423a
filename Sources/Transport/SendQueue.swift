import CLibuv

// The bytes to be sent on one connection, in a list of blocks:
//
//     first ─▶ ... ─▶ last     messages are encoded at the end of the last block, and the socket
//                              takes bytes from the begin of the first one
//
// A message is never split over two blocks. While a write is pending, libuv reads from the first
// blocks, which stay until it completes; messages may be appended behind.

/// The send queue of one connection. Its blocks come from a pool, to which `clear` must return them
/// before the queue ends. Owned by the loop's thread.
struct SendQueue: ~Copyable {
  private var first: MemoryPool.Block?
  private var last: MemoryPool.Block?
  /// Number of bytes queued.
  private(set) var count = 0

  /// Whether `bytes` bytes can be appended without a new block.
  @inline(__always) func hasSpace(_ bytes: Int) -> Bool {
    guard let last else { return false }
    return last.pointee.end + bytes <= last.pointee.capacity
  }

  /// Size of the block that appending `bytes` bytes takes from the pool; 0 if there is space.
  func newBlockSize(_ bytes: Int) -> Int {
    hasSpace(bytes) ? 0 : MemoryPool.size(for: bytes, isFirst: first == nil)
  }

  /// Appends `bytes` bytes for the caller to fill in immediately.
  @inline(__always)
  mutating func reserve(_ bytes: Int, _ pool: inout MemoryPool) -> UnsafeMutableRawPointer {
    let block: MemoryPool.Block
    if let last, last.pointee.end + bytes <= last.pointee.capacity {
      block = last
    } else {
      block = append(pool.take(bytes, isFirst: first == nil))
    }
    let start = block.bytes + block.pointee.end
    block.pointee.end += bytes
    count += bytes
    return start
  }

  /// Appends at least one and at most `bytes` bytes, as many as the last block can take.
  mutating func reserve(
    upTo bytes: Int, _ pool: inout MemoryPool
  ) -> UnsafeMutableRawBufferPointer {
    let left = last.map { $0.pointee.capacity - $0.pointee.end } ?? 0
    let most = left > 0 ? left : MemoryPool.largeSize - MemoryBlock.header
    let taken = min(bytes, most)
    return UnsafeMutableRawBufferPointer(start: reserve(taken, &pool), count: taken)
  }

  /// The bytes of the first block.
  var head: UnsafeRawBufferPointer {
    guard let first else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(
      start: first.bytes + first.pointee.begin, count: first.pointee.end - first.pointee.begin)
  }

  /// Describes the first bytes of the queue in `buffers`.
  /// - Returns: the numbers of buffers and bytes described.
  func describe(in buffers: UnsafeMutableBufferPointer<uv_buf_t>) -> (buffers: Int, bytes: Int) {
    var (next, used, bytes) = (first, 0, 0)
    while used < buffers.count, let block = next {
      let length = block.pointee.end - block.pointee.begin
      let start = (block.bytes + block.pointee.begin).assumingMemoryBound(to: CChar.self)
      buffers[used] = uv_buf_t(base: start, len: length)
      (next, used, bytes) = (block.pointee.next, used + 1, bytes + length)
    }
    return (used, bytes)
  }

  /// Removes the first `bytes` bytes, which the socket has taken.
  mutating func remove(_ bytes: Int, _ pool: inout MemoryPool) {
    assert(bytes <= count)
    count -= bytes
    var left = bytes
    while let block = first {
      let length = block.pointee.end - block.pointee.begin
      if left < length {
        block.pointee.begin += left
        return
      }
      left -= length
      first = block.pointee.next
      pool.give(block)
    }
    last = nil
  }

  /// Removes everything after the first `bytes` bytes, from which libuv is writing.
  mutating func truncate(after bytes: Int, _ pool: inout MemoryPool) {
    guard bytes > 0 else { return clear(&pool) }
    guard bytes < count, var block = first else { return }
    var left = bytes
    while left > block.pointee.end - block.pointee.begin, let next = block.pointee.next {
      left -= block.pointee.end - block.pointee.begin
      block = next
    }
    block.pointee.end = block.pointee.begin + left
    var next = block.pointee.next
    while let surplus = next {
      next = surplus.pointee.next
      pool.give(surplus)
    }
    block.pointee.next = nil
    (last, count) = (block, bytes)
  }

  /// Removes everything. No write may be pending.
  mutating func clear(_ pool: inout MemoryPool) {
    if first != nil { remove(count, &pool) }
  }

  private mutating func append(_ block: MemoryPool.Block) -> MemoryPool.Block {
    if let last {
      last.pointee.next = block
    } else {
      first = block
    }
    last = block
    return block
  }
}

// The bytes to be sent on one connection, in two buffers that are swapped:
//
//     filling   messages are encoded here, one after the other
//     flying    libuv writes from here; it must not move until the write is complete
//
// Usually one write sends all of `filling`, and `flying` is unused. Only if the socket accepts
// less, the two are swapped. Both grow by doubling up to the bound and never shrink, so the steady
// state allocates nothing.

/// The bounded send queue of one connection. Owned by the loop's thread.
struct SendQueue: ~Copyable {
  private(set) var filling = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var flying = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  /// Number of bytes in `filling`.
  private(set) var filled = 0
  /// Number of bytes of `flying` that the socket has not accepted; 0 if no write is pending.
  private(set) var inFlight = 0
  /// Upper bound of `filled` + `inFlight`.
  let bound: Int

  init(bound: Int) { self.bound = bound }

  deinit {
    filling.deallocate()
    flying.deallocate()
  }

  /// Number of bytes queued.
  var count: Int { filled + inFlight }

  /// Appends `bytes` bytes for the caller to fill in immediately.
  /// - Parameter beyond: Number of bytes by which the bound may be exceeded.
  /// - Returns: `nil` if the bound would be exceeded.
  mutating func reserve(_ bytes: Int, beyond: Int = 0) -> UnsafeMutableRawPointer? {
    guard filled + inFlight + bytes <= bound + beyond else { return nil }
    if filled + bytes > filling.count { grow(to: filled + bytes) }
    let start = filling.baseAddress.map { $0 + filled }
    filled += bytes
    return start
  }

  /// Empties `filling` after the socket accepted all of it.
  mutating func clear() { filled = 0 }

  /// The socket accepted the first `written` bytes of `filling`; swaps the buffers.
  /// - Returns: the remaining bytes, to be written by libuv.
  mutating func swap(after written: Int) -> UnsafeMutableRawBufferPointer {
    assert(inFlight == 0 && written < filled)
    Swift.swap(&filling, &flying)
    inFlight = filled - written
    filled = 0
    return UnsafeMutableRawBufferPointer(rebasing: flying[written..<(written + inFlight)])
  }

  /// libuv has completed the pending write.
  mutating func landed() { inFlight = 0 }

  /// Empties the queue and keeps the memory. No write may be pending.
  mutating func reset() { (filled, inFlight) = (0, 0) }

  private mutating func grow(to needed: Int) {
    var capacity = max(4096, filling.count)
    while capacity < needed { capacity *= 2 }
    let larger = UnsafeMutableRawBufferPointer.allocate(
      byteCount: min(max(capacity, needed), max(bound, needed)), alignment: 64)
    if filled > 0 {
      larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: filling[0..<filled]))
    }
    filling.deallocate()
    filling = larger
  }
}

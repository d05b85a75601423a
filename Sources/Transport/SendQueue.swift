// What waits to be sent on one connection: two buffers that change places.
//
//     filling   reports are encoded here, one behind the other
//     flying    libuv writes from here; nothing moves until it is done
//
// Usually a turn's reports leave `filling` in one write and `flying` is never used. Only when the
// socket takes less do the two swap. Both grow by doubling up to the bound and never shrink, so the
// steady state allocates nothing.

/// The bounded outgoing bytes of one connection. Owned by the loop's thread.
struct SendQueue: ~Copyable {
  private(set) var filling = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var flying = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  /// Bytes in `filling`.
  private(set) var filled = 0
  /// Bytes of `flying` that the socket has not taken yet; 0: no write is under way.
  private(set) var inFlight = 0
  /// `filled` and `inFlight` together stay within it.
  let bound: Int

  init(bound: Int) { self.bound = bound }

  deinit {
    filling.deallocate()
    flying.deallocate()
  }

  /// Bytes that wait.
  var count: Int { filled + inFlight }

  /// Appends `bytes` bytes for the caller to fill in at once.
  /// - Parameter beyond: Bytes by which the bound may be passed.
  /// - Returns: `nil` when the bound would be passed.
  mutating func reserve(_ bytes: Int, beyond: Int = 0) -> UnsafeMutableRawPointer? {
    guard filled + inFlight + bytes <= bound + beyond else { return nil }
    if filled + bytes > filling.count { grow(to: filled + bytes) }
    let start = filling.baseAddress.map { $0 + filled }
    filled += bytes
    return start
  }

  /// The socket took all of `filling`.
  mutating func clear() { filled = 0 }

  /// The socket took the first `written` bytes of `filling`: the rest flies.
  /// - Returns: The rest, to be written by libuv.
  mutating func swap(after written: Int) -> UnsafeMutableRawBufferPointer {
    assert(inFlight == 0 && written < filled)
    Swift.swap(&filling, &flying)
    inFlight = filled - written
    filled = 0
    return UnsafeMutableRawBufferPointer(rebasing: flying[written..<(written + inFlight)])
  }

  /// libuv has written what flew.
  mutating func landed() { inFlight = 0 }

  /// Forgets everything; keeps the memory. No write may be under way.
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

import Synchronization

/// The reading end of a ring. Owned by one thread.
public struct RingConsumer<Element, Source: Ring<Element> & PublishedRing>: ~Copyable,
  @unchecked Sendable
{
  @usableFromInline let ring: Source
  @usableFromInline let memory: RingMemory<Element>
  @usableFromInline var tail: UInt64
  /// The last known end of the published elements, which is at most the actual one.
  @usableFromInline var end: UInt64

  /// Claims the reading end of `ring`.
  /// - Precondition: The ring has no other reader.
  init(_ ring: Source) {
    ring.claimReading()
    self.ring = ring
    memory = ring.memory
    (tail, end) = (0, 0)
  }

  /// The number of elements that can be read now. With many writers, linear in the number of new
  /// elements.
  @inlinable public mutating func available() -> Int {
    end = ring.publishedEnd(tail, knownEnd: end)
    return Int(end &- tail)
  }

  /// The unread element at `offset`; it stays in the ring.
  /// - Precondition: `offset` is below the last result of `available` less the elements advanced
  ///   since.
  @inlinable public subscript(offset: Int) -> Element {
    let position = tail &+ UInt64(offset)
    precondition(position < end, "the element is published")
    return memory.slot(position).pointee
  }

  /// The unread elements that are contiguous in memory, at most `limit`. Valid until `advance`
  /// releases them.
  @inlinable public mutating func readable(limit: Int) -> UnsafeBufferPointer<Element> {
    let count = memory.contiguous(from: tail, count: min(limit, available()))
    return UnsafeBufferPointer(start: memory.slot(tail), count: count)
  }

  /// Releases the slots of the first `count` unread elements to the writers.
  /// - Precondition: `count` is at most the last result of `available` less the elements advanced
  ///   since.
  @inlinable public mutating func advance(by count: Int) {
    precondition(count >= 0 && count <= Int(end &- tail), "only published elements are released")
    tail &+= UInt64(count)
    // Pairs with the acquire of a writer that finds the ring full: slots are free only after they
    // were read.
    memory.tail.pointee.store(tail, ordering: .releasing)
  }

  /// Removes and returns the first unread element.
  /// - Returns: `nil` when the ring is empty.
  @inlinable public mutating func pop() -> Element? {
    if tail == end, available() == 0 { return nil }
    let element = memory.slot(tail).pointee
    advance(by: 1)
    return element
  }

  /// Passes the unread elements that are contiguous in memory to `body`, then releases the slots of
  /// those that `body` has processed.
  /// - Parameters:
  ///   - limit: The highest number of elements to pass.
  ///   - body: Called once, with an empty buffer when there is no element. The buffer is valid only
  ///     during the call. Returns the number of elements that it processed, counted from the first.
  /// - Returns: The result of `body`.
  @inlinable public mutating func withReadable<Failure: Error>(
    limit: Int = .max,
    _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Int
  ) throws(Failure) -> Int {
    let done = try body(readable(limit: limit))
    advance(by: done)
    return done
  }

  /// Waits with the ring's strategy until an element can be read.
  /// - Parameter timeoutNanoseconds: The approximate longest time to wait; `nil`: no limit.
  /// - Returns: The number of elements that can be read; 0 after the timeout, and when the ring is
  ///   closed and read to its end.
  @inlinable public mutating func wait(timeoutNanoseconds: UInt64? = nil) -> Int {
    let (ring, tail) = (ring, tail)
    _ = waitUntil(ring.waiting, bell: ring.bell, timeoutNanoseconds: timeoutNanoseconds) {
      ring.isPublished(tail) || ring.isClosed
    }
    return available()
  }
}

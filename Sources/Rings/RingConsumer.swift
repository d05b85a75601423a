import Synchronization

/// The reading end of a ring. Owned by one thread.
public struct RingConsumer<Element, Source: Ring<Element> & PublishedRing>: ~Copyable,
  @unchecked Sendable
{
  @usableFromInline let ring: Source
  @usableFromInline let memory: RingMemory<Element>
  @usableFromInline var tail: UInt64
  /// The end of the published elements as last seen: never beyond the real one.
  @usableFromInline var end: UInt64

  /// - Precondition: the ring has no other reader.
  init(_ ring: Source) {
    ring.claimReading()
    self.ring = ring
    memory = ring.memory
    (tail, end) = (0, 0)
  }

  /// How many elements can be read now. Looks at what the writers have published: with many writers linear
  /// in what is new.
  @inlinable public mutating func available() -> Int {
    end = ring.publishedEnd(tail, knownEnd: end)
    return Int(end &- tail)
  }

  /// The `offset`-th unread element, which stays in the ring.
  /// - Precondition: `offset` is below what `available` returned last, minus what was advanced.
  @inlinable public subscript(offset: Int) -> Element {
    let position = tail &+ UInt64(offset)
    precondition(position < end, "peeks at an element that is not there")
    return memory.slot(position).pointee
  }

  /// Unread elements in place, as far as they lie in one piece, at most `limit`: valid until they are
  /// given back with `advance`.
  @inlinable public mutating func readable(limit: Int) -> UnsafeBufferPointer<Element> {
    let count = memory.contiguous(from: tail, count: min(limit, available()))
    return UnsafeBufferPointer(start: memory.slot(tail), count: count)
  }

  /// Gives the first `count` unread elements' slots back to the writers.
  /// - Precondition: `count` is not above what `available` returned last, minus what was advanced.
  @inlinable public mutating func advance(by count: Int) {
    precondition(count >= 0 && count <= Int(end &- tail), "reads beyond the end")
    tail &+= UInt64(count)
    // Pairs with the acquire of a writer that finds no room: slots are free only after they were read.
    memory.tail.pointee.store(tail, ordering: .releasing)
  }

  /// Takes one element.
  /// - Returns: `nil` when the ring is empty.
  @inlinable public mutating func pop() -> Element? {
    if tail == end, available() == 0 { return nil }
    let element = memory.slot(tail).pointee
    advance(by: 1)
    return element
  }

  /// Hands over unread elements in place, as far as they lie in one piece, and then gives back as
  /// many slots as `body` says it is done with.
  /// - Parameters:
  ///   - limit: The most elements handed over.
  ///   - body: Called once, with an empty buffer when there is nothing; the buffer is valid only
  ///     inside. Returns how many elements, from the first, it has finished with.
  /// - Returns: What `body` returned.
  @inlinable public mutating func withReadable<Failure: Error>(
    limit: Int = .max,
    _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Int
  ) throws(Failure) -> Int {
    let done = try body(readable(limit: limit))
    advance(by: done)
    return done
  }

  /// Waits as the ring's strategy says until there is something to read.
  /// - Parameter timeoutNanoseconds: Gives up after about this long; `nil`: never.
  /// - Returns: How many elements can be read; 0 when the ring is closed and read to its end, or
  ///   the time was up.
  @inlinable public mutating func wait(timeoutNanoseconds: UInt64? = nil) -> Int {
    let (ring, tail) = (ring, tail)
    _ = waitUntil(ring.waiting, bell: ring.bell, timeoutNanoseconds: timeoutNanoseconds) {
      ring.isPublished(tail) || ring.isClosed
    }
    return available()
  }
}

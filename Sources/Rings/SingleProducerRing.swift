// A bounded queue from one thread to one other thread, without locks.
//
//   writer:  element -> slot[next], next += 1 ... publish: head = next  (release)
//   reader:  head (acquire) -> elements of slot[tail ..< head] -> advance: tail += n  (release)
//   writer:  tail (acquire), looked at only when the copy it remembers says "full"
//
// Each side remembers the other's index as it last saw it, so that an index's cache line moves between
// the cores once for a batch, not once for an element.

import Synchronization

/// A bounded queue from one writing thread to one reading thread. The ring itself is shared freely;
/// each thread claims its own end of it.
public final class SingleProducerRing<Element: BitwiseCopyable>: @unchecked Sendable {
  @usableFromInline let memory: RingMemory<Element>
  @usableFromInline let waiting: WaitStrategy
  @usableFromInline let bell = Doorbell()
  private let producerClaimed = Atomic<Bool>(false)
  private let consumerClaimed = Atomic<Bool>(false)

  /// An empty ring.
  /// - Parameters:
  ///   - capacity: How many elements fit; a power of two, 1 to 2^30.
  ///   - waiting: How the reader waits while the ring is empty.
  public init(capacity: Int, waiting: WaitStrategy = .park()) {
    memory = RingMemory(capacity: capacity)
    self.waiting = waiting
  }

  deinit {
    memory.deallocate()
  }

  /// How many elements fit.
  public var capacity: Int { Int(memory.mask + 1) }

  /// The writing end. Claimed once, by the thread that will write.
  /// - Precondition: nobody claimed it before.
  public func claimProducer() -> Producer {
    let taken = producerClaimed.exchange(true, ordering: .relaxed)
    precondition(!taken, "the ring already has its writer")
    return Producer(self)
  }

  /// The reading end. Claimed once, by the thread that will read.
  /// - Precondition: nobody claimed it before.
  public func claimConsumer() -> Consumer {
    let taken = consumerClaimed.exchange(true, ordering: .relaxed)
    precondition(!taken, "the ring already has its reader")
    return Consumer(self)
  }

  /// Says that nothing more will be published, and wakes the reader. What was published before can
  /// still be read. Any thread, after the writer's last `publish`.
  public func close() {
    // Pairs with the acquire in `isClosed`: who sees it closed sees the last publish.
    memory.closed.pointee.store(1, ordering: .releasing)
    bell.ring()
  }

  /// Whether `close` was called. Any thread.
  public var isClosed: Bool {
    // Pairs with the release in `close`.
    memory.closed.pointee.load(ordering: .acquiring) != 0
  }

  /// Waits as the ring's strategy says until something is published and unread, or the ring is closed.
  /// Any thread: for a ring whose reading end several threads take in turns.
  /// - Returns: `false` when the ring is closed and read to its end, and only then: what was there may
  ///   have been taken in another thread's turn since.
  public func waitForContent() -> Bool {
    _ = waitUntil(waiting, bell: bell, timeoutNanoseconds: nil) { count > 0 || isClosed }
    // In this order: who sees it closed sees all that was published.
    return !isClosed || count > 0
  }

  /// How many elements are published and not yet read, as far as this thread can tell. Any thread.
  public var count: Int {
    let tail = memory.tail.pointee.load(ordering: .acquiring)
    let head = memory.head.pointee.load(ordering: .acquiring)
    return Int(head) - Int(tail)
  }
}

extension SingleProducerRing {
  /// The writing end of a ring. Owned by one thread.
  public struct Producer: ~Copyable, @unchecked Sendable {
    @usableFromInline let ring: SingleProducerRing<Element>
    @usableFromInline let memory: RingMemory<Element>
    /// Where the next element goes; elements below it and not below `published` are staged.
    @usableFromInline var next: UInt64
    @usableFromInline var published: UInt64
    /// The reader's index as last seen: never beyond the real one.
    @usableFromInline var rememberedTail: UInt64
    @usableFromInline let parks: Bool

    init(_ ring: SingleProducerRing<Element>) {
      self.ring = ring
      memory = ring.memory
      (next, published, rememberedTail) = (0, 0, 0)
      if case .park = ring.waiting { parks = true } else { parks = false }
    }

    /// Stages an element; the reader sees it after `publish`.
    /// - Returns: `false` when the ring is full; nothing was staged.
    @inlinable public mutating func append(_ element: Element) -> Bool {
      if next &- rememberedTail > memory.mask, !hasRoom() { return false }
      memory.slot(next).initialize(to: element)
      next &+= 1  // counts to 2^64, which no ring reaches
      return true
    }

    /// Makes everything staged visible to the reader, and wakes it if it sleeps.
    @inlinable public mutating func publish() {
      guard next != published else { return }
      publishQuietly()
      wake()
    }

    /// Makes everything staged visible to the reader; one that sleeps sleeps on until `wake`.
    @inlinable public mutating func publishQuietly() {
      published = next
      // Pairs with the acquire in `Consumer.available`: the elements are there before the index.
      memory.head.pointee.store(next, ordering: .releasing)
    }

    /// Wakes the reader if it sleeps.
    @inlinable public mutating func wake() {
      if parks { ring.bell.ring() }
    }

    /// Stages and publishes one element.
    /// - Returns: `false` when the ring is full; what was staged before is published all the same.
    @inlinable public mutating func push(_ element: Element) -> Bool {
      let taken = append(element)
      publish()
      return taken
    }

    /// Room for elements in one piece, to be written where they will lie: as much as there is, at most
    /// `limit`. Write from the first on, then `stage` as many.
    @inlinable public mutating func writable(limit: Int) -> UnsafeMutableBufferPointer<Element> {
      let count = memory.contiguous(from: next, count: min(limit, room()))
      return UnsafeMutableBufferPointer(start: memory.slot(next), count: count)
    }

    /// Stages the first `count` elements of `writable`.
    /// - Precondition: they were written, and nothing was staged since.
    @inlinable public mutating func stage(_ count: Int) {
      precondition(
        count >= 0 && UInt64(count) <= memory.mask &+ 1 &- (next &- rememberedTail),
        "stages more than there is room for")
      next &+= UInt64(count)
    }

    /// How many elements can be staged now. Reads the reader's index.
    @inlinable public mutating func room() -> Int {
      _ = hasRoom()
      return Int(memory.mask &+ 1 &- (next &- rememberedTail))
    }

    @inlinable mutating func hasRoom() -> Bool {
      // Pairs with the release in `Consumer.advance`: the slot was read before it is written again.
      rememberedTail = memory.tail.pointee.load(ordering: .acquiring)
      return next &- rememberedTail <= memory.mask
    }
  }

  /// The reading end of a ring. Owned by one thread.
  public struct Consumer: ~Copyable, @unchecked Sendable {
    @usableFromInline let ring: SingleProducerRing<Element>
    @usableFromInline let memory: RingMemory<Element>
    @usableFromInline var tail: UInt64
    /// The writer's index as last seen: never beyond the real one.
    @usableFromInline var rememberedHead: UInt64

    init(_ ring: SingleProducerRing<Element>) {
      self.ring = ring
      memory = ring.memory
      (tail, rememberedHead) = (0, 0)
    }

    /// How many elements can be read now. Reads the writer's index.
    @inlinable public mutating func available() -> Int {
      // Pairs with the release in `Producer.publish`.
      rememberedHead = memory.head.pointee.load(ordering: .acquiring)
      return Int(rememberedHead &- tail)
    }

    /// The `offset`-th unread element, which stays in the ring.
    /// - Precondition: `offset` is below what `available` returned last, minus what was advanced.
    @inlinable public subscript(offset: Int) -> Element {
      let position = tail &+ UInt64(offset)
      precondition(position < rememberedHead, "peeks at an element that is not there")
      return memory.slot(position).pointee
    }

    /// Unread elements in place, as far as they lie in one piece, at most `limit`: valid until they are
    /// given back with `advance`.
    @inlinable public mutating func readable(limit: Int) -> UnsafeBufferPointer<Element> {
      let count = memory.contiguous(from: tail, count: min(limit, available()))
      return UnsafeBufferPointer(start: memory.slot(tail), count: count)
    }

    /// Gives the first `count` unread elements' slots back to the writer.
    /// - Precondition: `count` is not above what `available` returned last, minus what was advanced.
    @inlinable public mutating func advance(by count: Int) {
      precondition(count >= 0 && count <= Int(rememberedHead &- tail), "reads beyond the end")
      tail &+= UInt64(count)
      // Pairs with the acquire in `Producer.hasRoom`: slots are free only after they were read.
      memory.tail.pointee.store(tail, ordering: .releasing)
    }

    /// Takes one element.
    /// - Returns: `nil` when the ring is empty.
    @inlinable public mutating func pop() -> Element? {
      if tail == rememberedHead, available() == 0 { return nil }
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
      let count = memory.contiguous(from: tail, count: min(limit, available()))
      let done = try body(UnsafeBufferPointer(start: memory.slot(tail), count: count))
      advance(by: done)
      return done
    }

    /// Waits as the ring's strategy says until there is something to read.
    /// - Parameter timeoutNanoseconds: Gives up after about this long; `nil`: never.
    /// - Returns: How many elements can be read; 0 when the ring is closed and read to its end, or
    ///   the time was up.
    public mutating func wait(timeoutNanoseconds: UInt64? = nil) -> Int {
      let (memory, ring, tail) = (memory, ring, tail)
      _ = waitUntil(ring.waiting, bell: ring.bell, timeoutNanoseconds: timeoutNanoseconds) {
        memory.head.pointee.load(ordering: .acquiring) != tail || ring.isClosed
      }
      return available()
    }
  }
}

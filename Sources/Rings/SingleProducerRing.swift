// A bounded queue from one thread to one other thread, without locks.
//
//   writer:  element -> slot[next], next += 1 ... publish: head = next  (release)
//   reader:  head (acquire) -> elements of slot[tail ..< head] -> advance: tail += n  (release)
//   writer:  tail (acquire), looked at only when the copy it remembers says "full"
//
// Each side remembers the other's index as it last saw it, so that an index's cache line moves between
// the cores once for a batch, not once for an element.

import Synchronization

/// A bounded queue from one writing thread to one reading thread; each claims its own end of it.
public final class SingleProducerRing<Element: BitwiseCopyable>: Ring<Element>, PublishedRing,
  @unchecked Sendable
{
  /// A reading end of this ring.
  public typealias Consumer = RingConsumer<Element, SingleProducerRing<Element>>

  private let producerClaimed = Atomic<Bool>(false)

  /// An empty ring.
  /// - Parameters:
  ///   - capacity: How many elements fit; a power of two, 1 to 2^30.
  ///   - waiting: How the reader waits while the ring is empty.
  public override init(capacity: Int, waiting: WaitStrategy = .park()) {
    super.init(capacity: capacity, waiting: waiting)
  }

  /// The writing end. Claimed once, by the thread that will write.
  /// - Precondition: nobody claimed it before.
  public func claimProducer() -> Producer {
    let taken = producerClaimed.exchange(true, ordering: .relaxed)
    precondition(!taken, "the ring already has its writer")
    return Producer(self)
  }

  /// The reading end. Claimed once, by the thread that will read.
  /// - Precondition: nobody claimed it before.
  public func claimConsumer() -> Consumer { Consumer(self) }

  /// Where the published elements end. Reads the writer's index.
  @inlinable public func publishedEnd(_ tail: UInt64, knownEnd: UInt64) -> UInt64 {
    // Pairs with the release in `Producer.publish`.
    memory.head.pointee.load(ordering: .acquiring)
  }

  /// Whether the first unread element is published. Reads the writer's index.
  @inlinable public func isPublished(_ position: UInt64) -> Bool {
    memory.head.pointee.load(ordering: .acquiring) != position
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
      // Pairs with the acquire in `publishedEnd`: the elements are there before the index.
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
      // Pairs with the release in `RingConsumer.advance`: the slot was read before it is written again.
      rememberedTail = memory.tail.pointee.load(ordering: .acquiring)
      return next &- rememberedTail <= memory.mask
    }
  }
}

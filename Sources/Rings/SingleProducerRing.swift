// A bounded queue from one thread to one other thread, without locks.
//
//   writer:  element -> slot[next], next += 1 ... publish: head = next  (release)
//   reader:  head (acquire) -> elements of slot[tail ..< head] -> advance: tail += n  (release)
//   writer:  tail (acquire), read only when the remembered copy indicates a full ring
//
// Each side remembers the last known index of the other side, so that the cache line of an index
// moves between the cores once for a batch instead of once for an element.

import Synchronization

/// A bounded queue from one writing thread to one reading thread. Each thread claims its end.
public final class SingleProducerRing<Element: BitwiseCopyable>: Ring<Element>, PublishedRing,
  @unchecked Sendable
{
  /// A reading end of this ring.
  public typealias Consumer = RingConsumer<Element, SingleProducerRing<Element>>

  private let producerClaimed = Atomic<Bool>(false)

  /// An empty ring.
  /// - Parameters:
  ///   - capacity: The number of elements that fit; a power of two, 1 to 2^30.
  ///   - waiting: How the reader waits while the ring is empty.
  public override init(capacity: Int, waiting: WaitStrategy = .park()) {
    super.init(capacity: capacity, waiting: waiting)
  }

  /// Takes the writing end. The writing thread calls it once.
  /// - Precondition: The writing end was not claimed before.
  public func claimProducer() -> Producer {
    let taken = producerClaimed.exchange(true, ordering: .relaxed)
    precondition(!taken, "a ring has one writer")
    return Producer(self)
  }

  /// Takes the reading end. The reading thread calls it once.
  /// - Precondition: The reading end was not claimed before.
  public func claimConsumer() -> Consumer { Consumer(self) }

  /// The position after the last published element: the writer's index.
  @inlinable public func publishedEnd(_ tail: UInt64, knownEnd: UInt64) -> UInt64 {
    // Pairs with the release in `Producer.publish`.
    memory.head.pointee.load(ordering: .acquiring)
  }

  /// Whether the first unread element is published, by the writer's index.
  @inlinable public func isPublished(_ position: UInt64) -> Bool {
    memory.head.pointee.load(ordering: .acquiring) != position
  }

  /// Waits with the ring's strategy until an unread element is published or the ring is closed. Any
  /// thread: for a ring whose reading end several threads use in turns.
  /// - Returns: `false` only when the ring is closed and read to its end. After `true` another
  ///   thread may have taken the elements already.
  public func waitForContent() -> Bool {
    _ = waitUntil(waiting, bell: bell, timeoutNanoseconds: nil) { count > 0 || isClosed }
    // In this order, because a thread that sees the ring closed also sees all published elements.
    return !isClosed || count > 0
  }

  /// The number of published unread elements at the time of the call. Any thread.
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
    /// The position of the next element; elements from `published` up to it are staged.
    @usableFromInline var next: UInt64
    @usableFromInline var published: UInt64
    /// The last known index of the reader, which is at most the actual one.
    @usableFromInline var rememberedTail: UInt64
    @usableFromInline let parks: Bool

    init(_ ring: SingleProducerRing<Element>) {
      self.ring = ring
      memory = ring.memory
      (next, published, rememberedTail) = (0, 0, 0)
      if case .park = ring.waiting { parks = true } else { parks = false }
    }

    /// Stages an element; `publish` makes it visible to the reader.
    /// - Returns: `false` when the ring is full; then nothing was staged.
    @inlinable public mutating func append(_ element: Element) -> Bool {
      if next &- rememberedTail > memory.mask, !hasFreeSlot() { return false }
      memory.slot(next).initialize(to: element)
      next &+= 1  // counts to 2^64, which no ring reaches
      return true
    }

    /// Publishes all staged elements and wakes the reader if it sleeps.
    @inlinable public mutating func publish() {
      guard next != published else { return }
      publishQuietly()
      wake()
    }

    /// Publishes all staged elements without waking the reader; call `wake` afterwards.
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
    /// - Returns: `false` when the ring is full; elements staged before are published nevertheless.
    @inlinable public mutating func push(_ element: Element) -> Bool {
      let taken = append(element)
      publish()
      return taken
    }

    /// The free slots that are contiguous in memory, at most `limit`, for writing elements in
    /// place. Write from the first slot on, then call `stage` with the number of written elements.
    @inlinable public mutating func writable(limit: Int) -> UnsafeMutableBufferPointer<Element> {
      let count = memory.contiguous(from: next, count: min(limit, freeSlots()))
      return UnsafeMutableBufferPointer(start: memory.slot(next), count: count)
    }

    /// Stages the first `count` elements of `writable`.
    /// - Precondition: They were written, and no element was staged since `writable`.
    @inlinable public mutating func stage(_ count: Int) {
      precondition(
        count >= 0 && UInt64(count) <= memory.mask &+ 1 &- (next &- rememberedTail),
        "at most the free slots are staged")
      next &+= UInt64(count)
    }

    /// The number of elements that can be staged now. Reads the reader's index.
    @inlinable public mutating func freeSlots() -> Int {
      _ = hasFreeSlot()
      return Int(memory.mask &+ 1 &- (next &- rememberedTail))
    }

    @inlinable mutating func hasFreeSlot() -> Bool {
      // Pairs with the release in `RingConsumer.advance`: the slot was read before it is written
      // again.
      rememberedTail = memory.tail.pointee.load(ordering: .acquiring)
      return next &- rememberedTail <= memory.mask
    }
  }
}

// A bounded queue from many threads to one, without locks.
//
//   byte   0           128         256         384
//        +-----------+-----------+-----------+---------------------------+---------------------------+
//        | claimed   | tail      | closed    | stamp 0 ... capacity-1    | element 0 ... capacity-1  |
//        | writers   | reader    | any thread| 8 bytes each              |                           |
//        +-----------+-----------+-----------+---------------------------+---------------------------+
//
//   writer:  claimed: p -> p + n  (compare and swap)   takes positions p ..< p + n
//            element -> slot, then stamp[slot] = position + 1  (release), one by one
//   reader:  reads while stamp[slot of tail] == tail + 1  (acquire), then tail += n  (release)
//
// A stamp identifies the lap of the ring to which its element belongs. Therefore the reader never
// takes an element that is claimed but not yet written, and it does not have to clear slots. A
// writer that stops between claim and stamp delays the reader but not the other writers, so a
// writer does nothing else between the two.

import Synchronization

/// A bounded queue from any number of writing threads to one reading thread. The elements of one
/// writer stay in order.
public final class ManyProducerRing<Element: BitwiseCopyable>: Ring<Element>, PublishedRing,
  @unchecked Sendable
{
  /// A reading end of this ring.
  public typealias Consumer = RingConsumer<Element, ManyProducerRing<Element>>

  @usableFromInline let stamps: UnsafeMutablePointer<Atomic<UInt64>>

  /// An empty ring.
  /// - Parameters:
  ///   - capacity: The number of elements that fit; a power of two, 1 to 2^30.
  ///   - waiting: How the reader waits while the ring is empty.
  public override init(capacity: Int, waiting: WaitStrategy = .park()) {
    stamps = .allocate(capacity: capacity)
    for index in 0..<capacity { (stamps + index).initialize(to: Atomic(0)) }
    super.init(capacity: capacity, waiting: waiting)
  }

  deinit {
    stamps.deallocate()
  }

  /// Makes a writing end. Each writing thread has its own.
  public func makeProducer() -> Producer { Producer(self) }

  /// Takes the reading end. The reading thread calls it once.
  /// - Precondition: The reading end was not claimed before.
  public func claimConsumer() -> Consumer { Consumer(self) }

  /// The position after the last stamped element. Linear in the number of new elements.
  @inlinable public func publishedEnd(_ tail: UInt64, knownEnd: UInt64) -> UInt64 {
    var end = knownEnd
    while end &- tail <= memory.mask, isPublished(end) { end &+= 1 }
    return end
  }

  /// Whether the element at `position` is stamped.
  @inlinable public func isPublished(_ position: UInt64) -> Bool {
    // Pairs with the release in `Producer.write`: the element is there before its stamp.
    stamps[Int(position & memory.mask)].load(ordering: .acquiring) == position &+ 1
  }
}

extension ManyProducerRing {
  /// A writing end of a ring. Owned by one thread.
  public struct Producer: ~Copyable, @unchecked Sendable {
    @usableFromInline let ring: ManyProducerRing<Element>
    @usableFromInline let memory: RingMemory<Element>
    /// The last known index of the reader, which is at most the actual one.
    @usableFromInline var rememberedTail: UInt64
    @usableFromInline let parks: Bool

    init(_ ring: ManyProducerRing<Element>) {
      self.ring = ring
      memory = ring.memory
      rememberedTail = 0
      if case .park = ring.waiting { parks = true } else { parks = false }
    }

    /// Writes one element and publishes it.
    /// - Returns: `false` when the ring is full; then nothing was written.
    @inlinable public mutating func push(_ element: Element) -> Bool {
      guard let position = claim(1) else { return false }
      write(element, at: position)
      if parks { ring.bell.ring() }
      return true
    }

    /// Writes several elements in adjacent positions: all of them or none.
    /// - Returns: `false` when they do not fit now; then nothing was written.
    /// - Precondition: Their number is at most the ring's capacity.
    @inlinable public mutating func push(contentsOf elements: UnsafeBufferPointer<Element>) -> Bool
    {
      guard !elements.isEmpty else { return true }
      precondition(elements.count <= Int(memory.mask + 1), "the elements fit into an empty ring")
      guard let position = claim(elements.count) else { return false }
      for (offset, element) in elements.enumerated() {
        write(element, at: position &+ UInt64(offset))
      }
      if parks { ring.bell.ring() }
      return true
    }

    @inlinable mutating func claim(_ count: Int) -> UInt64? {
      var position = memory.head.pointee.load(ordering: .relaxed)
      while true {
        if !fits(count, at: position) {
          // Pairs with the release in `RingConsumer.advance`: slots were read before they are
          // rewritten.
          rememberedTail = memory.tail.pointee.load(ordering: .acquiring)
          guard fits(count, at: position) else { return nil }
        }
        // Relaxed, because this only distributes positions among writers; the stamps publish the
        // elements.
        let (taken, current) = memory.head.pointee.weakCompareExchange(
          expected: position, desired: position &+ UInt64(count), ordering: .relaxed)
        if taken { return position }
        position = current
      }
    }

    /// Whether `count` elements fit at `position`. The difference is signed, since `position` may
    /// be older than `rememberedTail`; then the exchange fails.
    @inlinable func fits(_ count: Int, at position: UInt64) -> Bool {
      Int(position) + count - Int(rememberedTail) <= Int(memory.mask + 1)
    }

    @inlinable func write(_ element: Element, at position: UInt64) {
      memory.slot(position).initialize(to: element)
      // Pairs with the acquire in `isPublished`.
      ring.stamps[Int(position & memory.mask)].store(position &+ 1, ordering: .releasing)
    }
  }
}

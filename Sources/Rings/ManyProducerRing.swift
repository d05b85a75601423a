// A bounded queue from many threads to one, without locks.
//
//   byte   0           128         256         384
//        +-----------+-----------+-----------+---------------------------+---------------------------+
//        | claimed   | tail      | closed    | stamp 0 ... capacity-1    | element 0 ... capacity-1  |
//        | writers'  | reader's  | anybody's | 8 bytes each              |                           |
//        +-----------+-----------+-----------+---------------------------+---------------------------+
//
//   writer:  claimed: p -> p + n  (compare and swap)   takes positions p ..< p + n
//            element -> slot, then stamp[slot] = position + 1  (release), one by one
//   reader:  reads while stamp[slot of tail] == tail + 1  (acquire), then tail += n  (release)
//
// A stamp says which lap of the ring its element belongs to, so the reader never takes an element that
// is claimed but not yet written, and never clears anything. A writer that stops between claim and
// stamp holds up the reader, not the other writers; writers therefore do nothing in between.

import Synchronization

/// A bounded queue from any number of writing threads to one reading thread. Elements of one writer
/// keep their order.
public final class ManyProducerRing<Element: BitwiseCopyable>: @unchecked Sendable {
  @usableFromInline let memory: RingMemory<Element>
  @usableFromInline let stamps: UnsafeMutablePointer<Atomic<UInt64>>
  @usableFromInline let waiting: WaitStrategy
  @usableFromInline let bell = Doorbell()
  private let consumerClaimed = Atomic<Bool>(false)

  /// An empty ring.
  /// - Parameters:
  ///   - capacity: How many elements fit; a power of two, 1 to 2^30.
  ///   - waiting: How the reader waits while the ring is empty.
  public init(capacity: Int, waiting: WaitStrategy = .park()) {
    memory = RingMemory(capacity: capacity)
    stamps = .allocate(capacity: capacity)
    for index in 0..<capacity { (stamps + index).initialize(to: Atomic(0)) }
    self.waiting = waiting
  }

  deinit {
    stamps.deallocate()
    memory.deallocate()
  }

  /// How many elements fit.
  public var capacity: Int { Int(memory.mask + 1) }

  /// A writing end; one for each writing thread.
  public func makeProducer() -> Producer { Producer(self) }

  /// The reading end. Claimed once, by the thread that will read.
  /// - Precondition: nobody claimed it before.
  public func claimConsumer() -> Consumer {
    let taken = consumerClaimed.exchange(true, ordering: .relaxed)
    precondition(!taken, "the ring already has its reader")
    return Consumer(self)
  }

  /// Says that nothing more will be pushed, and wakes the reader. What was pushed before can still be
  /// read. Any thread, after every writer's last push.
  public func close() {
    // Pairs with the acquire in `isClosed`.
    memory.closed.pointee.store(1, ordering: .releasing)
    bell.ring()
  }

  /// Whether `close` was called. Any thread.
  public var isClosed: Bool {
    // Pairs with the release in `close`.
    memory.closed.pointee.load(ordering: .acquiring) != 0
  }

  @inlinable func isReady(_ position: UInt64) -> Bool {
    // Pairs with the release in `Producer.write`: the element is there before its stamp.
    stamps[Int(position & memory.mask)].load(ordering: .acquiring) == position &+ 1
  }
}

extension ManyProducerRing {
  /// A writing end of a ring. Owned by one thread.
  public struct Producer: ~Copyable, @unchecked Sendable {
    @usableFromInline let ring: ManyProducerRing<Element>
    @usableFromInline let memory: RingMemory<Element>
    /// The reader's index as last seen: never beyond the real one.
    @usableFromInline var rememberedTail: UInt64
    @usableFromInline let parks: Bool

    init(_ ring: ManyProducerRing<Element>) {
      self.ring = ring
      memory = ring.memory
      rememberedTail = 0
      if case .park = ring.waiting { parks = true } else { parks = false }
    }

    /// Writes one element; the reader sees it at once.
    /// - Returns: `false` when the ring is full; nothing was written.
    @inlinable public mutating func push(_ element: Element) -> Bool {
      guard let position = claim(1) else { return false }
      write(element, at: position)
      if parks { ring.bell.ring() }
      return true
    }

    /// Writes several elements, which stay together: all of them, or none.
    /// - Returns: `false` when they do not fit now; nothing was written.
    /// - Precondition: there are not more than the ring's capacity.
    @inlinable public mutating func push(contentsOf elements: UnsafeBufferPointer<Element>) -> Bool
    {
      guard !elements.isEmpty else { return true }
      precondition(elements.count <= Int(memory.mask + 1), "more than the ring can ever hold")
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
          // Pairs with the release in `Consumer.advance`: slots were read before they are rewritten.
          rememberedTail = memory.tail.pointee.load(ordering: .acquiring)
          guard fits(count, at: position) else { return nil }
        }
        // Relaxed: it only divides positions among writers; stamps carry the elements.
        let (taken, current) = memory.head.pointee.weakCompareExchange(
          expected: position, desired: position &+ UInt64(count), ordering: .relaxed)
        if taken { return position }
        position = current
      }
    }

    /// Signed, since `position` may be older than `rememberedTail`; then the swap fails.
    @inlinable func fits(_ count: Int, at position: UInt64) -> Bool {
      Int(position) + count - Int(rememberedTail) <= Int(memory.mask + 1)
    }

    @inlinable func write(_ element: Element, at position: UInt64) {
      memory.slot(position).initialize(to: element)
      // Pairs with the acquire in `isReady`.
      ring.stamps[Int(position & memory.mask)].store(position &+ 1, ordering: .releasing)
    }
  }

  /// The reading end of a ring. Owned by one thread.
  public struct Consumer: ~Copyable, @unchecked Sendable {
    @usableFromInline let ring: ManyProducerRing<Element>
    @usableFromInline let memory: RingMemory<Element>
    @usableFromInline var tail: UInt64
    /// Everything below was seen stamped.
    @usableFromInline var ready: UInt64

    init(_ ring: ManyProducerRing<Element>) {
      self.ring = ring
      memory = ring.memory
      (tail, ready) = (0, 0)
    }

    /// How many elements can be read now; linear in those that are new.
    @inlinable public mutating func available() -> Int {
      while ready &- tail <= memory.mask, ring.isReady(ready) { ready &+= 1 }
      return Int(ready &- tail)
    }

    /// The `offset`-th unread element, which stays in the ring.
    /// - Precondition: `offset` is below what `available` returned last, minus what was advanced.
    @inlinable public subscript(offset: Int) -> Element {
      let position = tail &+ UInt64(offset)
      precondition(position < ready, "peeks at an element that is not there")
      return memory.slot(position).pointee
    }

    /// Gives the first `count` unread elements' slots back to the writers.
    /// - Precondition: `count` is not above what `available` returned last, minus what was advanced.
    @inlinable public mutating func advance(by count: Int) {
      precondition(count >= 0 && count <= Int(ready &- tail), "reads beyond the end")
      tail &+= UInt64(count)
      // Pairs with the acquire in `Producer.claim`.
      memory.tail.pointee.store(tail, ordering: .releasing)
    }

    /// Takes one element.
    /// - Returns: `nil` when the ring is empty.
    @inlinable public mutating func pop() -> Element? {
      if tail == ready, available() == 0 { return nil }
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
      let (ring, tail) = (ring, tail)
      _ = waitUntil(ring.waiting, bell: ring.bell, timeoutNanoseconds: timeoutNanoseconds) {
        ring.isReady(tail) || ring.isClosed
      }
      return available()
    }
  }
}

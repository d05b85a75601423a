import Synchronization

/// What rings of one writer and of many have in common: the memory, and a reading end that one thread
/// claims. The ring itself is shared freely.
public class Ring<Element: BitwiseCopyable>: @unchecked Sendable {
  @usableFromInline final let memory: RingMemory<Element>
  @usableFromInline final let waiting: WaitStrategy
  @usableFromInline final let bell = Doorbell()
  private let consumerClaimed = Atomic<Bool>(false)

  /// - Precondition: `capacity` is a power of two, 1 to 2^30.
  init(capacity: Int, waiting: WaitStrategy) {
    memory = RingMemory(capacity: capacity)
    self.waiting = waiting
  }

  deinit {
    memory.deallocate()
  }

  /// How many elements fit.
  public final var capacity: Int { Int(memory.mask + 1) }

  /// Says that nothing more will be written, and wakes the reader. What was written before can still be
  /// read. Any thread, after every writer's last element was published.
  public final func close() {
    // Pairs with the acquire in `isClosed`: who sees it closed sees the last element.
    memory.closed.pointee.store(1, ordering: .releasing)
    bell.ring()
  }

  /// Whether `close` was called. Any thread.
  public final var isClosed: Bool {
    // Pairs with the release in `close`.
    memory.closed.pointee.load(ordering: .acquiring) != 0
  }

  /// - Precondition: nobody called it before.
  final func claimReading() {
    let taken = consumerClaimed.exchange(true, ordering: .relaxed)
    precondition(!taken, "the ring already has its reader")
  }
}

/// How a ring's reading end learns what is written: what differs between one writer and many. Positions count
/// elements since the start.
public protocol PublishedRing: AnyObject {
  /// Where the published elements end, when those below `knownEnd` were published and those below `tail` are read.
  /// Pairs with the writers' release.
  func publishedEnd(_ tail: UInt64, knownEnd: UInt64) -> UInt64

  /// Whether the element at `position`, the first unread one, is published. Pairs with the writers' release.
  func isPublished(_ position: UInt64) -> Bool
}

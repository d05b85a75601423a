import Synchronization

/// The common base of both kinds of rings: the memory, and a reading end that one thread claims.
/// Any number of threads may share the ring object.
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

  /// The number of elements that fit.
  public final var capacity: Int { Int(memory.mask + 1) }

  /// Marks the ring as complete and wakes the reader. Published elements can still be read. Any
  /// thread, after every writer has published its last element.
  public final func close() {
    // Pairs with the acquire in `isClosed`: a thread that sees the ring closed sees the last
    // element.
    memory.closed.pointee.store(1, ordering: .releasing)
    bell.ring()
  }

  /// Whether `close` was called. Any thread.
  public final var isClosed: Bool {
    // Pairs with the release in `close`.
    memory.closed.pointee.load(ordering: .acquiring) != 0
  }

  /// Reserves the reading end.
  /// - Precondition: It was not reserved before.
  final func claimReading() {
    let taken = consumerClaimed.exchange(true, ordering: .relaxed)
    precondition(!taken, "a ring has one reader")
  }
}

/// How the reading end of a ring finds published elements; rings of one and of many writers differ
/// in this. Positions count elements since the start.
public protocol PublishedRing: AnyObject {
  /// The position after the last published element. Elements below `knownEnd` are known to be
  /// published, and elements below `tail` were read. Pairs with the release of the writers.
  func publishedEnd(_ tail: UInt64, knownEnd: UInt64) -> UInt64

  /// Whether the first unread element, at `position`, is published. Pairs with the release of the
  /// writers.
  func isPublished(_ position: UInt64) -> Bool
}

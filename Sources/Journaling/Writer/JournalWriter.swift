// The journal thread beside the matching thread:
//
//   matching thread                          journal thread
//   stamp, apply                             wait for commands
//   ring: append ... publish  ------------>  take what is queued, up to a block (256 KiB)
//                                            one write, one sync
//   release events <= durable  <-----------  durable = last of the block   (release)
//                              <-----------  onDurable(durable)
//
// While a sync runs, the ring fills, so the batch grows with the load (group commit), and a single
// command never waits for others. If there is little to write and the journal thread sleeps, the
// matching thread writes and syncs itself (`commitHere`), because waking another thread and being
// woken by it takes as long as a sync. The thread that owns the claim (`JournalCommitter.claimed`)
// reads the ring and writes the file:
//
//   journal thread    == a burst ==|                       sleeps: the ring is empty
//   matching thread        wanted: |== its turn ==|  reads, applies  |== its turn ==|
//
// A failed write or sync is not retried: the kernel may have dropped the pages and would report
// success for the next sync. Nothing more is published, and the failure policy ends the process.

import Glibc
import MarketModel
import Rings
import Synchronization

/// How much the journal can still accept, depending on whether the next segment can be prepared.
public enum DiskHeadroom: Sendable, Equatable {
  /// All commands can be accepted.
  case ample
  /// The next segment cannot be prepared (for example because the disk is full) and half of the
  /// present one is used: only cancels and session commands should be accepted.
  case low
  /// The next segment cannot be prepared and the present one is nearly full: nothing can be
  /// accepted.
  case none
}

/// Makes commands durable on its own thread.
public final class JournalWriter: Sendable {
  /// Options of the writer.
  public struct Options: Sendable {
    /// Size of new segments in bytes; a multiple of 4096.
    public var segmentBytes = JournalAppender.usualSegmentBytes
    /// Capacity of the ring, in commands; a power of two.
    public var ringCapacity = 1 << 14
    /// How the journal thread waits for commands.
    public var waiting = WaitStrategy.park()
    /// The shard that the journal belongs to.
    public var shard: UInt32 = 0
    /// Starts no threads: `step` does the journal thread's work. For the simulation.
    package var isStepped = false

    /// The defaults: 64 MiB segments, 16,384 queued commands, parking.
    public init() {}
  }

  private let ring: SingleProducerRing<Command>
  private let progress: Progress
  private let preparer: SegmentPreparer
  private let segmentBytes: Int
  private let committer: JournalCommitter
  private let thread: ServiceThread?

  /// Starts the journal thread after a recovered journal, in a new epoch.
  /// - Parameters:
  ///   - lock: Excludes other processes as long as the thread runs.
  ///   - recovered: The result of `Recovery.recover`.
  ///   - onDurable: Called on the journal thread after each commit, with the new `durable`, to
  ///     wake the loop that delivers events. Must be quick.
  ///   - onFailure: Called on the journal thread when a write or sync has failed, after which the
  ///     thread ends and `durable` never grows again. The default ends the process.
  /// - Throws: `system` if the segment to append to cannot be opened.
  public init(
    _ lock: DirectoryLock, _ recovered: RecoveredJournal, options: Options = Options(),
    onDurable: @escaping @Sendable (SequenceNumber) -> Void = { _ in },
    onFailure: @escaping @Sendable (JournalError) -> Void = { JournalWriter.failStop($0) }
  ) throws(JournalError) {
    let appender = try JournalAppender(
      lock, recovered, shard: options.shard, segmentBytes: options.segmentBytes,
      isStepped: options.isStepped)
    (preparer, segmentBytes) = (appender.preparer, options.segmentBytes)
    let ring = SingleProducerRing<Command>(capacity: options.ringCapacity, waiting: options.waiting)
    let progress = Progress(recovered.lastSequence, left: appender.left)
    let committer = JournalCommitter(
      appender, ring: ring, progress: progress, isStepped: options.isStepped, onDurable: onDurable,
      onFailure: onFailure)
    (self.ring, self.progress, self.committer) = (ring, progress, committer)
    thread = options.isStepped ? nil : ServiceThread("journal") { committer.run() }
  }

  /// The producer of the ring into which stamped commands are appended in order. Claimed once, by
  /// the thread that applies commands. While the ring is full, the caller must accept no input.
  public func claimProducer() -> SingleProducerRing<Command>.Producer { ring.claimProducer() }

  /// The last command such that it and all before it survive a crash. Never falls. Any thread.
  public var durable: SequenceNumber {
    // Pairs with the release in `JournalCommitter.publish`: the block can be read from its file.
    SequenceNumber(progress.durable.load(ordering: .acquiring))
  }

  /// Whether a write or sync has failed. Any thread.
  public var hasFailed: Bool { progress.failed.load(ordering: .acquiring) }

  /// How much the journal can still accept. Any thread.
  public var headroom: DiskHeadroom {
    guard preparer.isStarved else { return .ample }
    let left = progress.left.load(ordering: .relaxed)
    invariant(left >= 0, "the free space of a segment is not negative")
    invariant(left % BlockHeader.alignment == 0, "the free space is a number of whole pages")
    return left >= segmentBytes / 2 ? .ample : left >= segmentBytes / 8 ? .low : .none
  }

  /// Whether preparing the next segment fails at the moment; it is retried, and `headroom` says how
  /// much can be accepted in the meantime. Any thread.
  public var isHindered: Bool { preparer.isStarved }

  /// Whether the directory is still in its place. If another one has replaced it, nothing may be
  /// written or removed there. Any thread.
  public var isInPlace: Bool { preparer.isInPlace }

  /// The reason why the next segment cannot be prepared; `nil` if there is none. Any thread.
  public var obstacle: JournalError? { preparer.obstacle }

  /// Commits the quietly published commands on the calling thread, which owns the producer, unless
  /// the journal thread is committing.
  /// - Parameter nanoseconds: How long to wait for the journal thread's present commit, after
  ///   which it leaves the rest to this thread.
  /// - Returns: `false` if the journal thread is still committing; wake it, so that it continues
  ///   with the published commands.
  public func commitHere(waiting nanoseconds: UInt64 = 0) -> Bool {
    thread != nil && committer.commitHere(waiting: nanoseconds)
  }

  /// Writes what is in the ring, seals the journal and ends the thread. Called once, after the last
  /// publish.
  public func close() {
    ring.close()
    thread?.join()
    if thread == nil { committer.run() }
  }

  /// Commits one batch of queued commands, or prepares the next segment; for a writer without a
  /// thread.
  /// - Returns: `false` if there was nothing to do, or the disk is full.
  package func step() -> Bool {
    precondition(thread == nil, "the caller does the work only if there is no thread")
    return committer.step()
  }

  /// Prints the error to standard error and ends the process immediately with exit code 74
  /// (EX_IOERR): what was not made durable must not be acknowledged.
  public static func failStop(_ error: JournalError) -> Never {
    let message = Array("joulebook: journal: \(error)\n".utf8)
    _ = write(STDERR_FILENO, message, message.count)
    _exit(74)
  }
}

/// State of the journal that other threads read.
final class Progress: Sendable {
  let durable: Atomic<UInt64>
  let failed = Atomic<Bool>(false)
  /// Number of bytes left in the present segment.
  let left: Atomic<Int>

  init(_ durable: SequenceNumber, left: Int) {
    self.durable = Atomic(durable.rawValue)
    self.left = Atomic(left)
  }
}

/// Writes and syncs what is in the ring, on the thread that owns the claim.
private final class JournalCommitter: @unchecked Sendable {
  /// Owned by the thread that commits; guards `appender` and `commands`.
  private let claimed = Atomic<Bool>(false)
  /// Wakes the journal thread when the claim is released.
  private let free = Doorbell()
  /// Wakes the matching thread when the claim is released.
  private let handover = Doorbell()
  /// The matching thread waits for the claim, so the journal thread does not take it again.
  private let wanted = Atomic<Bool>(false)
  private let ring: SingleProducerRing<Command>
  private var appender: JournalAppender?
  private var commands: SingleProducerRing<Command>.Consumer
  private let progress: Progress
  private let onDurable: @Sendable (SequenceNumber) -> Void
  private let onFailure: @Sendable (JournalError) -> Void
  /// Whether there is no thread, so that no claim is needed.
  private let isStepped: Bool

  init(
    _ appender: consuming JournalAppender, ring: SingleProducerRing<Command>, progress: Progress,
    isStepped: Bool, onDurable: @escaping @Sendable (SequenceNumber) -> Void,
    onFailure: @escaping @Sendable (JournalError) -> Void
  ) {
    invariant(
      appender.durable.rawValue == progress.durable.load(ordering: .relaxed),
      "exactly the recovered commands are durable")
    self.appender = consume appender
    self.ring = ring
    commands = ring.claimConsumer()
    (self.progress, self.isStepped) = (progress, isStepped)
    (self.onDurable, self.onFailure) = (onDurable, onFailure)
  }

  /// The thread's body: commits batch after batch until the ring is closed and empty.
  func run() {
    while ring.waitForContent() {
      // The other thread owns the claim, or waits for it, for one or two syncs.
      _ = free.wait { !wanted.load(ordering: .relaxed) && claim() }
      let isCommitted = attempt { committer throws(JournalError) in try committer.commit() }
      releaseClaim()
      guard isCommitted else { return }
      onDurable(SequenceNumber(progress.durable.load(ordering: .relaxed)))
    }
    _ = free.wait { claim() }
    _ = attempt { committer throws(JournalError) in
      try committer.appender?.seal()
      invariant(committer.commands.available() == 0, "a journal is closed after the last command")
      committer.appender = nil
    }
    releaseClaim()
  }

  /// Commits what is queued, on the calling thread.
  /// - Returns: `false` if the journal thread is still committing after the wait, or has to wait
  ///   for a segment.
  func commitHere(waiting nanoseconds: UInt64) -> Bool {
    guard claim() || claim(within: nanoseconds) else { return false }
    let before = progress.durable.load(ordering: .relaxed)
    var isCommitted = true
    // What does not fit into the segment or into one block needs another commit, for which no other
    // thread would be woken.
    while isCommitted, appender != nil, commands.available() > 0 {
      // A segment that is not ready, perhaps because the disk is full, is left to the journal
      // thread.
      guard appender?.hasPlace ?? true else {
        releaseClaim()
        return false
      }
      isCommitted = attempt { committer throws(JournalError) in try committer.commit() }
    }
    invariant(
      progress.durable.load(ordering: .relaxed) >= before, "durable never falls")
    releaseClaim()
    return true
  }

  /// - Returns: `false` if it failed; the failure was reported.
  private func attempt(_ body: (JournalCommitter) throws(JournalError) -> Void) -> Bool {
    do throws(JournalError) {
      try body(self)
      return true
    } catch {
      fail(error)
      return false
    }
  }

  /// Waits for the claim, ahead of the journal thread.
  private func claim(within nanoseconds: UInt64) -> Bool {
    guard nanoseconds > 0 else { return false }
    // Relaxed: if the other thread sees it late, that costs one turn; `claimed` provides the
    // exclusion.
    wanted.store(true, ordering: .relaxed)
    let isClaimed = handover.wait(timeoutNanoseconds: nanoseconds) { claim() }
    wanted.store(false, ordering: .relaxed)
    if !isClaimed { free.ring() }
    return isClaimed
  }

  private func claim() -> Bool {
    // Pairs with the release in `releaseClaim`: the other thread's commit is complete.
    !claimed.exchange(true, ordering: .acquiring)
  }

  private func releaseClaim() {
    invariant(claimed.load(ordering: .relaxed), "only a claim that is held is released")
    claimed.store(false, ordering: .releasing)
    handover.ring()
    free.ring()
  }

  /// Commits one batch, or prepares one segment.
  func step() -> Bool {
    guard appender != nil else { return false }
    do throws(JournalError) {
      // Commands taken from the ring must be written, so a place for them is prepared first.
      let hasPlace = try appender?.prepare() ?? false
      guard hasPlace, commands.available() > 0 else { return false }
      try commit()
      onDurable(SequenceNumber(progress.durable.load(ordering: .relaxed)))
      return true
    } catch {
      fail(error)
      return false
    }
  }

  /// Writes and syncs what is in the ring, as far as it fits into one block.
  private func commit() throws(JournalError) {
    // Moved out of the object for the loop, which avoids an exclusivity check per command.
    guard var appender = appender.take() else {
      invariant(
        progress.failed.load(ordering: .relaxed), "the appender is missing only after a failure")
      return
    }
    invariant(appender.isEmpty, "nothing is staged between two commits")
    let before = appender.durable.rawValue
    var (count, isFull) = (0, false)
    repeat {
      let taken = commands.withReadable { batch in
        for (index, command) in batch.enumerated() where !appender.stage(command) {
          isFull = true
          return index
        }
        return batch.count
      }
      if taken == 0 { break }
      count += taken
    } while !isFull
    let durable: SequenceNumber
    do throws(JournalError) {
      durable = try appender.commit()
    } catch {
      // The old segment is released after the report, because releasing it may wait for a stuck
      // disk.
      self.appender = consume appender
      throw error
    }
    invariant(durable.rawValue >= progress.durable.load(ordering: .relaxed), "durable never falls")
    invariant(
      durable.rawValue == before + UInt64(count),
      "exactly the commands taken from the ring became durable")
    invariant(appender.isEmpty, "every command taken from the ring is written")
    progress.left.store(appender.left, ordering: .relaxed)
    self.appender = consume appender
    // Pairs with the acquire in `JournalWriter.durable`.
    progress.durable.store(durable.rawValue, ordering: .releasing)
  }

  /// Nothing is written after a failure, because the content of the file is unknown.
  private func fail(_ error: JournalError) {
    invariant(
      claimed.load(ordering: .relaxed) || isStepped,
      "a commit fails on the thread that holds the claim")
    invariant(!progress.failed.load(ordering: .relaxed), "a journal fails once")
    // Pairs with the acquire in `hasFailed`.
    progress.failed.store(true, ordering: .releasing)
    onFailure(error)
    appender = nil
  }
}

// The journal thread, beside the exchange:
//
//   exchange thread                          journal thread
//   stamp, apply                             wait for commands
//   ring: append ... publish  ------------>  take what is there, up to a block (256 KiB)
//                                            one write, one sync
//   release events <= durable  <-----------  durable = last of the block   (release)
//                              <-----------  onDurable(durable)
//
// While a sync runs the ring fills; so the batch grows with the load (group commit), and one lone
// command waits for nobody. When little is to be written and the journal thread sleeps, the exchange
// thread writes and syncs it itself (`commitHere`): waking another thread, and being woken by it, takes
// as long as a sync. Who holds the claim (`JournalCommitter.claimed`) reads the ring and writes the file:
//
//   journal thread    == a burst ==|                       sleeps: the ring is empty
//   exchange thread        wanted: |== its turn ==|  reads, applies  |== its turn ==|
//
// A failed write or sync is not retried: the kernel may have dropped the pages and would report the next
// sync as good. Nothing is published, and the policy ends the process.

import Glibc
import MarketModel
import Rings
import Synchronization

/// How much the journal can take, as the next segment can be made.
public enum DiskHeadroom: Sendable, Equatable {
  /// Everything.
  case ample
  /// The next segment cannot be made, the disk being full for instance, and half of the present one is
  /// used: only what shrinks the market.
  case low
  /// It cannot, and the present one is nearly full: nothing.
  case none
}

/// Makes commands durable on a thread of its own.
public final class JournalWriter: Sendable {
  /// What can be chosen.
  public struct Options: Sendable {
    /// Size of new segments; a multiple of 4096.
    public var segmentBytes = JournalAppender.usualSegmentBytes
    /// Commands that may wait to be written; a power of two.
    public var ringCapacity = 1 << 14
    /// How the journal thread waits for commands.
    public var waiting = WaitStrategy.park()
    /// Which shard's journal it is.
    public var shard: UInt32 = 0
    /// No threads: `step` does the journal thread's work. For the simulation.
    package var isStepped = false

    /// 64 MiB segments, 16,384 waiting commands, parking.
    public init() {}
  }

  private let ring: SingleProducerRing<Command>
  private let progress: Progress
  private let preparer: SegmentPreparer
  private let segmentBytes: Int
  private let committer: JournalCommitter
  private let thread: ServiceThread?

  /// Starts the journal thread behind a recovered journal, in a new epoch.
  /// - Parameters:
  ///   - lock: Keeps others away as long as the thread runs.
  ///   - recovered: What `Recovery.recover` found.
  ///   - onDurable: Called on the journal thread after each commit, with what `durable` now is: to
  ///     wake the loop that releases events. Must be quick.
  ///   - onFailure: Called on the journal thread when a write or sync failed, after which the thread
  ///     ends and `durable` stands still for ever. By default ends the process.
  /// - Throws: `system` when the segment to append to cannot be opened.
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

  /// The end of the ring into which stamped commands go, in order. Claimed once, by the thread that
  /// applies commands. When it is full, the caller stops taking input until it is not.
  public func claimProducer() -> SingleProducerRing<Command>.Producer { ring.claimProducer() }

  /// Every command up to here survives a crash. Grows. Any thread.
  public var durable: SequenceNumber {
    // Pairs with the release in `JournalCommitter.publish`: the block can be read from its file.
    SequenceNumber(progress.durable.load(ordering: .acquiring))
  }

  /// Whether a write or sync failed. Any thread.
  public var hasFailed: Bool { progress.failed.load(ordering: .acquiring) }

  /// How much the journal can take. Any thread.
  public var headroom: DiskHeadroom {
    guard preparer.isStarved else { return .ample }
    let left = progress.left.load(ordering: .relaxed)
    invariant(left >= 0, "room in a segment")
    invariant(left % BlockHeader.alignment == 0, "room for whole pages")
    return left >= segmentBytes / 2 ? .ample : left >= segmentBytes / 8 ? .low : .none
  }

  /// Whether the next segment cannot be made just now; it is tried again, and `headroom` says how much can be
  /// taken until then. Any thread.
  public var isHindered: Bool { preparer.isStarved }

  /// Whether the directory is still where it was; where another lies in its place, nothing may be written or
  /// removed there. Any thread.
  public var isInPlace: Bool { preparer.isInPlace }

  /// Why; `nil`: it can. Any thread.
  public var obstacle: JournalError? { preparer.obstacle }

  /// Commits what was published quietly on the calling thread, which is the one that owns the producer,
  /// unless the journal thread is at it.
  /// - Parameter nanoseconds: How long to wait for the end of what the journal thread is at, which then
  ///   leaves the rest to this one.
  /// - Returns: `false` when it is still at it: wake it, it goes on with what was published.
  public func commitHere(waiting nanoseconds: UInt64 = 0) -> Bool {
    thread != nil && committer.commitHere(waiting: nanoseconds)
  }

  /// Writes what is in the ring, seals the journal and ends the thread. Once, after the last publish.
  public func close() {
    ring.close()
    thread?.join()
    if thread == nil { committer.run() }
  }

  /// Commits one batch of what waits, or prepares the next segment; for one without a thread.
  /// - Returns: `false` when there was nothing to do, or the disk has no room.
  package func step() -> Bool {
    precondition(thread == nil, "its thread does that")
    return committer.step()
  }

  /// Says on standard error what failed and ends the process with status 74 (EX_IOERR), without
  /// running anything else: what was not made durable must not be acknowledged.
  public static func failStop(_ error: JournalError) -> Never {
    let message = Array("joulebook: journal: \(error)\n".utf8)
    _ = write(STDERR_FILENO, message, message.count)
    _exit(74)
  }
}

/// What the journal thread tells the others.
final class Progress: Sendable {
  let durable: Atomic<UInt64>
  let failed = Atomic<Bool>(false)
  /// Bytes left in the present segment.
  let left: Atomic<Int>

  init(_ durable: SequenceNumber, left: Int) {
    self.durable = Atomic(durable.rawValue)
    self.left = Atomic(left)
  }
}

/// Writes and syncs what is in the ring, on whichever thread holds the claim.
private final class JournalCommitter: @unchecked Sendable {
  /// Held by the thread that commits; guards appender and commands.
  private let claimed = Atomic<Bool>(false)
  /// Rung when the claim is given up, for the journal thread.
  private let free = Doorbell()
  /// The same, for the exchange's.
  private let handover = Doorbell()
  /// The exchange's thread waits for the claim: the journal thread does not take it again.
  private let wanted = Atomic<Bool>(false)
  private let ring: SingleProducerRing<Command>
  private var appender: JournalAppender?
  private var commands: SingleProducerRing<Command>.Consumer
  private let progress: Progress
  private let onDurable: @Sendable (SequenceNumber) -> Void
  private let onFailure: @Sendable (JournalError) -> Void
  /// Without a thread there is nobody to claim it from.
  private let isStepped: Bool

  init(
    _ appender: consuming JournalAppender, ring: SingleProducerRing<Command>, progress: Progress,
    isStepped: Bool, onDurable: @escaping @Sendable (SequenceNumber) -> Void,
    onFailure: @escaping @Sendable (JournalError) -> Void
  ) {
    invariant(
      appender.durable.rawValue == progress.durable.load(ordering: .relaxed),
      "what is known durable is what was recovered")
    self.appender = consume appender
    self.ring = ring
    commands = ring.claimConsumer()
    (self.progress, self.isStepped) = (progress, isStepped)
    (self.onDurable, self.onFailure) = (onDurable, onFailure)
  }

  /// The thread's body: commits batch after batch until the ring is closed and empty.
  func run() {
    while ring.waitForContent() {
      // The other thread has it, or waits for it, for the length of a sync or two.
      _ = free.wait { !wanted.load(ordering: .relaxed) && claim() }
      let isCommitted = attempt { committer throws(JournalError) in try committer.commit() }
      letGo()
      guard isCommitted else { return }
      onDurable(SequenceNumber(progress.durable.load(ordering: .relaxed)))
    }
    _ = free.wait { claim() }
    _ = attempt { committer throws(JournalError) in
      try committer.appender?.seal()
      invariant(committer.commands.available() == 0, "a journal is closed behind the last command")
      committer.appender = nil
    }
    letGo()
  }

  /// What waits, on the calling thread.
  /// - Returns: `false` when the journal thread is committing, after so many ns still, or has a segment to wait
  ///   for.
  func commitHere(waiting nanoseconds: UInt64) -> Bool {
    guard claim() || claim(within: nanoseconds) else { return false }
    let before = progress.durable.load(ordering: .relaxed)
    var isCommitted = true
    // What does not fit the end of a segment, or one block, makes another: nobody else is told of it.
    while isCommitted, appender != nil, commands.available() > 0 {
      // A segment that is not ready, perhaps for want of room, is waited for by the journal's own thread.
      guard appender?.hasPlace ?? true else {
        letGo()
        return false
      }
      isCommitted = attempt { committer throws(JournalError) in try committer.commit() }
    }
    invariant(
      progress.durable.load(ordering: .relaxed) >= before, "durable never falls")
    letGo()
    return true
  }

  /// - Returns: `false` when it failed, after the failure was reported.
  private func attempt(_ body: (JournalCommitter) throws(JournalError) -> Void) -> Bool {
    do throws(JournalError) {
      try body(self)
      return true
    } catch {
      fail(error)
      return false
    }
  }

  /// Waits for the claim, before the journal thread takes it again.
  private func claim(within nanoseconds: UInt64) -> Bool {
    guard nanoseconds > 0 else { return false }
    // Seen too late it costs a turn, no more: who has the claim says `claimed`.
    wanted.store(true, ordering: .relaxed)
    let isClaimed = handover.wait(timeoutNanoseconds: nanoseconds) { claim() }
    wanted.store(false, ordering: .relaxed)
    if !isClaimed { free.ring() }
    return isClaimed
  }

  private func claim() -> Bool {
    // Pairs with the release in `letGo`: the other's commit is complete.
    !claimed.exchange(true, ordering: .acquiring)
  }

  private func letGo() {
    invariant(claimed.load(ordering: .relaxed), "only what was claimed is let go")
    claimed.store(false, ordering: .releasing)
    handover.ring()
    free.ring()
  }

  /// One batch, or one segment.
  func step() -> Bool {
    guard appender != nil else { return false }
    do throws(JournalError) {
      // What is taken from the ring must be written: so the place for it comes first.
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

  /// Writes and syncs what is in the ring, as far as it fits one block.
  private func commit() throws(JournalError) {
    // Held outside of the object meanwhile: no checks of access for each command.
    guard var appender = appender.take() else {
      invariant(progress.failed.load(ordering: .relaxed), "a journal that ends early has failed")
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
      // To be let go behind the report: that waits for the next segment, and this disk may be stuck.
      self.appender = consume appender
      throw error
    }
    invariant(durable.rawValue >= progress.durable.load(ordering: .relaxed), "durable never falls")
    invariant(durable.rawValue == before + UInt64(count), "durable is what was taken from the ring")
    invariant(appender.isEmpty, "nothing taken from the ring and not written")
    progress.left.store(appender.left, ordering: .relaxed)
    self.appender = consume appender
    // Pairs with the acquire in `JournalWriter.durable`.
    progress.durable.store(durable.rawValue, ordering: .releasing)
  }

  /// Nothing is written any more: what the file holds is unknown.
  private func fail(_ error: JournalError) {
    invariant(claimed.load(ordering: .relaxed) || isStepped, "a commit fails in its thread's hands")
    invariant(!progress.failed.load(ordering: .relaxed), "a journal fails once")
    // Pairs with the acquire in `hasFailed`.
    progress.failed.store(true, ordering: .releasing)
    onFailure(error)
    appender = nil
  }
}

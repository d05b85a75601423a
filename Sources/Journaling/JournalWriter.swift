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
// command waits for nobody. A failed write or sync is not retried: the kernel may have dropped the
// pages and would report the next sync as good. Nothing is published, and the policy ends the process.

import Glibc
import MarketModel
import Rings
import Synchronization

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
    /// The calls that write; tests make them fail.
    package var operations = FileOperations.system

    /// 64 MiB segments, 16,384 waiting commands, parking.
    public init() {}
  }

  private let ring: SingleProducerRing<Command>
  private let progress: Progress
  private let thread: RoomThread

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
      operations: options.operations)
    let ring = SingleProducerRing<Command>(capacity: options.ringCapacity, waiting: options.waiting)
    let progress = Progress(recovered.lastSequence)
    let room = JournalRoom(
      appender, ring: ring, progress: progress, onDurable: onDurable, onFailure: onFailure)
    (self.ring, self.progress) = (ring, progress)
    thread = RoomThread { room.run() }
  }

  /// The end of the ring into which stamped commands go, in order. Claimed once, by the thread that
  /// applies commands. When it is full, the caller stops taking input until it is not.
  public func claimProducer() -> SingleProducerRing<Command>.Producer { ring.claimProducer() }

  /// Every command up to here survives a crash. Grows. Any thread.
  public var durable: SequenceNumber {
    // Pairs with the release in `JournalRoom.publish`: the block can be read from its file.
    SequenceNumber(progress.durable.load(ordering: .acquiring))
  }

  /// Whether a write or sync failed. Any thread.
  public var hasFailed: Bool { progress.failed.load(ordering: .acquiring) }

  /// Writes what is in the ring, seals the journal and ends the thread. Once, after the last publish.
  public func close() {
    ring.close()
    thread.join()
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

  init(_ durable: SequenceNumber) {
    self.durable = Atomic(durable.rawValue)
  }
}

/// The journal thread's own.
private final class JournalRoom: @unchecked Sendable {
  /// Handed to the thread when it starts.
  private var appender: JournalAppender?
  private let ring: SingleProducerRing<Command>
  private let progress: Progress
  private let onDurable: @Sendable (SequenceNumber) -> Void
  private let onFailure: @Sendable (JournalError) -> Void

  init(
    _ appender: consuming JournalAppender, ring: SingleProducerRing<Command>, progress: Progress,
    onDurable: @escaping @Sendable (SequenceNumber) -> Void,
    onFailure: @escaping @Sendable (JournalError) -> Void
  ) {
    self.appender = consume appender
    (self.ring, self.progress) = (ring, progress)
    (self.onDurable, self.onFailure) = (onDurable, onFailure)
  }

  func run() {
    guard var appender = appender.take() else { return }
    do throws(JournalError) {
      try drain(&appender)
      try appender.seal()
    } catch {
      progress.failed.store(true, ordering: .releasing)
      onFailure(error)
    }
  }

  /// Commits batch after batch until the ring is closed and empty.
  private func drain(_ appender: inout JournalAppender) throws(JournalError) {
    var commands = ring.claimConsumer()
    while commands.wait() > 0 {
      var isFull = false
      repeat {
        let taken = commands.withReadable { batch in
          for (index, command) in batch.enumerated() where !appender.stage(command) {
            isFull = true
            return index
          }
          return batch.count
        }
        if taken == 0 { break }
      } while !isFull
      publish(try appender.commit())
    }
  }

  private func publish(_ sequence: SequenceNumber) {
    // Pairs with the acquire in `JournalWriter.durable`.
    progress.durable.store(sequence.rawValue, ordering: .releasing)
    onDurable(sequence)
  }
}

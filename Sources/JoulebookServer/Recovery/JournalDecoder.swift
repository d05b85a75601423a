// A long replay on two threads: one reads, verifies and decodes, the other applies.
//
//     segments ─▶ reader (own thread) ─▶ ring of commands ─▶ replay

import Journaling
import MarketModel
import Rings
import Synchronization

/// Reads a journal ahead, on its own thread, up to a durable command. All methods belong to the
/// thread that replays.
final class JournalDecoder {
  /// Capacity of the ring, in commands. They are decoded in place and published in groups.
  private static let capacity = 1 << 12
  private static let group = 256

  private let ring = SingleProducerRing<Command>(capacity: capacity)
  private var commands: SingleProducerRing<Command>.Consumer
  /// Number of commands that the replay has received and not yet released.
  private var inHand = 0
  private let work: Work
  private let thread: ServiceThread

  /// The state that both threads access.
  private final class Work: @unchecked Sendable {
    var reader: JournalReader?
    let end: SequenceNumber
    let isStopped = Atomic<Bool>(false)
    let hasSpace = Doorbell()
    /// Written before the ring is closed.
    var failure: JournalError?

    init(_ reader: consuming JournalReader, _ end: SequenceNumber) {
      self.reader = consume reader
      self.end = end
    }
  }

  /// Starts reading, up to `end`.
  init(_ reader: consuming JournalReader, through end: SequenceNumber) {
    let (ring, work) = (ring, Work(reader, end))
    commands = ring.claimConsumer()
    self.work = work
    thread = ServiceThread("decoder") { Self.decode(work, ring) }
  }

  deinit {
    work.isStopped.store(true, ordering: .releasing)
    work.hasSpace.ring()
    thread.join()
  }

  /// Waits for the next commands and returns at most `limit` of them.
  /// - Returns: the commands in place, valid until the next call; empty after the last.
  /// - Throws: after the last readable command, the error that stopped the reader.
  func next(limit: Int) throws(JournalError) -> UnsafeBufferPointer<Command> {
    commands.advance(by: inHand)
    inHand = 0
    if commands.available() < Self.capacity / 2 {
      work.hasSpace.ring()
      // The ring is closed and empty, so what the reader wrote before closing it is visible.
      if commands.wait() == 0, let failure = work.failure { throw failure }
    }
    let group = commands.readable(limit: limit)
    inHand = group.count
    return group
  }

  private static func decode(_ work: Work, _ ring: SingleProducerRing<Command>) {
    var commands = ring.claimProducer()
    defer { ring.close() }
    guard var reader = work.reader.take() else { return }
    do throws(JournalError) {
      while true {
        let space = commands.writable(limit: group)
        if space.isEmpty {
          _ = work.hasSpace.wait {
            work.isStopped.load(ordering: .acquiring) || ring.count < capacity / 2
          }
          if work.isStopped.load(ordering: .acquiring) { return }
          continue
        }
        let count = try reader.read(into: space, through: work.end)
        if count == 0 { return }
        commands.stage(count)
        commands.publish()
      }
    } catch {
      work.failure = error
    }
  }
}

import Journaling
import MarketModel
import Rings

/// The journal on this machine's disk. The thread that applies commands writes and syncs small
/// turns itself; the journal thread writes larger ones.
struct LocalLog: ~Copyable, CommitLog {
  /// Maximum number of commands staged before they are published to the journal thread.
  private static let journalGroup = 128

  /// If a sync takes longer than this (ns), the commits of the next `penalty` turns are left to the
  /// journal thread, because waking it is cheap compared with blocking this thread.
  private static let longSync: UInt64 = 400_000
  /// Number of turns left to the journal thread after a long sync.
  private static let penalty = 64
  /// Number of consecutive small turns after which this thread waits for the journal thread's
  /// running commit and then commits itself. Committing earlier would add a commit for each message
  /// that arrives during a sync, without making any of them durable sooner.
  private static let calm = 8

  private let journal: JournalWriter
  private var pages: SingleProducerRing<Command>.Producer
  /// Largest turn, in commands, that this thread commits itself.
  private let direct: Int
  private var staged = 0
  /// Turns still to be left to the journal thread after a long sync.
  private var leftToOther = 0
  /// Number of consecutive small turns.
  private var smallTurns = 0
  /// Whether commands of this turn were already published to the journal thread.
  private var isShared = false

  /// - Parameters:
  ///   - journal: Writes and syncs; this log is its only producer.
  ///   - direct: Largest turn, in commands, that `endTurn` commits on this thread while the
  ///     journal thread sleeps; 0 disables this.
  init(_ journal: JournalWriter, direct: Int) {
    self.journal = journal
    self.direct = min(direct, Self.journalGroup)
    pages = journal.claimProducer()
  }

  var durable: SequenceNumber { journal.durable }
  var headroom: DiskHeadroom { journal.headroom }
  var isHindered: Bool { journal.isHindered }
  var obstacle: JournalError? { journal.obstacle }
  var progress: (any CommitProgress)? { journal }

  mutating func hasCapacity(for count: Int) -> Bool { pages.freeSlots() > count }

  @inline(__always) mutating func append(_ command: borrowing Command) {
    let isWritten = pages.append(copy command)
    precondition(isWritten, "a command is applied only when the log has capacity for it")
    staged += 1
    // The comparison is `>`: a turn of exactly one group can still be committed on this thread.
    if staged > Self.journalGroup { share() }
  }

  mutating func endTurn() {
    defer { isShared = false }
    guard staged > 0 else { return }
    leftToOther = max(0, leftToOther - 1)
    smallTurns = isShared || staged > direct ? 0 : smallTurns + 1
    guard smallTurns > 0, leftToOther == 0 else { return share() }
    pages.publishQuietly()
    staged = 0
    let start = SystemTime().steady
    let patience = smallTurns >= Self.calm ? Self.longSync : 0
    guard journal.commitHere(waiting: patience) else {
      pages.wake()
      return
    }
    if SystemTime().steady - start > Self.longSync { leftToOther = Self.penalty }
  }

  func close() { journal.close() }

  /// Publishes all staged commands to the journal thread.
  private mutating func share() {
    pages.publish()
    (staged, isShared) = (0, true)
  }
}

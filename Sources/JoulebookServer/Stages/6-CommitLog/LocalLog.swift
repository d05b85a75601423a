import Journaling
import MarketModel
import Rings

/// The journal on this machine's disk. Small turns are written and synced on the thread that applies commands,
/// larger ones by the journal's own thread.
struct LocalLog: ~Copyable, CommitLog {
  /// The most commands that are staged before the journal's thread is shown them.
  private static let journalGroup = 128

  /// If a sync takes longer than this (ns), the commits of the next `penalty` turns are left to the journal's
  /// thread: waking it is cheap compared with blocking this one.
  private static let longSync: UInt64 = 400_000
  /// Number of turns that are left to the journal's thread after a long sync.
  private static let penalty = 64
  /// Number of small turns in a row after which this thread waits for the commit that the journal's thread is
  /// at, and takes over. A commit for each message that comes during a sync would make none of them durable
  /// sooner, and take the core from those that do.
  private static let calm = 8

  private let journal: JournalWriter
  private var pages: SingleProducerRing<Command>.Producer
  /// Commands of a turn up to which this thread commits them itself.
  private let direct: Int
  private var staged = 0
  /// Turns that are left to the journal's thread, since a sync took long.
  private var leftToOther = 0
  /// Small turns in a row.
  private var smallTurns = 0
  /// The journal's thread was shown commands of this turn already.
  private var isShared = false

  /// - Parameters:
  ///   - journal: Writes and syncs; this log becomes its only producer.
  ///   - direct: Commands of a turn up to which `endTurn` writes and syncs them on this thread, when the
  ///     journal's sleeps; 0: never.
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

  mutating func hasCapacity(for count: Int) -> Bool { pages.room() > count }

  @inline(__always) mutating func append(_ command: borrowing Command) {
    let isWritten = pages.append(copy command)
    precondition(isWritten, "a command is applied only when the log has capacity for it")
    staged += 1
    // One more than a group: a whole one at the end of a turn is still committed here.
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

  /// Shows the journal's thread all that was taken.
  private mutating func share() {
    pages.publish()
    (staged, isShared) = (0, true)
  }
}

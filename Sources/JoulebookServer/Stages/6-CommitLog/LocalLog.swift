import Journaling
import MarketModel
import Rings

/// Where applied commands go to be kept, as the thread sees it that applies them: the journal, or nowhere
/// (`journal.kept: none`), where what is applied counts as durable at once.
struct CommandLog: ~Copyable {
  /// Commands are shown to the journal's thread in groups of at most so many.
  private static let journalGroup = 128

  /// A sync that takes so long, in ns, is waited for by the journal's thread the next times: this one has
  /// better to do, and a wake is little beside it.
  private static let longSync: UInt64 = 400_000
  /// So many turns.
  private static let penalty = 64
  /// After so many small turns in a row it is calm: this thread waits for the commit that the journal's
  /// thread is at, and takes over. A turn for each message that comes during a sync would make none of
  /// them durable sooner, and take the core from those that do.
  private static let calm = 8

  private let journal: JournalWriter?
  private var pages: SingleProducerRing<Command>.Producer?
  /// Commands of a turn up to which this thread commits them itself.
  private let direct: Int
  private var last: SequenceNumber
  private var staged = 0
  /// Turns that are left to the journal's thread, since a sync took long.
  private var leftToOther = 0
  /// Small turns in a row.
  private var smallTurns = 0
  /// The journal's thread was shown commands of this turn already.
  private var isShared = false

  /// - Parameters:
  ///   - journal: `nil`: nothing is kept.
  ///   - last: The last command that was kept before.
  ///   - direct: Commands of a turn up to which `endTurn` writes and syncs them on this thread, when the
  ///     journal's sleeps; 0: never.
  init(_ journal: JournalWriter?, last: SequenceNumber, direct: Int) {
    (self.journal, self.last) = (journal, last)
    self.direct = min(direct, Self.journalGroup)
    pages = journal?.claimProducer()
  }

  /// Everything up to here survives a crash, or nothing ever does.
  var durable: SequenceNumber { journal?.durable ?? last }

  /// How much can be taken.
  var headroom: DiskHeadroom { journal?.headroom ?? .ample }

  /// Whether the next segment cannot be made just now, and why.
  var isHindered: Bool { journal?.isHindered ?? false }
  var obstacle: JournalError? { journal?.obstacle }

  /// Whether so many commands and a checkpoint behind them can be taken now.
  mutating func hasRoom(for count: Int) -> Bool {
    guard let room = pages?.room() else { return true }
    return room > count
  }

  /// Takes a stamped command.
  /// - Precondition: there is room for it.
  mutating func append(_ command: borrowing Command) {
    last = command.sequence
    guard let isWritten = pages?.append(copy command) else { return }
    precondition(isWritten, "a command is applied only when the journal has room for it")
    staged += 1
    // One more than a group: a whole one at the end of a turn is still committed here.
    if staged > Self.journalGroup { share() }
  }

  /// A turn is over: what was taken becomes durable, at once or by the journal's thread.
  mutating func endTurn() {
    defer { isShared = false }
    guard staged > 0 else { return }
    leftToOther = max(0, leftToOther - 1)
    smallTurns = isShared || staged > direct ? 0 : smallTurns + 1
    guard smallTurns > 0, leftToOther == 0, let journal else { return share() }
    pages?.publishQuietly()
    staged = 0
    let start = SystemTime().steady
    let patience = smallTurns >= Self.calm ? Self.longSync : 0
    guard journal.commitHere(waiting: patience) else {
      pages?.wake()
      return
    }
    if SystemTime().steady - start > Self.longSync { leftToOther = Self.penalty }
  }

  /// Shows the journal's thread all that was taken.
  private mutating func share() {
    pages?.publish()
    (staged, isShared) = (0, true)
  }
}

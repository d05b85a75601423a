import Journaling
import MarketModel
import Rings

/// Where applied commands go to be kept, as the thread sees it that applies them: the journal, or nowhere
/// (`journal.kept: none`), where what is applied counts as durable at once.
struct CommandLog: ~Copyable {
  /// Commands are shown to the journal's thread in groups of at most so many.
  private static let journalGroup = 32

  private let journal: JournalWriter?
  private var pages: SingleProducerRing<Command>.Producer?
  private var last: SequenceNumber
  private var staged = 0

  /// - Parameters:
  ///   - journal: `nil`: nothing is kept.
  ///   - last: The last command that was kept before.
  init(_ journal: JournalWriter?, last: SequenceNumber) {
    (self.journal, self.last) = (journal, last)
    pages = journal?.claimProducer()
  }

  /// Everything up to here survives a crash, or nothing ever does.
  var durable: SequenceNumber { journal?.durable ?? last }

  /// How much can be taken.
  var intake: JournalWriter.Room { journal?.intake ?? .ample }

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
    if staged >= Self.journalGroup { publish() }
  }

  /// Shows the journal's thread all that was taken.
  mutating func publish() {
    if staged > 0 { pages?.publish() }
    staged = 0
  }
}

// Settlement by another process, as the server sees it (`settler: process`):
//
//     journal writer ── durable ──▶ settlement.durable ──▶ joulebook settle ──▶ ledger
//     intake ◀── confirmations ──── settlement.done ◀──────────┘
//
// The server has no credentials of the ledger and never waits for the other process: it tells how
// far the journal may be settled, and journals what has been.

import Glibc
import Journaling
import Logging
import MarketModel
import Rings
import Synchronization

/// Follows the settlement of another process. `run` is the body of a thread; all other methods may
/// be called from any thread.
final class SettlementWatch: SettlingService {
  /// Source, destination and environment.
  struct Setting: Sendable {
    /// The data folder.
    var folder: DataFolder
    /// The last batch whose confirmation is in the journal.
    var confirmed: UInt64
    /// Tells how far the log can be read.
    var log: any CommitProgress
    /// Receives the confirmations, as commands.
    var intake: ManyProducerRing<Command>
    /// Wakes the thread that runs the stages.
    var wake: @Sendable () -> Void
    /// Protects the segments being read from removal.
    var retention: JournalRetention
  }

  /// Pause between two looks, ns.
  private static let pauseNanoseconds: UInt64 = 20_000_000
  /// Looks without a settler after which that is told: 5 s.
  private static let patience = 250

  private let setting: Setting
  private let log: Logger
  private let doorbell = Doorbell()
  private let isEnding = Atomic<Bool>(false)
  private let hasEnded = Atomic<Bool>(false)
  private let done = Atomic<UInt64>(0)
  private let dueAt = Atomic<UInt64>(.max)
  private let logBytes = Atomic<UInt64>(0)
  private let behind = Atomic<UInt64>(HistoryService.noLag)
  private let state = Atomic<UInt64>(SettlementNote.State.waiting.rawValue)

  let name = "settlement"
  let priority = ServiceThread.Priority.background

  init(_ setting: Setting, log: Logger) { (self.setting, self.log) = (setting, log) }

  // Pairs with the release in `follow`.
  var finished: SequenceNumber { SequenceNumber(done.load(ordering: .acquiring)) }

  var isWaiting: Bool { found == .waiting }

  var due: Timestamp? {
    let due = dueAt.load(ordering: .relaxed)
    return due == .max ? nil : Timestamp(nanoseconds: due)
  }

  var ledgerLogBytes: UInt64 { logBytes.load(ordering: .relaxed) }

  var historyLag: UInt64 { behind.load(ordering: .relaxed) }

  var hasStopped: Bool { found == .stopped }

  /// Never: the other process settles on after the server's end.
  var isBehind: Bool { false }

  /// Whether a server that ends need not wait: the other process is not there, or cannot settle.
  var isOver: Bool { found != .settling || hasEnded.load(ordering: .acquiring) }

  private var found: SettlementNote.State? {
    SettlementNote.State(rawValue: state.load(ordering: .relaxed))
  }

  /// Ends with the server; the settler goes on to the last durable command by itself.
  func end(after sequence: SequenceNumber) { end() }

  func end() {
    isEnding.store(true, ordering: .releasing)
    doorbell.ring()
  }

  func run() {
    if let (mine, theirs) = open() {
      var confirmed = setting.confirmed
      var missed = 0
      while true {
        let last = isEnding.load(ordering: .acquiring)
        mine.write(durable: setting.log.durable)
        missed = theirs.isLocked ? 0 : missed + 1
        if missed == Self.patience {
          log.error(
            "ALARM: trading goes on, but no process settles it; start `joulebook settle`",
            metadata: ["data": "\(setting.folder.path)"])
        }
        if let note = theirs.readNote() { follow(note, isThere: missed == 0, &confirmed) }
        if last { break }
        _ = doorbell.wait(timeoutNanoseconds: Self.pauseNanoseconds) {
          isEnding.load(ordering: .acquiring)
        }
      }
    }
    // What the other process has not settled stays protected: it reads on after this server's end.
    dueAt.store(.max, ordering: .relaxed)
    hasEnded.store(true, ordering: .releasing)
    setting.wake()
  }

  private func open() -> (SettlementFile, SettlementFile)? {
    guard let mine = SettlementFile(setting.folder.settlementDurable),
      let theirs = SettlementFile(setting.folder.settlementDone), mine.lock()
    else {
      log.critical(
        "ALARM: no process can settle, trading goes on: a file in the data folder cannot be opened",
        metadata: [
          "files": "\(setting.folder.settlementDurable), \(setting.folder.settlementDone)",
          "reason": "\(String(cString: strerror(errno)))",
        ])
      state.store(SettlementNote.State.stopped.rawValue, ordering: .relaxed)
      return nil
    }
    return (mine, theirs)
  }

  /// Takes over what the settler says, and journals the confirmation of its last batch.
  private func follow(_ note: SettlementNote, isThere: Bool, _ confirmed: inout UInt64) {
    // A file from another life of this folder.
    guard note.through <= setting.log.durable else { return }
    let found = isThere || note.state == .stopped ? note.state : .waiting
    state.store(found.rawValue, ordering: .relaxed)
    logBytes.store(note.logBytes, ordering: .relaxed)
    behind.store(isThere ? note.historyLag : HistoryService.noLag, ordering: .relaxed)
    dueAt.store(isThere ? note.due?.nanoseconds ?? .max : .max, ordering: .relaxed)
    if let last = note.confirmed, last.batch > confirmed {
      var entrance = setting.intake.makeProducer()
      let command = Command(session: .exchange, body: .control(.settlementConfirmed(last)))
      // A full intake takes it at the next look.
      guard entrance.push(command) else { return }
      confirmed = last.batch
      setting.wake()
    }
    // A settler that starts again reads from an older snapshot; what it settled before stays
    // settled.
    guard note.through.rawValue > done.load(ordering: .relaxed) else { return }
    done.store(note.through.rawValue, ordering: .releasing)
    setting.retention.settled(note.through)
  }
}

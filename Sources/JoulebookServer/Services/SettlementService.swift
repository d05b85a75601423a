// Settlement replays the durable journal on its own thread and posts it to the ledger:
//
//     journal on disk ─▶ reader ─▶ second exchange ─▶ settler ─▶ ledger
//                                        │               │
//                        checkpoints compared            └─▶ confirmation ─▶ intake
//
// The matching thread never waits for it. If the ledger cannot accept a batch, the service
// retries until it can; the journal is the backlog. See docs/decisions/0002.

import ExchangeCore
import Glibc
import Journaling
import Logging
import MarketModel
import Rings
import Settlement
import Synchronization

/// Settles durable commands. `run` is the body of a thread; all other methods may be called from
/// any thread, unless they say otherwise.
final class SettlementService: Service {
  /// Source, destination and environment.
  struct Setting: Sendable {
    /// Path of the journal's directory.
    var journal: String
    /// File system that contains the journal.
    var disk: any Disk = SystemDisk()
    /// Opens the ledger. Called on the service's thread.
    var openLedger: @Sendable () throws(LedgerError) -> any Ledger
    /// Capacity and settlement rules of the replayed exchange.
    var market: MarketState.Setting
    /// Last command of the recovered journal; up to it, ledger and journal are reconciled.
    var recovered: SequenceNumber
    /// Tells how far the log can be read.
    var log: any CommitProgress
    /// Receives the confirmations, as commands.
    var intake: ManyProducerRing<Command>
    /// Wakes the thread that runs the stages.
    var wake: @Sendable () -> Void
    /// Protects the segments being read from removal.
    var retention: JournalRetention
  }

  /// What remains to be done after a turn.
  enum Turn: Equatable {
    /// There is more to settle now.
    case again
    /// Everything durable was settled up to this command; continue when more is durable.
    case caughtUp(SequenceNumber)
    /// The ledger or the journal is unavailable; retry later.
    case ledgerWaits
    /// Confirmations remain because the intake is full; retry soon.
    case intakeIsFull
    /// Settlement has ended or stopped.
    case over
  }

  /// Longest sleep after everything durable was settled, ns.
  private static let pauseNanoseconds: UInt64 = 10_000_000
  /// Pause before a retry when the ledger or the journal is unavailable, ns: the first, and the
  /// longest after which it does not double any more.
  private static let firstRetryNanoseconds: UInt64 = 250_000_000
  private static let longestRetryNanoseconds: UInt64 = 4_000_000_000

  private let setting: Setting
  private let log: Logger
  private let doorbell = Doorbell()
  /// The command after which the service ends; `UInt64.max` while the server runs.
  private let last = Atomic<UInt64>(.max)
  /// The last command whose settlement is finished.
  private let done = Atomic<UInt64>(0)
  private let hasEnded = Atomic<Bool>(false)
  private let ledgerIsAway = Atomic<Bool>(false)
  private let journalIsAway = Atomic<Bool>(false)
  private let hasHalted = Atomic<Bool>(false)
  /// Due time of the open batch, ns since 1970; `UInt64.max` if none is open.
  private let dueAt = Atomic<UInt64>(.max)
  private let logBytes = Atomic<UInt64>(0)

  let name = "settlement"
  let priority = ServiceThread.Priority.background

  init(_ setting: Setting, log: Logger) {
    (self.setting, self.log) = (setting, log)
  }

  /// The last command that is settled as far as possible; its confirmations are in the intake.
  var finished: SequenceNumber {
    // Pairs with the release in `turn`.
    SequenceNumber(done.load(ordering: .acquiring))
  }

  /// Whether it waits for a ledger that does not respond.
  var isWaiting: Bool { ledgerIsAway.load(ordering: .relaxed) }

  /// Due time of the open batch, according to the durable commands replayed so far; `nil` if none
  /// is open.
  var due: Timestamp? {
    let due = dueAt.load(ordering: .relaxed)
    return due == .max ? nil : Timestamp(nanoseconds: due)
  }

  /// Size of the ledger's write-ahead log, in bytes.
  var ledgerLogBytes: UInt64 { logBytes.load(ordering: .relaxed) }

  /// Whether settlement has stopped and needs an operator: it ended for any reason other than being
  /// told to.
  var hasStopped: Bool { hasHalted.load(ordering: .relaxed) || isOver && !isEnding }

  /// Whether it ended before the command after which it was told to end. Closed batches may be
  /// missing in the ledger; the next start posts them.
  var isBehind: Bool { isOver && isEnding && !isLast(finished) }

  /// Whether the service has ended, because it was told to or because settlement stopped.
  var isOver: Bool {
    // Pairs with the release in `conclude`.
    hasEnded.load(ordering: .acquiring)
  }

  /// Makes the service end after the command `sequence`, or earlier if the ledger does not respond.
  func end(after sequence: SequenceNumber) {
    // Pairs with the acquire in `isLast`.
    last.store(sequence.rawValue, ordering: .releasing)
    doorbell.ring()
  }

  /// Makes the service end where it is, unless a command to end after was set.
  func end() {
    if !isEnding { end(after: .none) }
  }

  func run() {
    do throws(JournalError) {
      if var replay = try openReplay() {
        var unsent: [SettlementConfirmed] = []
        var retry = Self.firstRetryNanoseconds
        follow: while true {
          let turn = try turn(&replay, &unsent)
          if turn != .ledgerWaits { retry = Self.firstRetryNanoseconds }
          switch turn {
          case .intakeIsFull: sleep(1_000_000, until: SequenceNumber(.max))
          case .again: break
          case .over: break follow
          case .caughtUp(let last): sleep(Self.pauseNanoseconds, until: last)
          case .ledgerWaits:
            sleep(retry, until: SequenceNumber(.max))
            retry = min(2 * retry, Self.longestRetryNanoseconds)
          }
        }
        replay.close()
      }
    } catch .tooEarly(_, let asked, let oldest) {
      hasHalted.store(true, ordering: .relaxed)
      log.critical(
        """
        ALARM: settlement stops, trading goes on: the ledger needs segments that were removed, and \
        fits no snapshot. Bring back a copy of the ledger, or of those segments, and start again
        """, metadata: ["needed": asked.field, "oldest": oldest.field])
    } catch {
      hasHalted.store(true, ordering: .relaxed)
      log.critical("ALARM: settlement stops, trading goes on", metadata: error.fields)
    }
    conclude()
  }

  /// Creates the replay that `turn` advances.
  /// - Returns: `nil` if the ledger does not respond now.
  /// - Throws: if the journal cannot be read, or begins after what the ledger needs.
  func makeReplay(_ settler: consuming Settler) throws(JournalError) -> SettlementReplay? {
    try SettlementReplay(
      directory: setting.journal, disk: setting.disk, setting: setting.market,
      recovered: setting.recovered, settler: settler, log: log)
  }

  /// Creates the replay as soon as the ledger responds; `nil` if an operator is needed or the
  /// server ends first.
  private func openReplay() throws(JournalError) -> SettlementReplay? {
    var retry = Self.firstRetryNanoseconds
    while let settler = openSettler() {
      do throws(JournalError) {
        if let replay = try makeReplay(settler) { return replay }
      } catch {
        guard error.mayPass else { throw error }
        announce(error)
      }
      ledgerIsAway.store(true, ordering: .relaxed)
      pause(&retry)
    }
    return nil
  }

  /// Waits before the next attempt, twice as long as before the last one, or until the service
  /// ends.
  private func pause(_ retry: inout UInt64) {
    _ = doorbell.wait(timeoutNanoseconds: retry) { isEnding }
    retry = min(2 * retry, Self.longestRetryNanoseconds)
  }

  /// Settles durable commands, as far as the ledger accepts them. On the service's thread.
  /// - Parameter unsent: Confirmations for which the intake had no capacity.
  /// - Throws: if the journal is damaged or cannot be read.
  func turn(
    _ replay: inout SettlementReplay, _ unsent: inout [SettlementConfirmed]
  ) throws(JournalError) -> Turn {
    confirm(&unsent)
    guard unsent.isEmpty else { return isEnding ? .over : .intakeIsFull }
    if replay.isHalted { return .over }
    let confirmations: [SettlementConfirmed]
    do throws(JournalError) {
      confirmations = try replay.advance(through: setting.log.durable)
    } catch {
      // For example no free descriptor, or a directory that is temporarily missing: the replay
      // keeps its position and retries.
      guard error.mayPass else { throw error }
      announce(error)
      return isEnding ? .over : .ledgerWaits
    }
    if journalIsAway.exchange(false, ordering: .relaxed) { log.notice("settlement goes on") }
    unsent = confirmations
    confirm(&unsent)
    // Pairs with the acquire in `finished`.
    done.store(replay.settledThrough.rawValue, ordering: .releasing)
    setting.retention.settled(replay.settledThrough)
    ledgerIsAway.store(replay.isWaiting, ordering: .relaxed)
    if replay.isHalted { hasHalted.store(true, ordering: .relaxed) }
    dueAt.store(replay.due?.nanoseconds ?? .max, ordering: .relaxed)
    logBytes.store(replay.watchLedgerLog(isIdle: confirmations.isEmpty), ordering: .relaxed)
    if !confirmations.isEmpty { return .again }
    if isLast(replay.settledThrough) || replay.isWaiting && isEnding { return .over }
    return replay.isWaiting ? .ledgerWaits : .caughtUp(replay.settledThrough)
  }

  /// Logs once that the journal cannot be read at the moment.
  private func announce(_ error: JournalError) {
    ledgerIsAway.store(true, ordering: .relaxed)
    guard !journalIsAway.exchange(true, ordering: .relaxed) else { return }
    log.error("ALARM: trading goes on, settlement tries again", metadata: error.fields)
  }

  /// Sleeps until a command after `sequence` is durable, the service is told to end, or the time
  /// has passed.
  private func sleep(_ nanoseconds: UInt64, until sequence: SequenceNumber) {
    _ = doorbell.wait(timeoutNanoseconds: nanoseconds) {
      isEnding || setting.log.durable > sequence
    }
  }

  private var isEnding: Bool { last.load(ordering: .acquiring) != .max }

  private func isLast(_ sequence: SequenceNumber) -> Bool {
    sequence.rawValue >= last.load(ordering: .acquiring)
  }

  /// Opens the ledger, retrying while it does not respond.
  /// - Returns: `nil` if an operator is needed, or the server ends first.
  private func openSettler() -> Settler? {
    var isAnnounced = false
    var retry = Self.firstRetryNanoseconds
    while !isEnding {
      do throws(LedgerError) {
        return try Settler(setting.openLedger())
      } catch {
        guard error.remedy != .halt else {
          hasHalted.store(true, ordering: .relaxed)
          log.critical(
            "ALARM: settlement does not start, trading goes on", metadata: ["error": "\(error)"])
          return nil
        }
        if !isAnnounced {
          log.error(
            "ALARM: trading goes on, settlement tries again", metadata: ["error": "\(error)"])
        }
        isAnnounced = true
        ledgerIsAway.store(true, ordering: .relaxed)
      }
      pause(&retry)
    }
    return nil
  }

  /// Submits confirmations to the exchange, as many as the intake accepts.
  private func confirm(_ confirmations: inout [SettlementConfirmed]) {
    guard !confirmations.isEmpty else { return }
    var entrance = setting.intake.makeProducer()
    while let confirmation = confirmations.first {
      let command = Command(session: .exchange, body: .control(.settlementConfirmed(confirmation)))
      guard entrance.push(command) else { break }
      confirmations.removeFirst()
    }
    setting.wake()
  }

  /// Marks the service as ended. On the service's thread.
  func conclude() {
    setting.retention.settlementIsOver()
    ledgerIsAway.store(false, ordering: .relaxed)
    dueAt.store(.max, ordering: .relaxed)
    // Pairs with the acquire in `isOver`.
    hasEnded.store(true, ordering: .releasing)
    setting.wake()
  }
}

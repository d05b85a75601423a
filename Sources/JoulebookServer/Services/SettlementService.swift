// Settlement replays the durable journal on a thread of its own and posts it to the ledger:
//
//     journal on disk ─▶ reader ─▶ second exchange ─▶ settler ─▶ ledger
//                                        │               │
//                        checkpoints compared            └─▶ confirmation ─▶ intake
//
// The exchange thread never waits for it. When the ledger cannot take a batch, the service tries again
// until it can, and the journal is the backlog. See docs/decisions/0002.

import ExchangeCore
import Glibc
import Journaling
import Logging
import MarketModel
import Rings
import Settlement
import Synchronization

/// Settles what is durable. `run` is the body of a thread; everything else may be called by any.
final class SettlementService: Service {
  /// What it reads and where it writes.
  struct Setting: Sendable {
    /// The journal's directory.
    var journal: String
    /// Where it is.
    var disk: any Disk = SystemDisk()
    /// Opens the ledger. The service's thread.
    var openLedger: @Sendable () throws(LedgerError) -> any Ledger
    /// What its history is made with.
    var market: MarketState.Setting
    /// Last command of the recovered journal: there ledger and journal are reconciled.
    var recovered: SequenceNumber
    /// How far the log is that it reads.
    var log: any CommitProgress
    /// Where confirmations enter.
    var intake: ManyProducerRing<Command>
    /// Wakes the I/O thread.
    var wake: @Sendable () -> Void
    /// Keeps what it reads from being removed.
    var retention: JournalRetention
  }

  /// What a turn left to do.
  enum Turn: Equatable {
    /// More, at once.
    case again
    /// More, when a command behind this one is durable.
    case caughtUp(SequenceNumber)
    /// The same, when the ledger answers.
    case ledgerWaits
    /// The confirmations that are left, when the intake has capacity.
    case intakeIsFull
    /// Nothing, ever.
    case over
  }

  /// How long it sleeps when it has seen all that is durable.
  private static let pauseNanoseconds: UInt64 = 10_000_000
  /// How long it waits before it asks a ledger again that could not answer.
  private static let retryNanoseconds: UInt64 = 500_000_000

  private let setting: Setting
  private let log: Logger
  private let bell = Doorbell()
  /// The command behind which it ends; the highest number while the server runs.
  private let last = Atomic<UInt64>(.max)
  /// The highest command it is done with.
  private let done = Atomic<UInt64>(0)
  private let hasEnded = Atomic<Bool>(false)
  private let ledgerIsAway = Atomic<Bool>(false)
  private let journalIsAway = Atomic<Bool>(false)
  private let hasHalted = Atomic<Bool>(false)
  /// When the open batch is due; the highest number while none is open.
  private let dueAt = Atomic<UInt64>(.max)
  private let logBytes = Atomic<UInt64>(0)

  let name = "settlement"
  let priority = ServiceThread.Priority.background

  init(_ setting: Setting, log: Logger) {
    (self.setting, self.log) = (setting, log)
  }

  /// The highest command that it has settled as far as it could; its confirmations are in the intake.
  var finished: SequenceNumber {
    // Pairs with the release in `follow`.
    SequenceNumber(done.load(ordering: .acquiring))
  }

  /// Whether it waits for a ledger that does not answer.
  var isWaiting: Bool { ledgerIsAway.load(ordering: .relaxed) }

  /// When the batch in the making is due, as far as what is durable was looked at; `nil`: none is open.
  var due: Timestamp? {
    let due = dueAt.load(ordering: .relaxed)
    return due == .max ? nil : Timestamp(nanoseconds: due)
  }

  /// Bytes of the log beside the ledger.
  var ledgerLogBytes: UInt64 { logBytes.load(ordering: .relaxed) }

  /// Whether settlement has stopped and an operator must look: for whatever reason nothing more comes from
  /// it, but that it was told to end.
  var hasStopped: Bool { hasHalted.load(ordering: .relaxed) || isOver && !isEnding }

  /// Whether it ended before the command behind which it was to end: closed batches may be missing in the
  /// ledger.
  var isBehind: Bool { isOver && isEnding && !isLast(finished) }

  /// Whether nothing more comes from it: it was told to end, or settlement has stopped.
  var isOver: Bool {
    // Pairs with the release in `conclude`.
    hasEnded.load(ordering: .acquiring)
  }

  /// Ends it behind the command `sequence`, sooner if the ledger does not answer.
  func end(behind sequence: SequenceNumber) {
    // Pairs with the acquire in `isLast`.
    last.store(sequence.rawValue, ordering: .releasing)
    bell.ring()
  }

  /// Ends it where it is, unless it was told behind which command to end.
  func end() {
    if !isEnding { end(behind: .none) }
  }

  func run() {
    do throws(JournalError) {
      if var replay = try openReplay() {
        var unsent: [SettlementConfirmed] = []
        follow: while true {
          switch try turn(&replay, &unsent) {
          case .intakeIsFull: sleep(1_000_000, until: SequenceNumber(.max))
          case .again: break
          case .over: break follow
          case .caughtUp(let last): sleep(Self.pauseNanoseconds, until: last)
          case .ledgerWaits: sleep(Self.retryNanoseconds, until: SequenceNumber(.max))
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

  /// The replay that `turn` advances.
  /// - Returns: `nil` when the ledger does not answer now.
  /// - Throws: when the journal cannot be read, or begins behind what the ledger needs.
  func makeReplay(_ settler: consuming Settler) throws(JournalError) -> SettlementReplay? {
    try SettlementReplay(
      directory: setting.journal, disk: setting.disk, setting: setting.market,
      recovered: setting.recovered, settler: settler, log: log)
  }

  /// The replay, as soon as the ledger answers; `nil` when an operator must look or the server ends first.
  private func openReplay() throws(JournalError) -> SettlementReplay? {
    while let settler = openSettler() {
      do throws(JournalError) {
        if let replay = try makeReplay(settler) { return replay }
      } catch {
        guard error.mayPass else { throw error }
        announce(error)
      }
      ledgerIsAway.store(true, ordering: .relaxed)
      _ = bell.wait(timeoutNanoseconds: Self.retryNanoseconds) { isEnding }
    }
    return nil
  }

  /// Settles what is durable, as far as the ledger takes it.
  /// - Parameter unsent: Confirmations for which the intake had no capacity.
  /// - Throws: when the journal is damaged or cannot be read.
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
      // No descriptor, say, or the folder is not there just now: it stands where it was, and asks again.
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

  /// Says once that the journal cannot be read just now.
  private func announce(_ error: JournalError) {
    ledgerIsAway.store(true, ordering: .relaxed)
    guard !journalIsAway.exchange(true, ordering: .relaxed) else { return }
    log.error("ALARM: trading goes on, settlement tries again", metadata: error.fields)
  }

  /// Sleeps until a command behind `sequence` is durable, the server ends, or the time is up.
  private func sleep(_ nanoseconds: UInt64, until sequence: SequenceNumber) {
    _ = bell.wait(timeoutNanoseconds: nanoseconds) {
      isEnding || setting.log.durable > sequence
    }
  }

  private var isEnding: Bool { last.load(ordering: .acquiring) != .max }

  private func isLast(_ sequence: SequenceNumber) -> Bool {
    sequence.rawValue >= last.load(ordering: .acquiring)
  }

  /// Opens the ledger, and asks again while it cannot answer.
  /// - Returns: `nil` when an operator must look, or the server ends first.
  private func openSettler() -> Settler? {
    var isAnnounced = false
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
      _ = bell.wait(timeoutNanoseconds: Self.retryNanoseconds) { isEnding }
    }
    return nil
  }

  /// Hands confirmations to the exchange, as many as the intake takes.
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

  /// Nothing more comes from it.
  func conclude() {
    setting.retention.settlementIsOver()
    ledgerIsAway.store(false, ordering: .relaxed)
    dueAt.store(.max, ordering: .relaxed)
    // Pairs with the acquire in `isOver`.
    hasEnded.store(true, ordering: .releasing)
    setting.wake()
  }
}

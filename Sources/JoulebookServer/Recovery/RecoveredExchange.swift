import ExchangeCore
import GatewayKit
import Journaling
import Logging
import MarketModel

/// The result of recovery from snapshot and journal: the exchange, and where the journal continues.
struct RecoveredExchange: ~Copyable {
  /// The exchange after every command in the journal.
  var exchange: Exchange
  /// The end of the journal; `nil` if no journal is kept.
  var journal: RecoveredJournal?
  /// The last command in the snapshot that recovery started from; `.none` if it replayed from the
  /// first command.
  var snapshot = SequenceNumber.none
  /// Commands in the journal that were refused and not applied.
  var refused: [RefusedCommand] = []
  /// Whether one of them is refused for the first time by this start.
  var hasNewRefusal = false

  /// The last command applied.
  var lastSequence: SequenceNumber { journal?.lastSequence ?? .none }
  /// The time of that command.
  var lastTime: Timestamp { journal?.lastTime ?? Timestamp(nanoseconds: 0) }

  /// A new exchange without a journal.
  static func nothing(capacity: Capacity) -> RecoveredExchange {
    RecoveredExchange(exchange: Exchange(capacity: capacity), journal: nil)
  }

  /// Number of commands after which a long replay logs its progress.
  private static let progressInterval: UInt64 = 1_000_000

  /// Reads the newest usable snapshot, finds the end of the journal, cuts off a torn tail, and
  /// applies every command after the snapshot; the gateways receive the events.
  /// - Parameter crash: Record of how the last run ended; `nil` if there is none.
  /// - Throws: if the journal is damaged, the replay differs from a journaled checkpoint, or a
  ///   command may not be refused.
  static func replay(
    _ lock: DirectoryLock, _ setting: MarketState.Setting, _ delivery: Delivery,
    crash: CrashRecord? = nil, log: Logger
  ) throws(StartError) -> RecoveredExchange {
    var sink = RecoverySink(delivery)
    let recovered: RecoveredExchange
    do throws(JournalError) {
      recovered = try replay(lock, setting, &sink, crash, log)
    } catch {
      throw .journal(error)
    }
    if let mismatch = sink.divergence.mismatch { throw .diverged(mismatch) }
    do throws(JournalError) {
      try crash?.conclude()
    } catch {
      throw .journal(error)
    }
    return recovered
  }

  /// Applies every command; stops at the first checkpoint whose hash differs.
  private static func replay(
    _ lock: DirectoryLock, _ setting: MarketState.Setting, _ sink: inout RecoverySink,
    _ crash: CrashRecord?, _ log: Logger
  ) throws(JournalError) -> RecoveredExchange {
    let snapshot = try MarketState.newest(
      in: lock.directory, setting, disk: lock.disk, log: log)
    let start = snapshot.sequence
    try restoreRefused(lock, log)
    let journal = try Recovery.recover(lock, after: start)
    announce(journal, log)
    if start > .none {
      log.info("recovery continues after the snapshot", metadata: ["command": start.field])
    }
    let (refused, isNew) = try crash?.prepare(journal) ?? (journal.refused, false)
    let exchange = begin(snapshot, &sink)
    var replay = try JournalReplay(
      exchange, for: .recovery, directory: lock.directory, verification: .checksums,
      disk: lock.disk,
      aheadTo: lock.disk is SystemDisk ? journal.lastSequence : nil)
    while let command = try replay.step(through: journal.lastSequence, into: &sink) {
      if sink.divergence.mismatch != nil { break }
      let sequence = command.pointee.sequence
      sink.delivery.endCommand(command.pointee.time)
      if sequence.rawValue % progressInterval == 0 {
        log.info(
          "replaying", metadata: ["command": sequence.field, "last": journal.lastSequence.field])
      }
    }
    return RecoveredExchange(
      exchange: replay.exchange, journal: journal, snapshot: start, refused: refused.entries,
      hasNewRefusal: isNew)
  }

  /// Adds entries that are missing in the list of refused commands but present in a snapshot.
  private static func restoreRefused(_ lock: DirectoryLock, _ log: Logger) throws(JournalError) {
    let snapshots = try Snapshots.refusals(lock.directory, disk: lock.disk)
    for entry in try RefusedCommands.restore(lock, from: snapshots) {
      log.critical(
        "ALARM: the list of refused commands lacked an entry, which was restored from a snapshot",
        metadata: ["command": entry.sequence.field, "path": "\(lock.directory)/refused"])
    }
  }

  /// Splits a recovered state: the view goes to delivery.
  /// - Returns: its exchange.
  private static func begin(
    _ history: consuming MarketState, _ sink: inout RecoverySink
  ) -> Exchange {
    sink.delivery.view.adopt(history.view)
    return history.exchange
  }

  private static func announce(_ journal: RecoveredJournal, _ log: Logger) {
    if let torn = journal.tornTail {
      log.notice(
        "cut off a torn tail, whose commands were never acknowledged",
        metadata: [
          "path": "\(torn.path)", "byte": "\(torn.offset)", "bytes": "\(torn.bytes)",
          "defect": "\(torn.defect)",
        ])
    }
    if journal.lastSequence == .none {
      return log.info("the journal is empty: a new exchange begins")
    }
    log.info(
      journal.isSealed ? "the journal was closed in order" : "the journal was not closed in order",
      metadata: ["command": journal.lastSequence.field])
  }
}

/// Passes the events of the replay to the gateways, like those of live commands.
private struct RecoverySink: CommandEventSink {
  let delivery: Delivery
  var divergence = DivergenceWatch()
  private var sequence = SequenceNumber.none
  private var time = Timestamp(nanoseconds: 0)

  init(_ delivery: Delivery) { self.delivery = delivery }

  mutating func begin(_ command: borrowing Command) {
    (sequence, time) = (command.sequence, command.time)
    delivery.view.begin(command)
  }

  mutating func emit(_ event: Event) {
    divergence.note(event, of: sequence)
    withUnsafePointer(to: event) { delivery.deliver($0, of: sequence, time) }
  }
}

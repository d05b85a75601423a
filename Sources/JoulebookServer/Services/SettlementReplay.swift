import ExchangeCore
import Journaling
import Logging
import MarketModel
import Settlement

/// The exchange and settler of the settlement thread: durable commands in, confirmations out. Owned
/// by the settlement thread.
struct SettlementReplay: ~Copyable {
  private var replay: JournalReplay
  private var sink: SettlerSink
  /// The last command whose entries are in the ledger or in the open batch. Commands of a closed
  /// batch that the ledger could not accept yet are not included.
  var settledThrough: SequenceNumber {
    sink.settler.hasBatchInHand ? SequenceNumber(max(1, taken.rawValue) - 1) : taken
  }
  /// The last command applied.
  private var taken = SequenceNumber.none
  /// Whether settlement has stopped and needs an operator.
  private(set) var isHalted = false
  private var isReconciled = false
  /// Confirmations to be journaled; kept if the journal cannot be read further at the moment.
  private var confirmations: [SettlementConfirmed] = []
  private var announced = Settler.Condition.following
  /// Size of the ledger's write-ahead log from which on a warning is logged, in bytes: 64 MiB.
  private static let largestLog: UInt64 = 64 << 20
  /// Number of idle turns between attempts to truncate the log.
  private static let logPatience = 256
  private var isLogAnnounced = false
  private var idleTurns = 0
  private let recovered: SequenceNumber
  private let log: Logger

  /// Starts from the newest snapshot whose batches the ledger has, or before the first command.
  /// - Parameter recovered: The last command that was in the journal when the server started; up
  ///   to it, ledger and journal are reconciled.
  /// - Returns: `nil` if the ledger does not respond now; try again later.
  /// - Throws: if the journal cannot be read, or begins after what the ledger needs.
  init?(
    directory: String, disk: any Disk, setting: MarketState.Setting, recovered: SequenceNumber,
    settler: consuming Settler, log: Logger
  ) throws(JournalError) {
    var settler = settler
    var failure: LedgerError?
    let snapshot = try MarketState.newest(in: directory, setting, disk: disk, log: log) {
      switch settler.resume($0.batches, confirmed: $0.exchange.counts.settledBatch) {
      case .resumed: return true
      case .doesNotFit: return false
      case .unavailable(let error):
        failure = error
        return true
      }
    }
    if let failure {
      log.error(
        "ALARM: trading goes on, settlement tries again", metadata: ["error": "\(failure)"])
      return nil
    }
    taken = snapshot.sequence
    let known = snapshot.view.takeReference()
    replay = try JournalReplay(
      Self.exchange(of: snapshot), for: .settlement, directory: directory,
      verification: .checksums, disk: disk)
    sink = SettlerSink(settler, known)
    (self.recovered, self.log) = (recovered, log)
  }

  private static func exchange(of history: consuming MarketState) -> Exchange {
    history.exchange
  }

  /// Whether the ledger could not accept the present batch and is retried.
  var isWaiting: Bool {
    if case .waiting = sink.settler.condition { true } else { false }
  }

  /// Due time of the open batch; `nil` if none is open or settlement has stopped.
  var due: Timestamp? { isHalted ? nil : sink.settler.due }

  /// Logs once when the ledger's write-ahead log grows because a reader has kept one transaction
  /// open for long, and truncates the log in idle times.
  /// - Returns: the size of the log in bytes.
  mutating func watchLedgerLog(isIdle: Bool) -> UInt64 {
    let bytes = sink.settler.ledgerLogBytes
    // The size cannot be read while the ledger does not respond.
    if isWaiting { return bytes }
    if bytes > Self.largestLog {
      idleTurns += isIdle ? 1 : 0
      if idleTurns >= Self.logPatience {
        idleTurns = 0
        sink.settler.shrinkLedgerLog()
      }
    }
    let isLarge = bytes > Self.largestLog
    guard isLarge != isLogAnnounced else { return bytes }
    isLogAnnounced = isLarge
    if isLarge {
      log.warning(
        """
        the ledger's log grows: a program reads one state of the ledger for long (fuser, of the \
        ledger's file, names it); settlement goes on, and the log gets small when that program is done
        """, metadata: ["bytes": "\(bytes)"])
    } else {
      log.notice("the ledger's log is small again", metadata: ["bytes": "\(bytes)"])
    }
    return bytes
  }

  /// Settles up to the command `bound`, or until there are confirmations to be journaled.
  /// - Returns: confirmations to journal, after which it is called again. Empty at the bound, if
  ///   the ledger cannot accept a batch (`isWaiting`; call again later), or if settlement has
  ///   stopped.
  /// - Throws: if the journal is damaged or cannot be read.
  mutating func advance(
    through bound: SequenceNumber
  ) throws(JournalError) -> [SettlementConfirmed] {
    sink.settler.watchPlace()
    if let late = sink.settler.retry() { confirmations.append(late) }
    while !isHalted, !isWaiting {
      if !isReconciled, taken >= recovered { confirmations += reconcile() }
      guard let command = try replay.step(through: bound, into: &sink) else { break }
      taken = command.pointee.sequence
      if let confirmation = sink.settler.endCommand(command.pointee) {
        confirmations.append(confirmation)
        break
      }
      judge()
    }
    judge()
    defer { confirmations = [] }
    return confirmations
  }

  /// Closes the ledger and logs if that fails.
  consuming func close() {
    do throws(LedgerError) {
      try sink.close()
    } catch {
      log.warning("the ledger could not be closed", metadata: ["error": "\(error)"])
    }
  }

  private mutating func reconcile() -> [SettlementConfirmed] {
    isReconciled = true
    switch sink.settler.reconcile() {
    case .equal(let head):
      log.info("the ledger agrees with the journal", metadata: ["batch": "\(head.batch)"])
    case .behind(let resent, _):
      log.notice(
        "the ledger was behind the journal: batches applied", metadata: ["batches": "\(resent)"])
    case .ahead, .different: judge()
    }
    return sink.settler.unconfirmed
  }

  /// Logs once what prevents settlement from continuing.
  private mutating func judge() {
    if let mismatch = sink.divergence.mismatch, !isHalted {
      isHalted = true
      log.critical(
        """
        ALARM: the replay of the journal differs from the live exchange; settlement halts, trading \
        goes on. Keep the data folder as it is and report this
        """, metadata: ["checkpoint": mismatch.field])
    }
    guard announced != sink.settler.condition else { return }
    announced = sink.settler.condition
    switch announced {
    case .following: log.notice("settlement goes on")
    case .waiting(let error):
      log.error(
        "ALARM: trading goes on, settlement tries again", metadata: ["error": "\(error)"])
    case .halted(let error):
      isHalted = true
      log.critical(
        "ALARM: settlement halts, trading goes on", metadata: ["error": "\(error)"])
    }
  }
}

/// Passes the events of the replay to the settler.
private struct SettlerSink: ~Copyable, CommandEventSink {
  var settler: Settler
  private var reference: ReferenceData
  var divergence = DivergenceWatch()
  private var sequence = SequenceNumber.none
  private var time = Timestamp(nanoseconds: 0)

  init(_ settler: consuming Settler, _ reference: consuming ReferenceData) {
    self.settler = settler
    self.reference = reference
  }

  mutating func begin(_ command: borrowing Command) {
    (sequence, time) = (command.sequence, command.time)
  }

  mutating func emit(_ event: Event) {
    divergence.note(event, of: sequence)
    if case .reference(let event) = event { reference.note(event, at: time) }
    settler.take(event, sequence: sequence, time: time, reference)
  }

  consuming func close() throws(LedgerError) { try settler.close() }
}

import MarketModel

/// Brings the journal to a ledger, each batch exactly once. It follows the journal from its first
/// command: what the ledger already has is recomputed and compared, what it lacks is applied.
///
///     for each command that is durable, in order:
///       settler.take(event, ...)        for each of its events
///       settler.endCommand(...)         a confirmation to journal, or nil
///       while case .waiting = settler.condition: sleep, settler.retry()
///     after the replay at start-up: settler.reconcile(), then journal settler.unconfirmed
///
/// Owned by the settler's thread, with the ledger. While it waits it must not be fed: the journal is
/// the backlog, nothing is kept in memory but the one batch in hand.
public struct Settler: ~Copyable {
  /// What the settler is doing.
  public enum Condition: Sendable, Equatable {
    /// Taking commands.
    case following
    /// The ledger could not take the batch in hand; call `retry` after a while.
    case waiting(LedgerError)
    /// Settlement has stopped; an operator must look. What is fed is ignored.
    case halted(LedgerError)
  }

  /// What the settler is doing.
  public private(set) var condition: Condition = .following
  /// The ledger's head as last read or applied.
  public private(set) var ledgerHead: LedgerHead
  /// Batches in the ledger whose confirmation has not come back through the journal, oldest first.
  public private(set) var unconfirmed: [SettlementConfirmed] = []
  /// The ledger's head when this settler began.
  public let headAtStart: LedgerHead

  private let ledger: any Ledger
  private var builder: BatchBuilder
  /// The batch that the ledger could not take yet.
  private var inHand: SettlementBatch?

  /// A settler at the start of the journal. Shard and batch rules are those of the ledger.
  /// - Throws: what reading the head throws.
  public init(_ ledger: any Ledger) throws(LedgerError) {
    self.ledger = ledger
    builder = BatchBuilder(genesis: ledger.genesis)
    headAtStart = try ledger.head()
    ledgerHead = headAtStart
  }

  /// Whether a settler could go on behind a snapshot.
  public enum Resumption: Sendable, Equatable {
    /// It goes on there.
    case resumed
    /// The ledger lacks the snapshot's last batch, or has another: an older one is needed.
    case doesNotFit
    /// The ledger does not answer now; ask again later.
    case unavailable(LedgerError)
  }

  /// Goes on behind a snapshot instead of the journal's first command.
  /// - Parameters:
  ///   - builder: The batches cut up to there.
  ///   - confirmed: The last batch whose confirmation is journaled up to there.
  /// - Precondition: nothing was taken yet.
  public mutating func resume(_ builder: BatchBuilder, confirmed: UInt64) -> Resumption {
    precondition(
      inHand == nil && journalHead.batch == 0, "a settler resumes before its first event")
    let head = builder.head
    guard builder.genesis == ledger.genesis, head.batch <= headAtStart.batch else {
      return .doesNotFit
    }
    do throws(LedgerError) {
      if head.batch > 0, try ledger.row(ofBatch: head.batch)?.hash != head.hash {
        return .doesNotFit
      }
      var missing: [SettlementConfirmed] = []
      for id in stride(from: confirmed + 1, through: head.batch, by: 1) {
        guard let row = try ledger.row(ofBatch: id) else { return .doesNotFit }
        missing.append(SettlementConfirmed(batch: id, lastSequence: row.last))
      }
      (self.builder, unconfirmed) = (builder, missing)
      return .resumed
    } catch {
      return error.remedy == .halt ? .doesNotFit : .unavailable(error)
    }
  }

  /// When the open batch is due; `nil`: none is open, or settlement has stopped.
  public var due: Timestamp? { isHalted ? nil : builder.due }

  /// Bytes of the log beside the ledger.
  public var ledgerLogBytes: UInt64 { ledger.logBytes }

  /// Makes that log small, if nobody needs it.
  public func shrinkLedgerLog() { ledger.shrinkLog() }

  /// Waits when the ledger is no longer in its place: nothing is brought to it, or confirmed.
  public mutating func watchPlace() {
    guard case .following = condition else { return }
    do throws(LedgerError) { try ledger.checkPlace() } catch { stop(error) }
  }

  /// Whether a batch is closed that the ledger has not taken.
  public var hasBatchInHand: Bool { inHand != nil }

  /// The last batch cut from the journal.
  public var journalHead: LedgerHead { builder.head }

  /// Takes one event of the durable command `sequence`, sequenced at `time`.
  /// - Parameter known: What areas and instruments are paid in, as the events so far say.
  /// - Precondition: not `.waiting`.
  public mutating func take(
    _ event: Event, sequence: SequenceNumber, time: Timestamp, _ known: borrowing ReferenceData
  ) {
    if isHalted { return }
    precondition(inHand == nil, "a waiting settler must not be fed; call retry")
    if case .control(.settlementConfirmed(let confirmed)) = event {
      unconfirmed.removeAll { $0.batch <= confirmed.batch }
    } else {
      builder.take(event, sequence: sequence, time: time, known)
    }
  }

  /// Ends the durable command `sequence`, sequenced at `time`, after all of its events.
  /// - Parameter closes: `Command.Body.closesBatch` of the command.
  /// - Returns: what to journal, when a batch was newly applied.
  /// - Precondition: not `.waiting`.
  public mutating func endCommand(
    sequence: SequenceNumber, time: Timestamp, closes: Bool
  ) -> SettlementConfirmed? {
    if isHalted { return nil }
    precondition(inHand == nil, "a waiting settler must not be fed; call retry")
    do throws(LedgerError) {
      inHand = try builder.endCommand(sequence: sequence, time: time, closes: closes)
    } catch {
      condition = .halted(error)
    }
    return settleInHand()
  }

  /// Ends a durable command, after all of its events.
  /// - Returns: what to journal, when a batch was newly applied.
  /// - Precondition: not `.waiting`.
  public mutating func endCommand(_ command: borrowing Command) -> SettlementConfirmed? {
    endCommand(
      sequence: command.sequence, time: command.time, closes: command.body.closesBatch)
  }

  /// Connects again, reads the head and offers the batch in hand once more. Does nothing unless
  /// waiting.
  /// - Returns: what to journal, when the batch is in the ledger now.
  public mutating func retry() -> SettlementConfirmed? {
    guard case .waiting = condition else { return nil }
    do throws(LedgerError) {
      try ledger.reconnect()
      let head = try ledger.head()
      guard head.batch >= ledgerHead.batch else {
        throw .chainMismatch(
          batch: head.batch + 1,
          reason: "the ledger ended with batch \(ledgerHead.batch), now with \(head.batch): it was "
            + "replaced by an older one. A restart brings what it lacks from the journal")
      }
      ledgerHead = head
    } catch {
      stop(error)
      return nil
    }
    condition = .following
    return settleInHand()
  }

  /// Compares ledger and journal after the whole journal was replayed at start-up.
  /// - Returns: how they stood; after `.ahead` and `.different` the settler has halted.
  public mutating func reconcile() -> Reconciliation {
    if case .halted(let error) = condition { return .different(error) }
    if case .waiting(let error) = condition { return .behind(resent: 0, waiting: error) }
    if ledgerHead.batch > builder.head.batch {
      let reason =
        "the ledger ends with batch \(ledgerHead.batch) at command \(ledgerHead.last.rawValue), "
        + "the journal makes only \(builder.head.batch); the journal has lost commands"
      condition = .halted(.chainMismatch(batch: ledgerHead.batch, reason: reason))
      return .ahead(ledger: ledgerHead, journal: builder.head)
    }
    let resent = ledgerHead.batch - headAtStart.batch
    return resent == 0 ? .equal(ledgerHead) : .behind(resent: resent, waiting: nil)
  }

  /// Gives the ledger back, closed.
  /// - Throws: what closing throws.
  public consuming func close() throws(LedgerError) { try ledger.close() }

  private var isHalted: Bool {
    if case .halted = condition { true } else { false }
  }

  /// Offers the batch in hand: compares it when the ledger has it, applies it otherwise.
  private mutating func settleInHand() -> SettlementConfirmed? {
    guard let batch = inHand else { return nil }
    let confirmation = SettlementConfirmed(batch: batch.id, lastSequence: batch.last)
    do throws(LedgerError) {
      let known = batch.id <= headAtStart.batch
      if known {
        let stored = try ledger.row(ofBatch: batch.id)
        _ = try ledger.admission(of: batch, after: ledgerHead, stored: stored)
      } else {
        _ = try ledger.apply(batch)
        ledgerHead = LedgerHead(after: batch.row, genesis: ledger.genesis)
      }
      inHand = nil
      unconfirmed.append(confirmation)
      return known ? nil : confirmation
    } catch {
      stop(error)
      return nil
    }
  }

  private mutating func stop(_ error: LedgerError) {
    condition = error.remedy == .halt ? .halted(error) : .waiting(error)
  }
}

/// How ledger and journal stood when the exchange started.
public enum Reconciliation: Sendable, Equatable {
  /// The ledger has every batch that the journal makes.
  case equal(LedgerHead)
  /// The ledger lacked batches; this many were applied. `waiting` when it could not take more.
  case behind(resent: UInt64, waiting: LedgerError?)
  /// The ledger has batches that the journal does not make. Settlement has halted.
  case ahead(ledger: LedgerHead, journal: LedgerHead)
  /// The ledger's batches differ from the journal's. Settlement has halted.
  case different(LedgerError)
}

extension Command.Body {
  /// Whether the command closes the open batch: a checkpoint of the whole state does.
  public var closesBatch: Bool {
    if case .control(.checkpoint(let checkpoint)) = self {
      checkpoint.stateHash != 0
    } else {
      false
    }
  }
}

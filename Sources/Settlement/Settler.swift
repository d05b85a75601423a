import MarketModel

/// Settles the journal into a ledger, each batch exactly once. It follows the journal from the
/// first command on. A batch that the ledger has is recomputed and compared; a batch that it lacks
/// is applied.
///
///     for each command that is durable, in order:
///       settler.take(event, ...)        for each of its events
///       settler.endCommand(...)         returns a confirmation to journal, or nil
///       while case .waiting = settler.condition: sleep, settler.retry()
///     after the replay at start-up: settler.reconcile(), then journal settler.unconfirmed
///
/// Owned by the settler's thread, with the ledger. While it waits the caller must not pass events:
/// the journal is the backlog, and memory holds only the one batch that is to be applied.
public struct Settler: ~Copyable {
  /// The states of a settler.
  public enum Condition: Sendable, Equatable {
    /// The settler takes events.
    case following
    /// The ledger could not apply the closed batch; call `retry` later.
    case waiting(LedgerError)
    /// Settlement has stopped until an operator intervenes. Events are ignored.
    case halted(LedgerError)
  }

  /// The state of the settler.
  public private(set) var condition: Condition = .following
  /// The ledger's head after the last read or apply.
  public private(set) var ledgerHead: LedgerHead
  /// Batches in the ledger whose confirmation has not been read from the journal yet, oldest first.
  public private(set) var unconfirmed: [SettlementConfirmed] = []
  /// The ledger's head when this settler was created.
  public let headAtStart: LedgerHead

  private let ledger: any Ledger
  private var builder: BatchBuilder
  /// The closed batch that the ledger does not have yet.
  private var inHand: SettlementBatch?

  /// A settler at the start of the journal, with the shard and the batch rules of the ledger.
  /// - Throws: The errors of `Ledger.head`.
  public init(_ ledger: any Ledger) throws(LedgerError) {
    self.ledger = ledger
    builder = BatchBuilder(genesis: ledger.genesis)
    headAtStart = try ledger.head()
    ledgerHead = headAtStart
  }

  /// The result of `resume`.
  package enum Resumption: Sendable, Equatable {
    /// The settler continues after the snapshot.
    case resumed
    /// The ledger lacks the snapshot's last batch or has a different one, so an older snapshot is
    /// needed.
    case doesNotFit
    /// The ledger is unavailable; try again later.
    case unavailable(LedgerError)
  }

  /// Continues after a snapshot instead of at the journal's first command.
  /// - Parameters:
  ///   - builder: The builder's state at the snapshot.
  ///   - confirmed: The last batch whose confirmation is in the journal before the snapshot.
  /// - Precondition: No event was taken yet.
  package mutating func resume(_ builder: BatchBuilder, confirmed: UInt64) -> Resumption {
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

  /// The time at which the open batch is due; `nil` when no batch is open or settlement has
  /// stopped.
  public var due: Timestamp? { isHalted ? nil : builder.due }

  /// Size of the ledger's write-ahead log, bytes.
  public var ledgerLogBytes: UInt64 { ledger.logBytes }

  /// Truncates the ledger's write-ahead log when no reader needs it.
  public func shrinkLedgerLog() { ledger.shrinkLog() }

  /// Checks that the ledger's files are still in place; otherwise the settler waits and confirms
  /// nothing.
  public mutating func watchPlace() {
    guard case .following = condition else { return }
    do throws(LedgerError) { try ledger.checkFiles() } catch { stop(error) }
  }

  /// Whether there is a closed batch that the ledger does not have yet.
  public var hasBatchInHand: Bool { inHand != nil }

  /// The last batch closed from the journal.
  public var journalHead: LedgerHead { builder.head }

  /// Takes one event of a durable command.
  /// - Parameters:
  ///   - event: The event.
  ///   - sequence: The command's sequence number.
  ///   - time: The time at which the command was sequenced.
  ///   - known: Reference data of all events so far, for currencies and areas.
  /// - Precondition: The condition is not `.waiting`.
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

  /// Ends a durable command, after all of its events.
  /// - Parameters:
  ///   - sequence: The command's sequence number.
  ///   - time: The time at which the command was sequenced.
  ///   - closes: `Command.Body.closesBatch` of the command.
  /// - Returns: The confirmation to journal when a new batch was applied.
  /// - Precondition: The condition is not `.waiting`.
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
  /// - Returns: The confirmation to journal when a new batch was applied.
  /// - Precondition: The condition is not `.waiting`.
  public mutating func endCommand(_ command: borrowing Command) -> SettlementConfirmed? {
    endCommand(
      sequence: command.sequence, time: command.time, closes: command.body.closesBatch)
  }

  /// Connects again, reads the head and applies the closed batch. Does nothing unless the condition
  /// is `.waiting`.
  /// - Returns: The confirmation to journal when the batch was applied.
  public mutating func retry() -> SettlementConfirmed? {
    guard case .waiting = condition else { return nil }
    do throws(LedgerError) {
      try ledger.reconnect()
      let head = try ledger.head()
      guard head.batch >= ledgerHead.batch else {
        throw .chainMismatch(
          batch: head.batch + 1,
          reason: "the ledger ended with batch \(ledgerHead.batch), now with \(head.batch): it was "
            + "replaced by an older one. A restart adds the missing batches from the journal")
      }
      ledgerHead = head
    } catch {
      stop(error)
      return nil
    }
    condition = .following
    return settleInHand()
  }

  /// Compares the ledger with the journal after the replay of the whole journal at start-up.
  /// - Returns: The result; after `.ahead` and `.different` the settler has halted.
  public mutating func reconcile() -> Reconciliation {
    if case .halted(let error) = condition { return .different(error) }
    if case .waiting(let error) = condition { return .behind(resent: 0, waiting: error) }
    if ledgerHead.batch > builder.head.batch {
      let reason =
        "the ledger ends with batch \(ledgerHead.batch) at command \(ledgerHead.last.rawValue), "
        + "but the journal closes only \(builder.head.batch): it has lost commands"
      condition = .halted(.chainMismatch(batch: ledgerHead.batch, reason: reason))
      return .ahead(ledger: ledgerHead, journal: builder.head)
    }
    let resent = ledgerHead.batch - headAtStart.batch
    return resent == 0 ? .equal(ledgerHead) : .behind(resent: resent, waiting: nil)
  }

  /// Closes the ledger.
  /// - Throws: The errors of `Ledger.close`.
  public consuming func close() throws(LedgerError) { try ledger.close() }

  private var isHalted: Bool {
    if case .halted = condition { true } else { false }
  }

  /// Compares the closed batch when the ledger has it; otherwise applies it.
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

/// The comparison of ledger and journal at the start of the exchange.
public enum Reconciliation: Sendable, Equatable {
  /// The ledger has every batch of the journal.
  case equal(LedgerHead)
  /// The ledger lacked batches, of which `resent` were applied; `waiting` is the error that stopped
  /// it, if any.
  case behind(resent: UInt64, waiting: LedgerError?)
  /// The ledger has batches that the journal does not give. Settlement has halted.
  case ahead(ledger: LedgerHead, journal: LedgerHead)
  /// The ledger's batches differ from the journal's. Settlement has halted.
  case different(LedgerError)
}

extension Command.Body {
  /// Whether the command closes the open batch. Only a checkpoint of the whole state does.
  public var closesBatch: Bool {
    if case .control(.checkpoint(let checkpoint)) = self {
      checkpoint.stateHash != 0
    } else {
      false
    }
  }
}

import MarketModel
import Settlement

/// Compares a ledger with the batches that the journal determines. If the ledger's last batch is
/// one of them, all earlier ones are too, because each contains the hash of its predecessor.
public struct BatchComparison: Sendable {
  /// The last batch in the ledger.
  public let ledger: LedgerHead
  /// The first difference found so far, for an operator; `nil` if none.
  public private(set) var difference: String?
  /// The last batch that the journal closes.
  public var journal: LedgerHead { builder.head }
  private var builder: BatchBuilder
  private var isFound: Bool

  /// Starts before the journal's first command.
  /// - Parameters:
  ///   - ledger: The last batch in the ledger.
  ///   - made: Genesis recorded in the ledger.
  ///   - due: Genesis that the exchange's configuration requires.
  init(_ ledger: LedgerHead, _ made: LedgerGenesis, _ due: LedgerGenesis) {
    self.ledger = ledger
    builder = BatchBuilder(genesis: due)
    isFound = ledger.batch == 0
    if made != due {
      difference = "it was created with \(made), but the exchange settles with \(due)"
    }
  }

  /// Starts from the batches in a snapshot.
  mutating func begin(_ batches: BatchBuilder) {
    builder = batches
    note(builder.head)
  }

  /// Processes a command and all its events.
  /// - Parameter known: Currencies of areas and instruments, including those that these events
  ///   define.
  mutating func take(
    _ command: UnsafePointer<Command>, _ events: UnsafeBufferPointer<Event>,
    _ known: borrowing ReferenceData
  ) {
    if difference != nil { return }
    let (sequence, time) = (command.pointee.sequence, command.pointee.time)
    for event in events { builder.take(event, sequence: sequence, time: time, known) }
    do throws(LedgerError) {
      let closes = command.pointee.body.closesBatch
      if try builder.endCommand(sequence: sequence, time: time, closes: closes) != nil {
        note(builder.head)
      }
    } catch {
      difference = "the journal's batches cannot be built: \(error)"
    }
  }

  /// After the journal's last command, the reason why the ledger is not a prefix of the journal's
  /// batches; `nil` if it is.
  public var verdict: String? {
    if let difference { return difference }
    if isFound { return nil }
    return journal.batch < ledger.batch
      ? "it ends with batch \(ledger.batch) at command \(ledger.last.rawValue), but the journal "
        + "closes only \(journal.batch)"
      : "it cannot be compared: the journal starts after the ledger's last batch, \(ledger.batch)"
  }

  /// The batches that the journal closes and the ledger lacks; `nil` if there are none.
  public var missing: ClosedRange<UInt64>? {
    journal.batch > ledger.batch ? ledger.batch + 1...journal.batch : nil
  }

  private mutating func note(_ head: LedgerHead) {
    guard head.batch == ledger.batch else { return }
    isFound = true
    if head != ledger {
      difference =
        "batch \(head.batch) has the hash \(ledger.hash.short), in the journal \(head.hash.short)"
    }
  }
}

import MarketModel
import Settlement

/// A ledger against the batches that a journal makes: its last one must be among them, and then all before
/// it are, since each names the hash of the one before.
public struct BatchComparison: Sendable {
  /// Where the ledger ends.
  public let ledger: LedgerHead
  /// What was found so far to differ, for an operator; `nil`: nothing.
  public private(set) var difference: String?
  /// The last batch that the journal closes.
  public var journal: LedgerHead { builder.head }
  private var builder: BatchBuilder
  private var isFound: Bool

  /// A comparison before the journal's first command.
  /// - Parameters:
  ///   - ledger: Where the ledger ends.
  ///   - made: What the ledger was made for.
  ///   - due: What the exchange's ledger is made for.
  init(_ ledger: LedgerHead, _ made: LedgerGenesis, _ due: LedgerGenesis) {
    self.ledger = ledger
    builder = BatchBuilder(genesis: due)
    isFound = ledger.batch == 0
    if made != due { difference = "it was made for \(made); the exchange settles with \(due)" }
  }

  /// Goes on behind a snapshot.
  mutating func begin(_ batches: BatchBuilder) {
    builder = batches
    note(builder.head)
  }

  /// Takes a command and all its events.
  /// - Parameter known: What areas and instruments are paid in, as of these events.
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
      difference = "the journal's batches cannot be cut: \(error)"
    }
  }

  /// After the journal's last command: why the ledger is not a part of what the journal says; `nil`: it is.
  public var verdict: String? {
    if let difference { return difference }
    if isFound { return nil }
    return journal.batch < ledger.batch
      ? "it ends with batch \(ledger.batch) at command \(ledger.last.rawValue), the journal makes only "
        + "\(journal.batch)"
      : "the journal cannot say: it begins behind the ledger's last batch, \(ledger.batch)"
  }

  /// The batches that the journal closes and the ledger lacks.
  public var missing: ClosedRange<UInt64>? {
    journal.batch > ledger.batch ? ledger.batch + 1...journal.batch : nil
  }

  private mutating func note(_ head: LedgerHead) {
    guard head.batch == ledger.batch else { return }
    isFound = true
    if head != ledger {
      difference =
        "batch \(head.batch) has the hash \(ledger.hash.short), the journal makes \(head.hash.short)"
    }
  }
}

import MarketModel

/// A book of record: applies settlement batches exactly once and answers for every balance.
///
/// A backend is opened by its `LedgerAddress`; one contract test suite runs against every backend.
/// Owned by one thread (the settler's), or by a reader that only reads.
public protocol Ledger: AnyObject {
  /// What the ledger was made for.
  var genesis: LedgerGenesis { get }

  /// What opening it changed or found about its store that an operator should know, a sentence each.
  var notes: [String] { get }

  /// The last batch applied.
  /// - Throws: `.unavailable`, `.corrupt`.
  func head() throws(LedgerError) -> LedgerHead

  /// Applies `batch` in one transaction, all or nothing.
  ///
  /// At or below the head with the stored hash: `.alreadyApplied`, nothing changes. Otherwise the
  /// batch must be the one after the head and continue its chain and its journal range.
  /// - Throws: `.chainMismatch` (other hash, other previous, other range), `.outOfOrder`,
  ///   `.contentRejected`, `.unavailable` (nothing changed), `.ambiguous` (the commit failed). A sum
  ///   is never a reason: a ledger takes whatever the exchange accepted.
  func apply(_ batch: SettlementBatch) throws(LedgerError) -> ApplyOutcome

  /// What is stored of batch `id`; `nil` when there is none.
  /// - Throws: `.unavailable`, `.corrupt`.
  func row(ofBatch id: UInt64) throws(LedgerError) -> BatchRow?

  /// The transfers of a stored batch, by ascending id.
  /// - Throws: `.unavailable`, `.corrupt`.
  func transfers(in row: BatchRow) throws(LedgerError) -> [LedgerTransfer]

  /// The transfers that debit or credit `account` at `start ..< end`, by ascending id. A backend
  /// without an index per account reads every transfer.
  /// - Throws: `.unavailable`, `.corrupt`.
  func transfers(
    of account: AccountId, in period: Range<Timestamp>
  ) throws(LedgerError) -> [LedgerTransfer]

  /// When transfer `id` was made; `nil` when there is none.
  /// - Throws: `.unavailable`, `.corrupt`.
  func time(ofTransfer id: UInt64) throws(LedgerError) -> Timestamp?

  /// How many transfers are stored.
  /// - Throws: `.unavailable`, `.corrupt`.
  func transferCount() throws(LedgerError) -> UInt64

  /// Every balance, ascending by unit, then account.
  /// - Throws: `.unavailable`, `.corrupt`.
  func balances() throws(LedgerError) -> [LedgerBalance]

  /// Runs `body` on one state of the ledger, whatever a writer does meanwhile.
  /// - Throws: what `body` throws; `.unavailable`, `.corrupt`.
  func snapshot<Value>(_ body: () throws(LedgerError) -> Value) throws(LedgerError) -> Value

  /// Bytes of the log that the store keeps beside the ledger; 0 where there is none. It grows while
  /// somebody reads one state of the ledger for long.
  var logBytes: UInt64 { get }

  /// Makes that log small again where nobody needs it any more; never waits, and does nothing where it
  /// cannot.
  func shrinkLog()

  /// Looks whether what it writes to is still what others find in its place. Cheap.
  /// - Throws: `.unavailable` when it is not: what it wrote since then nobody may ever find.
  func checkPlace() throws(LedgerError)

  /// Drops what it holds of a connection and opens it again: after it, the head is what is stored.
  /// - Throws: `.unavailable`, `.inUse`, `.incompatible`, `.corrupt`.
  func reconnect() throws(LedgerError)

  /// Ends the use of the ledger; nothing else may be called afterwards.
  /// - Throws: `.unavailable`.
  func close() throws(LedgerError)
}

/// What applying a batch did.
public enum ApplyOutcome: Sendable, Equatable {
  /// It is now in the ledger.
  case applied
  /// It was already there, with the same hash.
  case alreadyApplied
}

/// The end of a ledger's chain.
public struct LedgerHead: Sendable, Hashable {
  /// The last batch; 0 when there is none.
  public var batch: UInt64
  /// The last command it covers.
  public var last: SequenceNumber
  /// Its hash; the genesis hash when there is none.
  public var hash: BatchHash
  /// Transfers so far.
  public var transfers: UInt64

  /// The head after the batch in `row`, or of an empty ledger.
  public init(after row: BatchRow?, genesis: LedgerGenesis) {
    batch = row?.id ?? 0
    last = row?.last ?? .none
    hash = row?.hash ?? genesis.hash
    transfers = row.map { $0.firstTransfer + UInt64($0.count) - 1 } ?? 0
  }
}

/// What a ledger keeps of a batch beside its transfers.
public struct BatchRow: Sendable, Hashable {
  /// 1, 2, 3 ...
  public var id: UInt64
  /// First command covered.
  public var first: SequenceNumber
  /// Last command covered.
  public var last: SequenceNumber
  /// Hash of the batch before.
  public var previous: BatchHash
  /// Its own hash.
  public var hash: BatchHash
  /// Id of its first transfer.
  public var firstTransfer: UInt64
  /// How many transfers.
  public var count: UInt32

  /// All fields, in order.
  public init(
    id: UInt64, first: SequenceNumber, last: SequenceNumber, previous: BatchHash, hash: BatchHash,
    firstTransfer: UInt64, count: UInt32
  ) {
    (self.id, self.first, self.last) = (id, first, last)
    (self.previous, self.hash) = (previous, hash)
    (self.firstTransfer, self.count) = (firstTransfer, count)
  }
}

/// What an account has in one unit.
public struct LedgerBalance: Sendable, Hashable {
  /// Whose.
  public var account: AccountId
  /// In what.
  public var unit: LedgerUnit
  /// All it ever gave. It grows with the turnover, which nobody bounds: 64 bits do not hold it.
  public var debits: Int128
  /// All it ever received.
  public var credits: Int128

  /// A balance of `account` in `unit`.
  public init(account: AccountId, unit: LedgerUnit, debits: Int128, credits: Int128) {
    (self.account, self.unit, self.debits, self.credits) = (account, unit, debits, credits)
  }

  /// Credits less debits. Never leaves its type: both are sums of positive amounts, not negative.
  public var amount: Int128 { credits - debits }
}

extension Ledger {
  /// Nothing to tell.
  public var notes: [String] { [] }
  /// No log beside it.
  public var logBytes: UInt64 { 0 }
  /// Nothing to do.
  public func shrinkLog() {}
  /// It has no place that something else could take.
  public func checkPlace() throws(LedgerError) {}

  /// Checks that `batch` may follow `head` or was applied before: the rule every backend runs inside
  /// its transaction.
  /// - Parameter stored: the stored row with the batch's id, when it is at or below the head.
  /// - Throws: `.chainMismatch`, `.outOfOrder`.
  public func admission(
    of batch: SettlementBatch, after head: LedgerHead, stored: BatchRow?
  ) throws(LedgerError) -> ApplyOutcome {
    if batch.id <= head.batch {
      guard stored?.hash == batch.hash else {
        let kept = stored.map { $0.hash.short } ?? "no such batch"
        throw .chainMismatch(
          batch: batch.id, reason: "the ledger has \(kept), the journal makes \(batch.hash.short)")
      }
      return .alreadyApplied
    }
    guard batch.id == head.batch + 1 else {
      throw .outOfOrder(batch: batch.id, expected: head.batch + 1)
    }
    guard batch.previous == head.hash else {
      throw .chainMismatch(
        batch: batch.id,
        reason: "it follows \(batch.previous.short), the head is \(head.hash.short)")
    }
    guard batch.shard == genesis.shard, batch.first.rawValue == head.last.rawValue + 1,
      batch.last >= batch.first, batch.transfers[0].id == head.transfers + 1
    else {
      throw .chainMismatch(
        batch: batch.id,
        reason: "it starts at command \(batch.first.rawValue), transfer \(batch.transfers[0].id); "
          + "due are \(head.last.rawValue + 1), \(head.transfers + 1)")
    }
    return .applied
  }
}

import MarketModel

/// A ledger, the book of record: it applies each settlement batch exactly once and returns every
/// balance.
///
/// A `LedgerAddress` opens a backend; every backend passes one suite of contract tests. Owned by
/// one thread: the settler's, or that of a reader.
public protocol Ledger: AnyObject {
  /// The shard and the batch rules of the ledger.
  var genesis: LedgerGenesis { get }

  /// Notes for the operator about what opening the ledger changed or found in its store, one
  /// sentence each.
  var notes: [String] { get }

  /// The last applied batch.
  /// - Throws: `.unavailable`, `.corrupt`.
  func head() throws(LedgerError) -> LedgerHead

  /// Applies `batch` in one transaction, all or nothing.
  ///
  /// A batch at or below the head with the stored hash returns `.alreadyApplied` and changes
  /// nothing. Any other batch must follow the head and continue its hash chain and its journal
  /// range.
  /// - Throws: `.chainMismatch` (another hash, previous hash or range), `.outOfOrder`,
  ///   `.contentRejected`, `.unavailable` (nothing changed), `.ambiguous` (the commit failed). The
  ///   size of a sum is no reason for an error: a ledger must hold every sum that the exchange can
  ///   produce.
  func apply(_ batch: SettlementBatch) throws(LedgerError) -> ApplyOutcome

  /// The stored row of batch `id`; `nil` when there is none.
  /// - Throws: `.unavailable`, `.corrupt`.
  func row(ofBatch id: UInt64) throws(LedgerError) -> BatchRow?

  /// The transfers of a stored batch, by ascending id.
  /// - Throws: `.unavailable`, `.corrupt`.
  func transfers(in row: BatchRow) throws(LedgerError) -> [LedgerTransfer]

  /// The transfers in `period` that debit or credit `account`, by ascending id. A backend without
  /// an index by account reads all transfers.
  /// - Throws: `.unavailable`, `.corrupt`.
  func transfers(
    of account: AccountId, in period: Range<Timestamp>
  ) throws(LedgerError) -> [LedgerTransfer]

  /// At most `most` transfers from number `id` on, by ascending id.
  /// - Throws: `.unavailable`, `.corrupt`.
  func transfers(from id: UInt64, most: Int) throws(LedgerError) -> [LedgerTransfer]

  /// The notes about an order, or about all orders of an account, by ascending sequence number. A
  /// backend that keeps no notes returns none.
  /// - Throws: `.unavailable`, `.corrupt`.
  func notes(about subject: NoteSubject) throws(LedgerError) -> [LedgerNote]

  /// The readings and corrections that were settled for `account`, by ascending sequence number. A
  /// backend that keeps no readings returns none.
  /// - Throws: `.unavailable`, `.corrupt`.
  func readings(of account: AccountId) throws(LedgerError) -> [LedgerReading]

  /// The time of transfer `id`; `nil` when there is none.
  /// - Throws: `.unavailable`, `.corrupt`.
  func time(ofTransfer id: UInt64) throws(LedgerError) -> Timestamp?

  /// The number of stored transfers.
  /// - Throws: `.unavailable`, `.corrupt`.
  func transferCount() throws(LedgerError) -> UInt64

  /// Every balance, ascending by unit, then account.
  /// - Throws: `.unavailable`, `.corrupt`.
  func balances() throws(LedgerError) -> [LedgerBalance]

  /// Runs `body` on one consistent state of the ledger while a writer may change it.
  /// - Throws: The errors of `body`; `.unavailable`, `.corrupt`.
  func snapshot<Value>(_ body: () throws(LedgerError) -> Value) throws(LedgerError) -> Value

  /// Size of the store's write-ahead log in bytes; 0 for a store without one. The log grows while a
  /// reader stays in one snapshot.
  var logBytes: UInt64 { get }

  /// Truncates the log when no reader needs it. Never waits; does nothing when the log is in use.
  func shrinkLog()

  /// Checks that the open files are still those at the ledger's address. Cheap.
  /// - Throws: `.unavailable` when a file was removed or replaced, so that writes since then may be
  ///   lost.
  func checkFiles() throws(LedgerError)

  /// Closes the connection and opens it again, so that `head` returns the stored head.
  /// - Throws: `.unavailable`, `.inUse`, `.incompatible`, `.corrupt`.
  func reconnect() throws(LedgerError)

  /// Closes the ledger. No other function may be called afterwards.
  /// - Throws: `.unavailable`.
  func close() throws(LedgerError)
}

/// The outcome of applying a batch.
public enum ApplyOutcome: Sendable, Equatable {
  /// The batch was added to the ledger.
  case applied
  /// The ledger already had the batch, with an equal hash.
  case alreadyApplied
}

/// The end of a ledger's hash chain.
public struct LedgerHead: Sendable, Hashable {
  /// The last batch; 0 when there is none.
  public var batch: UInt64
  /// The last command that the batch covers.
  public var last: SequenceNumber
  /// The batch's hash; the genesis hash when there is no batch.
  public var hash: BatchHash
  /// The number of transfers in all batches.
  public var transfers: UInt64

  /// The head after the batch in `row`, or of an empty ledger.
  public init(after row: BatchRow?, genesis: LedgerGenesis) {
    batch = row?.id ?? 0
    last = row?.last ?? .none
    hash = row?.hash ?? genesis.hash
    transfers = row.map { $0.firstTransfer + UInt64($0.count) - 1 } ?? 0
  }
}

/// The stored row of a batch; its transfers are stored separately.
public struct BatchRow: Sendable, Hashable {
  /// The number of the batch: 1, 2, 3 ...
  public var id: UInt64
  /// The first command that the batch covers.
  public var first: SequenceNumber
  /// The last command that the batch covers.
  public var last: SequenceNumber
  /// The hash of the previous batch.
  public var previous: BatchHash
  /// The hash of this batch.
  public var hash: BatchHash
  /// The id of the first transfer.
  public var firstTransfer: UInt64
  /// The number of transfers.
  public var count: UInt32

  /// A batch row; transfers have the ids from `firstTransfer` on.
  public init(
    id: UInt64, first: SequenceNumber, last: SequenceNumber, previous: BatchHash, hash: BatchHash,
    firstTransfer: UInt64, count: UInt32
  ) {
    (self.id, self.first, self.last) = (id, first, last)
    (self.previous, self.hash) = (previous, hash)
    (self.firstTransfer, self.count) = (firstTransfer, count)
  }
}

/// An account's balance in one unit.
public struct LedgerBalance: Sendable, Hashable {
  /// The account.
  public var account: AccountId
  /// The unit of both sums.
  public var unit: LedgerUnit
  /// The sum of all debits. It has 128 bits because it grows with the turnover, which is unbounded.
  public var debits: Int128
  /// The sum of all credits.
  public var credits: Int128

  /// A balance from its sums of debits and credits.
  public init(account: AccountId, unit: LedgerUnit, debits: Int128, credits: Int128) {
    (self.account, self.unit, self.debits, self.credits) = (account, unit, debits, credits)
  }

  /// Credits less debits. Cannot overflow, because both are at least 0.
  public var amount: Int128 { credits - debits }
}

/// What notes are asked for.
public enum NoteSubject: Sendable, Hashable {
  /// One order.
  case order(OrderId)
  /// All orders of an account.
  case account(AccountId)
}

extension Ledger {
  /// No notes by default.
  public var notes: [String] { [] }
  /// By default the ledger keeps no notes about orders.
  public func notes(about subject: NoteSubject) throws(LedgerError) -> [LedgerNote] { [] }
  /// By default the ledger keeps no readings.
  public func readings(of account: AccountId) throws(LedgerError) -> [LedgerReading] { [] }
  /// By default the transfers are read batch by batch, whole batches.
  public func transfers(from id: UInt64, most: Int) throws(LedgerError) -> [LedgerTransfer] {
    let last = try head().batch
    var (low, high) = (UInt64(1), last)
    // The last batch that begins at or before the transfer.
    while low < high {
      let middle = high - (high - low) / 2
      guard let row = try row(ofBatch: middle) else { return [] }
      if row.firstTransfer <= id { low = middle } else { high = middle - 1 }
    }
    var found: [LedgerTransfer] = []
    while low <= last, found.count < most, let row = try row(ofBatch: low) {
      let rest = try transfers(in: row).filter { $0.id >= id }
      found += rest.prefix(most - found.count)
      low += 1
    }
    return found
  }
  /// By default the store has no log.
  public var logBytes: UInt64 { 0 }
  /// By default there is no log to truncate.
  public func shrinkLog() {}
  /// By default the store has no files that could be replaced.
  public func checkFiles() throws(LedgerError) {}

  /// Checks that `batch` follows `head` or was applied before. Every backend calls it inside its
  /// transaction.
  /// - Parameters:
  ///   - batch: The batch that is to be applied.
  ///   - head: The ledger's head.
  ///   - stored: The stored row with the batch's id, when the id is at or below the head.
  /// - Throws: `.chainMismatch`, `.outOfOrder`.
  public func admission(
    of batch: SettlementBatch, after head: LedgerHead, stored: BatchRow?
  ) throws(LedgerError) -> ApplyOutcome {
    if batch.id <= head.batch {
      guard stored?.hash == batch.hash else {
        let kept = stored.map { $0.hash.short } ?? "no such batch"
        throw .chainMismatch(
          batch: batch.id, reason: "the ledger has \(kept), the journal \(batch.hash.short)")
      }
      return .alreadyApplied
    }
    guard batch.id == head.batch + 1 else {
      throw .outOfOrder(batch: batch.id, expected: head.batch + 1)
    }
    guard batch.previous == head.hash else {
      throw .chainMismatch(
        batch: batch.id,
        reason:
          "it follows hash \(batch.previous.short), but the ledger ends with \(head.hash.short)")
    }
    guard batch.shard == genesis.shard, batch.first.rawValue == head.last.rawValue + 1,
      batch.last >= batch.first, batch.transfers[0].id == head.transfers + 1
    else {
      throw .chainMismatch(
        batch: batch.id,
        reason: "it starts at command \(batch.first.rawValue), transfer \(batch.transfers[0].id); "
          + "expected were \(head.last.rawValue + 1) and \(head.transfers + 1)")
    }
    return .applied
  }
}

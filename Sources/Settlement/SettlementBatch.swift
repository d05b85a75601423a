import MarketModel

// The canonical bytes of a batch: hash = SHA-256(previous hash || header || transfers || changes).
// All integers are little-endian; signed ones are in two's complement.
//
//   header, 48 bytes              transfer, 64 bytes           netted change, 24 or 40 bytes
//   offset size field             offset size field            offset size field
//        0    8 "JBBATCH1"             0    8 id                    0    4 account
//        8    8 batch                  8    4 debit account         4    4 unit
//       16    8 first sequence        12    4 credit account        8  8/16 debits
//       24    8 last sequence         16    4 unit              16/24  8/16 credits
//       32    4 transfers             20    2 code
//       36    4 netted changes        22    2 flags
//       40    2 shard                 24    8 amount
//       42    2 width of sums         32    8 journal sequence
//       44    4 zero                  40    8 time
//                                     48    8 reference
//                                     56    8 zero (pending id)
//
// Transfers are in journal order, netted changes ascend by unit, then account. The width of sums is
// 0 when every debit and credit of the batch fits a signed number of 64 bits; otherwise it is 1,
// and all sums have 16 bytes. The header determines the offset of every field, so different batches
// have different bytes.

/// A settlement batch: the ledger transfers of a contiguous range of the journal. Immutable. The
/// initialiser computes the hash, so the hash always matches the content.
public struct SettlementBatch: Sendable, Hashable {
  /// The shard of the journal.
  public let shard: UInt16
  /// The number of the batch: 1, 2, 3 ...
  public let id: UInt64
  /// The first command covered: the one after the last command of the previous batch.
  public let first: SequenceNumber
  /// The last command covered.
  public let last: SequenceNumber
  /// The hash of the previous batch; for batch 1, the hash of the genesis.
  public let previous: BatchHash
  /// SHA-256 over `previous` and the canonical bytes.
  public let hash: BatchHash
  /// The gross transfers in journal order, with contiguous ids. Not empty.
  public let transfers: [LedgerTransfer]
  /// The sums of the transfers by account and unit, ascending by unit, then account.
  public let netted: [NetChange]
  /// Notes about orders in the batch's range of commands, in journal order; not hashed.
  public let notes: [LedgerNote]
  /// Readings and corrections that were settled in that range, in journal order; not hashed.
  public let readings: [LedgerReading]

  /// A batch of `transfers`, which it nets and hashes.
  /// - Precondition: `transfers` is not empty.
  public init(
    shard: UInt16, id: UInt64, first: SequenceNumber, last: SequenceNumber, previous: BatchHash,
    transfers: [LedgerTransfer], notes: [LedgerNote] = [], readings: [LedgerReading] = []
  ) {
    precondition(!transfers.isEmpty, "a range without transfers makes no batch")
    (self.shard, self.id, self.first, self.last) = (shard, id, first, last)
    (self.previous, self.transfers, self.notes) = (previous, transfers, notes)
    self.readings = readings
    var netting = Netting(capacity: transfers.count)
    for transfer in transfers { netting.add(transfer) }
    netted = netting.changes()
    let isWide = netted.contains { $0.debits > Int64.max || $0.credits > Int64.max }
    let width = isWide ? 40 : 24
    var bytes = CanonicalWriter(capacity: 80 + transfers.count * 64 + netted.count * width)
    bytes.append(previous.bytes)
    Self.writeHeader(
      into: &bytes, shard: shard, id: id, first: first, last: last,
      transfers: transfers.count, netted: netted.count, isWide: isWide)
    for transfer in transfers { Self.write(transfer, into: &bytes) }
    for change in netted { Self.write(change, isWide: isWide, into: &bytes) }
    hash = BatchHash(of: bytes.bytes)
  }

  /// The row that a ledger stores for the batch.
  public var row: BatchRow {
    BatchRow(
      id: id, first: first, last: last, previous: previous, hash: hash,
      firstTransfer: transfers[0].id, count: UInt32(transfers.count))
  }

  /// Checks that debits equal credits in every unit. By induction they are equal in the whole ledger,
  /// which `LedgerVerification` also checks. Every backend calls it before it writes.
  /// - Throws: `.contentRejected`.
  public func checkDoubleEntry() throws(LedgerError) {
    var start = netted.startIndex
    while start < netted.endIndex {
      let unit = netted[start].unit
      let end = netted[start...].firstIndex { $0.unit != unit } ?? netted.endIndex
      var difference: Int128 = 0
      for change in netted[start..<end] { difference += change.debits - change.credits }
      guard difference == 0 else {
        throw .contentRejected(
          batch: id, reason: "debits and credits differ in unit \(unit.rawValue)")
      }
      start = end
    }
  }

  private static func writeHeader(
    into bytes: inout CanonicalWriter, shard: UInt16, id: UInt64, first: SequenceNumber,
    last: SequenceNumber, transfers: Int, netted: Int, isWide: Bool
  ) {
    bytes.append(ascii: "JBBATCH1")
    bytes.append(id)
    bytes.append(first.rawValue)
    bytes.append(last.rawValue)
    bytes.append(UInt32(transfers))
    bytes.append(UInt32(netted))
    bytes.append(shard)
    bytes.append(UInt16(isWide ? 1 : 0))
    bytes.append(UInt32(0))
  }

  private static func write(_ transfer: LedgerTransfer, into bytes: inout CanonicalWriter) {
    bytes.append(transfer.id)
    bytes.append(transfer.debit.rawValue)
    bytes.append(transfer.credit.rawValue)
    bytes.append(transfer.unit.rawValue)
    bytes.append(transfer.code.rawValue)
    bytes.append(transfer.flags.rawValue)
    bytes.append(transfer.amount)
    bytes.append(transfer.tradeSequence.rawValue)
    bytes.append(transfer.time.nanoseconds)
    bytes.append(transfer.reference)
    bytes.append(UInt64(0))
  }

  private static func write(
    _ change: NetChange, isWide: Bool, into bytes: inout CanonicalWriter
  ) {
    bytes.append(change.account.rawValue)
    bytes.append(change.unit.rawValue)
    if isWide {
      bytes.append(change.debits)
      bytes.append(change.credits)
    } else {
      bytes.append(Int64(change.debits))
      bytes.append(Int64(change.credits))
    }
  }
}

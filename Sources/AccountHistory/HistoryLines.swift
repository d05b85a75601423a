// The transfers of one account in one chunk, packed: ten numbers each, as bytes of seven bits
// (LEB128). What grows from line to line is stored as the difference to the line before, which
// wraps around.
//
//     id - before | batch - before | code | flags << 1 | credited | the other account | unit | amount
//       | sequence - before | time - before | reference
//
// A line of a trade takes about 25 bytes; the transfer itself takes 64 in the canonical form.

import MarketModel
import Settlement

/// Packs the lines of one account.
struct HistoryLines {
  /// The packed lines.
  private(set) var bytes: [UInt8] = []
  private var before = Before()

  /// What the line before had.
  private struct Before {
    var (id, batch, sequence, time) = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
  }

  /// Adds a transfer, as a line of the account that it debits or credits.
  mutating func add(_ transfer: LedgerTransfer, isCredited: Bool) {
    append(transfer.id &- before.id)
    append(transfer.batch &- before.batch)
    append(UInt64(transfer.code.rawValue))
    append(UInt64(transfer.flags.rawValue) << 1 | (isCredited ? 1 : 0))
    append(UInt64((isCredited ? transfer.debit : transfer.credit).rawValue))
    append(UInt64(transfer.unit.rawValue))
    append(UInt64(bitPattern: transfer.amount))
    append(transfer.tradeSequence.rawValue &- before.sequence)
    append(transfer.time.nanoseconds &- before.time)
    append(transfer.reference)
    (before.id, before.batch) = (transfer.id, transfer.batch)
    (before.sequence, before.time) = (transfer.tradeSequence.rawValue, transfer.time.nanoseconds)
  }

  private mutating func append(_ value: UInt64) {
    var rest = value
    while rest > 0x7F {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// The transfers in packed lines of `account`.
  /// - Returns: `nil` when the bytes are damaged.
  static func unpack(_ bytes: [UInt8], of account: AccountId) -> [LedgerTransfer]? {
    var (transfers, before, place): ([LedgerTransfer], Before, Int) = ([], Before(), 0)
    while place < bytes.count {
      var values = InlineArray<10, UInt64>(repeating: 0)
      for index in values.indices {
        guard let value = number(bytes, &place) else { return nil }
        values[index] = value
      }
      (before.id, before.batch) = (before.id &+ values[0], before.batch &+ values[1])
      before.sequence = before.sequence &+ values[7]
      before.time = before.time &+ values[8]
      guard let code = UInt16(exactly: values[2]).flatMap(TransferCode.init(rawValue:)),
        let flags = UInt16(exactly: values[3] >> 1), let other = UInt32(exactly: values[4]),
        let unit = UInt32(exactly: values[5]).flatMap(LedgerUnit.init(rawValue:))
      else { return nil }
      let isCredited = values[3] & 1 == 1
      transfers.append(
        LedgerTransfer(
          id: before.id, batch: before.batch, debit: isCredited ? AccountId(other) : account,
          credit: isCredited ? account : AccountId(other), unit: unit,
          amount: Int64(bitPattern: values[6]), code: code, flags: TransferFlags(rawValue: flags),
          tradeSequence: SequenceNumber(before.sequence),
          time: Timestamp(nanoseconds: before.time), reference: values[9]))
    }
    return transfers
  }

  private static func number(_ bytes: [UInt8], _ place: inout Int) -> UInt64? {
    var (value, shift) = (UInt64(0), UInt64(0))
    while place < bytes.count, shift < 64 {
      let byte = bytes[place]
      place += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }
}

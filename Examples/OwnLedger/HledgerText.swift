// A batch as text that hledger reads. The numbers of a transfer stand in the comment of its
// transaction; what is read back is written again and compared, so that no change goes unnoticed.

import MarketModel
import Settlement

extension SettlementBatch {
  /// The transfers, and the line that ends the batch.
  var text: (transfers: String, end: String) {
    var text = "\n; batch \(id) of commands \(first.rawValue) to \(last.rawValue)\n"
    let name = { ($0.isHouse ? "" : "accounts:") + $0.ledgerName } as (AccountId) -> String
    for transfer in transfers {
      let amount = transfer.unit.format(transfer.amount)
      let commodity = transfer.unit.area.map { "kWh in area \($0.rawValue)" } ?? transfer.unit.name
      text += """
        \(transfer.time.date.iso8601) (\(transfer.id)) \(transfer.code)  \
        ; \(transfer.debit.rawValue) to \(transfer.credit.rawValue), \
        unit \(transfer.unit.rawValue): \(transfer.amount), \
        code \(transfer.code.rawValue).\(transfer.flags.rawValue), \
        command \(transfer.tradeSequence.rawValue), time \(transfer.time.nanoseconds), \
        reference \(transfer.reference)
            \(name(transfer.debit))  -\(amount) "\(commodity)"
            \(name(transfer.credit))  \(amount) "\(commodity)"

        """
    }
    return (text, "; end of batch \(id), hash \(hash)\n")
  }

  /// Reads a batch that follows `head`.
  /// - Returns: `nil` when the lines are not those that are written for it.
  init?(_ lines: ArraySlice<Substring>, after head: LedgerHead, shard: UInt16) {
    let rows = lines.dropLast().map { line in
      line.split { !$0.isNumber }.compactMap { UInt64($0) }
    }
    guard rows.count > 1, rows[1].count == 3 else { return nil }
    let transfers = rows.filter { $0.count == 13 }.compactMap { row -> LedgerTransfer? in
      guard let unit = LedgerUnit(rawValue: .init(truncatingIfNeeded: row[6])),
        let code = TransferCode(rawValue: .init(truncatingIfNeeded: row[8]))
      else { return nil }
      return LedgerTransfer(
        id: row[3], batch: rows[1][0], debit: AccountId(.init(truncatingIfNeeded: row[4])),
        credit: AccountId(.init(truncatingIfNeeded: row[5])), unit: unit,
        amount: .init(truncatingIfNeeded: row[7]), code: code,
        flags: TransferFlags(rawValue: .init(truncatingIfNeeded: row[9])),
        tradeSequence: SequenceNumber(row[10]), time: Timestamp(nanoseconds: row[11]),
        reference: row[12])
    }
    guard !transfers.isEmpty else { return nil }
    self.init(
      shard: shard, id: rows[1][0], first: SequenceNumber(rows[1][1]),
      last: SequenceNumber(rows[1][2]), previous: head.hash, transfers: transfers)
    if text.transfers + text.end != lines.joined(separator: "\n") + "\n" { return nil }
  }
}

import MarketModel

/// Formats a statement as text: a bill to print, a table of entries, or CSV. Each text ends with a
/// newline.
package enum StatementText {
  /// The printable electricity bill of every area, with the account's cash.
  package static func bill(_ statement: AccountStatement) -> String {
    let period = statement.period
    var text = "Account \(statement.account.ledgerName)\n"
    text += "\(period.lowerBound.iso8601) to \(period.upperBound.ledgerEnd)\n"
    for bill in statement.bills {
      let currency = bill.currency?.name
      var table = TextTable([
        "Area \(bill.area.rawValue)", "kWh", currency.map { $0 + "/kWh" } ?? "per kWh",
        currency ?? "amount",
      ])
      for line in bill.lines {
        table.add([
          line.item.rawValue, line.wattHours.map { AmountText.kilowattHours($0) } ?? "",
          line.averagePrice?.decimal ?? "", line.units.map { AmountText.money($0) } ?? "",
        ])
      }
      text += "\n" + table.text
      if currency == nil, bill.total == 0 { continue }
      text += bill.total < 0 ? "To pay: " : "To receive: "
      text += AmountText.money(abs(bill.total)) + (currency.map { " " + $0 } ?? "") + "\n"
    }
    text += "\n" + balances(statement)
    return text
  }

  /// A table of the opening and closing balances, by unit.
  package static func balances(_ statement: AccountStatement) -> String {
    var table = TextTable(["Balance", "before", "after"])
    for balance in statement.balances {
      table.add([
        balance.unit.name, balance.unit.format(balance.opening),
        balance.unit.format(balance.closing),
      ])
    }
    return table.text
  }

  /// A table with one row for each entry; legs of a local trade are marked.
  package static func table(_ statement: AccountStatement) -> String {
    var table = TextTable(
      ["time", "what", "unit", "amount", "balance", "counterparty"], left: [0, 1, 2, 5])
    for entry in statement.entries {
      let unit = entry.transfer.unit
      table.add([
        entry.transfer.time.iso8601,
        "\(entry.transfer.code)" + (entry.transfer.flags.contains(.local) ? " local" : ""),
        unit.name,
        unit.format(entry.amount), unit.format(entry.balance), entry.counterparty.ledgerName,
      ])
    }
    return table.text
  }

  /// CSV with a header and one line for each entry (RFC 4180; no field needs quotes). Amounts are
  /// exact decimals, in the currency or in kWh.
  package static func csv(_ statement: AccountStatement) -> String {
    var text = "transfer,time,sequence,code,reference,unit,amount,balance,counterparty,local\r\n"
    for entry in statement.entries {
      let (transfer, unit) = (entry.transfer, entry.transfer.unit)
      let fields = [
        "\(transfer.id)", transfer.time.iso8601, "\(transfer.tradeSequence.rawValue)",
        "\(transfer.code)", "\(transfer.reference)", unit.name, unit.format(entry.amount),
        unit.format(entry.balance), entry.counterparty.ledgerName,
        transfer.flags.contains(.local) ? "yes" : "no",
      ]
      text += fields.joined(separator: ",") + "\r\n"
    }
    return text
  }

  /// The extent of what was read of a ledger: "whole up to command 123; the last transfer is of
  /// 2026-06-01T12:00:00Z". Later commands are not settled yet.
  /// - Parameter head: The end of what was read of `ledger`.
  /// - Throws: `.unavailable`, `.corrupt`.
  package static func extent(
    of ledger: any Ledger, through head: LedgerHead
  ) throws(LedgerError) -> String {
    guard head.batch > 0, let row = try ledger.row(ofBatch: head.batch) else {
      return "nothing is settled yet"
    }
    let time = try ledger.time(ofTransfer: row.firstTransfer + UInt64(row.count) - 1)
    let last = time.map { "; the last transfer has the time \($0.iso8601)" } ?? ""
    return "complete up to command \(head.last.rawValue)\(last)"
  }

  /// A table of the balances of a ledger. Balances without any transfer are left out.
  package static func table(_ balances: [LedgerBalance]) -> String {
    var table = TextTable(["account", "unit", "balance", "received", "given"], left: [0, 1])
    for balance in balances where balance.debits != 0 || balance.credits != 0 {
      let unit = balance.unit
      table.add([
        balance.account.ledgerName, unit.name, unit.format(balance.amount),
        unit.format(balance.credits), unit.format(balance.debits),
      ])
    }
    return table.text
  }
}

extension StatementText {
  /// A table of what participants' accounts owe: the cash below zero of a ledger's balances.
  /// - Parameter name: The name of an account's person; empty when it is not known.
  package static func debts(_ balances: [LedgerBalance], name: (AccountId) -> String) -> String {
    var table = TextTable(["account", "unit", "owes", "name"], left: [0, 1, 3])
    for balance in balances where balance.amount < 0 && balance.unit.currency != nil {
      let account = balance.account
      if account.isHouse || account.isOutside { continue }
      table.add([
        account.ledgerName, balance.unit.name, balance.unit.format(-balance.amount), name(account),
      ])
    }
    return table.text
  }
}

extension Timestamp {
  /// The end of a period as text: a time, or "now" for an open period.
  fileprivate var ledgerEnd: String { self == .never ? "now" : iso8601 }
}

/// A table of text. A column is as wide as its widest cell; numbers are aligned to the right.
struct TextTable {
  private var rows: [[String]]
  private let left: Set<Int>

  /// A table with a header. The columns in `left` are aligned to the left.
  init(_ header: [String], left: Set<Int> = [0]) { (rows, self.left) = ([header], left) }

  /// Adds a row with as many cells as the header.
  mutating func add(_ row: [String]) { rows.append(row) }

  /// The table as text, with the header underlined.
  var text: String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    var lines = rows.map { row in
      let cells = row.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        return left.contains(column) ? row[column] + space : space + row[column]
      }
      var line = cells.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
    let width = widths.reduce(0, +) + 2 * (widths.count - 1)
    lines.insert(String(repeating: "-", count: width), at: 1)
    return lines.joined(separator: "\n") + "\n"
  }
}

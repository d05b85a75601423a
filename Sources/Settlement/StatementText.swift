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
        if line.item == .imported { addNetwork(of: bill, to: &table) }
      }
      for charge in bill.charges {
        table.add(
          ["\(charge.name), \(charge.quantity)", "", "", AmountText.money(-charge.units)])
      }
      text += "\n" + table.text
      if currency == nil, bill.balanceDue == 0 { continue }
      text += bill.balanceDue < 0 ? "To pay: " : "To receive: "
      text += AmountText.money(abs(bill.balanceDue)) + (currency.map { " " + $0 } ?? "") + "\n"
    }
    text += meters(statement) + corrections(statement)
    text += "\n" + balances(statement)
    return text
  }

  /// What of the imports the network costs, below their line.
  private static func addNetwork(of bill: Bill, to table: inout TextTable) {
    for line in bill.network {
      table.add([
        "  of it network charge", AmountText.kilowattHours(line.wattHours), line.price.decimal,
        AmountText.money(-line.units),
      ])
    }
    if bill.unpricedImports != 0 {
      table.add([
        "  not in the tariff's dates", AmountText.kilowattHours(bill.unpricedImports), "", "",
      ])
    }
  }

  /// The most gaps of a meter, and the most corrections, that are printed.
  private static let most = 20

  /// A paragraph about the intervals of each meter: how many there are, which are missing, and which
  /// are not measured. Empty where the ledger has no readings.
  package static func meters(_ statement: AccountStatement) -> String {
    var text = ""
    for meter in statement.meters {
      text += "\nMeter \(meter.meter.rawValue): \(counted(UInt64(meter.intervals)))"
      if meter.missing > 0 { text += ", \(meter.missing) missing" }
      if meter.estimated > 0 { text += ", \(meter.estimated) estimated" }
      if meter.substituted > 0 { text += ", \(meter.substituted) substituted" }
      if meter.notMinted > 0 {
        text += ", \(meter.notMinted) whose production does not count yet"
      }
      text += "\n"
      for gap in meter.gaps.prefix(most) {
        text += "  missing: \(counted(gap.count)), \(gap.span.lowerBound.iso8601) to "
        text += "\(gap.span.upperBound.iso8601)\n"
      }
      if meter.gaps.count > most { text += "  and \(meter.gaps.count - most) further gaps\n" }
    }
    return text
  }

  private static func counted(_ intervals: UInt64) -> String {
    intervals == 1 ? "1 interval" : "\(intervals) intervals"
  }

  /// A table of the corrections: what was taken back, and what was booked instead. Empty when there are
  /// none.
  package static func corrections(_ statement: AccountStatement) -> String {
    if statement.corrections.isEmpty { return "" }
    var table = TextTable(
      ["Corrected interval", "meter", "what", "production", "consumption", "amount", "currency"],
      left: [0, 2, 6])
    for correction in statement.corrections.prefix(most) {
      let reading = correction.reading
      for (words, amounts) in [
        ("reading \(reading.previousSequence) taken back", correction.takenBack),
        ("reading \(reading.registerSequence) booked", correction.booked),
      ] {
        table.add([
          reading.start.iso8601, "\(reading.meter.rawValue)", words,
          AmountText.kilowattHours(amounts.produced), AmountText.kilowattHours(-amounts.consumed),
          AmountText.money(amounts.units), correction.currency?.name ?? "",
        ])
      }
    }
    let rest = statement.corrections.count - most
    return "\n" + table.text + (rest > 0 ? "and \(rest) further corrections\n" : "")
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

  /// A table with one row for each entry; legs of local trades and of corrections are marked, and what a
  /// reading caused has its interval.
  package static func table(_ statement: AccountStatement) -> String {
    var table = TextTable(
      ["time", "what", "unit", "amount", "balance", "counterparty", "interval", "meter"],
      left: [0, 1, 2, 5, 6])
    for entry in statement.entries {
      let unit = entry.transfer.unit
      table.add([
        entry.transfer.time.iso8601,
        "\(entry.transfer.code)" + entry.transfer.flags.words, unit.name,
        unit.format(entry.amount), unit.format(entry.balance), entry.counterparty.ledgerName,
        entry.reading?.start.iso8601 ?? "", entry.reading.map { "\($0.meter.rawValue)" } ?? "",
      ])
    }
    return table.text + meters(statement)
  }

  /// CSV with a header and one line for each entry (RFC 4180; no field needs quotes). Amounts are
  /// exact decimals, in the currency or in kWh.
  package static func csv(_ statement: AccountStatement) -> String {
    var text =
      "transfer,time,sequence,code,reference,unit,amount,balance,counterparty,local,version,meter,"
      + "interval_start,interval_end,previous\r\n"
    for entry in statement.entries {
      let (transfer, unit) = (entry.transfer, entry.transfer.unit)
      let fields = [
        "\(transfer.id)", transfer.time.iso8601, "\(transfer.tradeSequence.rawValue)",
        "\(transfer.code)", "\(transfer.reference)", unit.name, unit.format(entry.amount),
        unit.format(entry.balance), entry.counterparty.ledgerName,
        transfer.flags.contains(.local) ? "yes" : "no", transfer.flags.version,
      ]
      text += (fields + readingFields(entry.reading)).joined(separator: ",") + "\r\n"
    }
    return text
  }

  /// Meter, interval and the register sequence of the version before; empty where there is none.
  private static func readingFields(_ reading: LedgerReading?) -> [String] {
    guard let reading else { return ["", "", "", ""] }
    return [
      "\(reading.meter.rawValue)", reading.start.iso8601, reading.end.iso8601,
      reading.flags.contains(.correction) ? "\(reading.previousSequence)" : "",
    ]
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

extension TransferFlags {
  /// How a correction made the transfer: "reversal", "correction"; empty for any other.
  package var version: String {
    contains(.reversal) ? "reversal" : contains(.correction) ? "correction" : ""
  }

  /// The marks of a transfer, in words behind its code.
  fileprivate var words: String {
    if contains(.local) { return " local" }
    return version.isEmpty ? "" : " \(version)"
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

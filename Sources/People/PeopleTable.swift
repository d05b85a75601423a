// Persons as CSV (RFC 4180): a header with the columns' names, then a line for each person.

import MarketModel

/// Persons as CSV.
public enum PeopleTable {
  /// A person of a table: the fields of the columns that the table has.
  public typealias Row = (account: AccountId, values: [Person.Field: String])

  /// The table of some persons, which `read` accepts.
  public static func text(_ people: [Person]) -> String {
    let header = (["account"] + Person.Field.allCases.map(\.rawValue)).joined(separator: ",")
    let lines = people.map { person in
      (["\(person.account.rawValue)"]
        + Person.Field.allCases.map { quoted(person.values[$0] ?? "") })
        .joined(separator: ",")
    }
    return ([header] + lines).map { $0 + "\r\n" }.joined()
  }

  private static func quoted(_ text: String) -> String {
    guard text.contains(where: { ",;\"\n\r".contains($0) }) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }

  /// Reads a table. Columns may be separated by commas or semicolons, and stand in any order.
  /// - Parameter name: The file's name, for messages.
  /// - Throws: `value`, with all faults and their lines.
  public static func read(_ text: String, name: String) throws(PeopleError) -> [Row] {
    let plain = text.hasPrefix("\u{FEFF}") ? text.dropFirst() : text[...]
    let header = plain.prefix { !$0.isNewline }
    let separator: Character = header.contains(";") && !header.contains(",") ? ";" : ","
    var lines = try records(plain, separator, name)
    guard !lines.isEmpty else { throw PeopleError(.value, "\(name): the file is empty") }
    let columns = try columns(lines.removeFirst().cells, name)
    var faults: [String] = []
    var rows: [Row] = []
    var seen: Set<AccountId> = []
    for record in lines where record.cells != [""] {
      let (row, found) = row(record.cells, columns)
      faults += found.map { "\(name):\(record.line): \($0)" }
      guard let row else { continue }
      if !seen.insert(row.account).inserted {
        faults.append("\(name):\(record.line): account \(row.account.rawValue) stands there twice")
      }
      rows.append(row)
    }
    if !faults.isEmpty { throw PeopleError(.value, faults.joined(separator: "\n")) }
    return rows
  }

  /// A column: the account (`nil`) or a field.
  private static func columns(
    _ names: [String], _ file: String
  ) throws(PeopleError) -> [Person.Field?] {
    let known = (["account"] + Person.Field.allCases.map(\.rawValue)).joined(separator: ", ")
    var columns: [Person.Field?] = []
    for name in names {
      let word = name.lowercased().filter { !$0.isWhitespace }
      let field = Person.Field(rawValue: word)
      guard word == "account" || field != nil, !columns.contains(field) else {
        throw PeopleError(
          .value,
          "\(file):1: '\(name)' is no column, or stands there twice; the first line has the columns' "
            + "names, of \(known)")
      }
      columns.append(field)
    }
    guard columns.contains(nil) else {
      throw PeopleError(.value, "\(file):1: there is no column account; columns are \(known)")
    }
    return columns
  }

  private static func row(_ cells: [String], _ columns: [Person.Field?]) -> (Row?, [String]) {
    guard cells.count == columns.count else {
      return (nil, ["it has \(cells.count) cells, the first line has \(columns.count)"])
    }
    var (faults, values): ([String], [Person.Field: String]) = ([], [:])
    var account: AccountId?
    for (cell, column) in zip(cells, columns) {
      if let column {
        values[column] = cell
        if let fault = Person.fault(column, cell) { faults.append(fault) }
      } else if let number = UInt32(cell), number > 0, !AccountId(number).isHouse {
        account = AccountId(number)
      } else {
        faults.append("account '\(cell)' is no account number")
      }
    }
    return (account.map { ($0, values) }, faults)
  }

  /// Splits a text into lines of cells; a cell in quotation marks may contain separators and lines.
  private static func records(
    _ text: Substring, _ separator: Character, _ name: String
  ) throws(PeopleError) -> [(line: Int, cells: [String])] {
    var records: [(line: Int, cells: [String])] = []
    var (cells, cell): ([String], String) = ([], "")
    var (line, begin, isQuoted) = (1, 1, false)
    var rest = text
    while let next = rest.popFirst() {
      if next.isNewline { line += 1 }
      if isQuoted {
        if next != "\"" {
          cell.append(next)
        } else if rest.first == "\"" {
          cell.append(rest.removeFirst())
        } else {
          isQuoted = false
        }
      } else if next == "\"", cell.isEmpty {
        isQuoted = true
      } else if next == separator {
        cells.append(cell)
        cell = ""
      } else if next.isNewline {
        records.append((begin, cells + [cell]))
        (cells, cell, begin) = ([], "", line)
      } else {
        cell.append(next)
      }
    }
    if isQuoted {
      throw PeopleError(.value, "\(name):\(begin): a quotation mark is not closed")
    }
    if !cell.isEmpty || !cells.isEmpty { records.append((begin, cells + [cell])) }
    return records
  }
}

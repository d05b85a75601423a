import Foundation

/// A comma-separated file with one header line and no quoting, stored as text cells.
///
/// Numbers are parsed and checked when a column is read, so that an error names file, line and
/// column.
struct DataTable: Sendable {
  /// Name of the file in errors.
  let file: String
  /// Column names, in order.
  let header: [String]
  /// Cells of the rows below the header; each row has as many as the header.
  let rows: [[Substring]]

  /// Parses the table in `text`.
  /// - Throws: `tooFewRows` without rows; `raggedRow` when the number of cells of a row differs.
  init(file: String, text: String) throws(CommunityDataError) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
    guard lines.count > 1 else { throw .tooFewRows(file: file, found: 0, needed: 1) }
    let header = lines[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    var rows: [[Substring]] = []
    rows.reserveCapacity(lines.count - 1)
    for (index, line) in lines.dropFirst().enumerated() {
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      guard cells.count == header.count else {
        throw .raggedRow(file: file, line: index + 2, found: cells.count, needed: header.count)
      }
      rows.append(cells)
    }
    (self.file, self.header, self.rows) = (file, header, rows)
  }

  /// Reads the table in the file at `url`.
  /// - Throws: `unreadable` when the file is missing or not UTF-8; as `init(file:text:)`.
  init(contentsOf url: URL) throws(CommunityDataError) {
    let file = url.lastPathComponent
    guard let data = FileManager.default.contents(atPath: url.path),
      let text = String(bytes: data, encoding: .utf8)
    else { throw .unreadable(file: file) }
    try self.init(file: file, text: text)
  }

  /// Index of `column` in each row.
  /// - Throws: `missingColumn`.
  func index(of column: String) throws(CommunityDataError) -> Int {
    guard let index = header.firstIndex(of: column) else {
      throw .missingColumn(file: file, column: column)
    }
    return index
  }

  /// The cell in `row` and `column`.
  /// - Throws: `missingColumn`.
  func text(_ row: Int, _ column: String) throws(CommunityDataError) -> String {
    String(rows[row][try index(of: column)])
  }

  /// A column of readings, each in `0...limit`.
  /// - Throws: `notANumber`, `negativeReading` or `absurdReading` for the first bad cell.
  func readings(_ column: String, limit: Int64) throws(CommunityDataError) -> [Int64] {
    let position = try index(of: column)
    var values: [Int64] = []
    values.reserveCapacity(rows.count)
    for row in rows.indices {
      let cell = rows[row][position]
      guard let value = Int64(cell) else {
        throw .notANumber(file: file, line: row + 2, column: column, text: String(cell))
      }
      guard value >= 0 else {
        throw .negativeReading(file: file, line: row + 2, column: column, value: value)
      }
      guard value <= limit else {
        throw .absurdReading(file: file, line: row + 2, column: column, value: value, limit: limit)
      }
      values.append(value)
    }
    return values
  }

  /// Checks that there are at least `needed` rows.
  /// - Throws: `tooFewRows`.
  func requireRows(_ needed: Int) throws(CommunityDataError) {
    guard rows.count >= needed else {
      throw .tooFewRows(file: file, found: rows.count, needed: needed)
    }
  }
}

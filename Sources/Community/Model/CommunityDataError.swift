/// A fault in the data of a community. Each case names the file and the place in it.
public enum CommunityDataError: Error, Equatable, CustomStringConvertible {
  /// A data file is missing or not UTF-8 text.
  case unreadable(file: String)
  /// A file has no rows below its header, or fewer than its period needs.
  case tooFewRows(file: String, found: Int, needed: Int)
  /// The header lacks a column.
  case missingColumn(file: String, column: String)
  /// A row has more or fewer cells than the header.
  case raggedRow(file: String, line: Int, found: Int, needed: Int)
  /// A cell is not a whole number.
  case notANumber(file: String, line: Int, column: String, text: String)
  /// A reading is negative.
  case negativeReading(file: String, line: Int, column: String, value: Int64)
  /// A reading exceeds what a connection can carry.
  case absurdReading(file: String, line: Int, column: String, value: Int64, limit: Int64)
  /// A customer names a profile that the profile file does not have.
  case unknownProfile(customer: String, profile: String)

  /// The fault and its place in one line.
  public var description: String {
    switch self {
    case .unreadable(let file): "\(file): cannot be read"
    case .tooFewRows(let file, let found, let needed):
      "\(file): \(found) rows, needs \(needed)"
    case .missingColumn(let file, let column): "\(file): no column \(column)"
    case .raggedRow(let file, let line, let found, let needed):
      "\(file):\(line): \(found) cells, the header has \(needed)"
    case .notANumber(let file, let line, let column, let text):
      "\(file):\(line): \(column) is \"\(text)\", not a whole number"
    case .negativeReading(let file, let line, let column, let value):
      "\(file):\(line): \(column) is \(value): a reading cannot be negative"
    case .absurdReading(let file, let line, let column, let value, let limit):
      "\(file):\(line): \(column) is \(value): above the limit of \(limit)"
    case .unknownProfile(let customer, let profile):
      "\(customer): no profile \(profile)"
    }
  }
}

// Where a source computes with what could leave its type: the operators that trap, and the conversions.

import Foundation

extension Rules {
  /// A line that computes, and why it cannot leave its type: a row of arithmetic.tsv.
  struct ArithmeticRow: Hashable {
    /// Under Sources.
    let file: String
    /// A heading of docs/ARITHMETIC.md.
    let reason: String
    /// The line's code, without comments and without the texts of strings.
    let code: String

    /// The row as written in the file.
    var line: String { "\(file)\t\(reason)\t\(code)" }
  }

  /// The rows of a table: file, reason and code with tabs between them.
  static func arithmeticRows(_ table: String) -> [ArithmeticRow] {
    table.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: "\t", maxSplits: 2).map(String.init)
      return fields.count == 3
        ? ArithmeticRow(file: fields[0], reason: fields[1], code: fields[2]) : nil
    }
  }

  /// The lines of a source that compute with an operator that traps, or convert an integer in a way that does,
  /// each once. Wrapping operators (`&+`), shifts, and what reports its overflow are no such lines; nor are
  /// conversions to 128 bits and of literals.
  static func arithmetic(_ source: String) -> [String] {
    let patterns = [
      // Binary, which the formatter surrounds with spaces, and assignments.
      #"(^|\s)[-+*/%]=?(\s|$)"#,
      // A minus before a name, not before a literal; an operator that is handed over.
      #"(^|[\s(\[{,:!])-[A-Za-z_(]"#, #"[(,]\s*[-+*]\s*\)"#,
      #"\b(abs|dividingFullWidth|negate|advanced|distance)\("#,
      #"(?<![A-Za-z0-9_.<])U?Int(8|16|32|64)?\("#
        + #"(?!bitPattern:|truncatingIfNeeded:|clamping:|exactly:)(?![0-9][0-9_]*\))"#,
    ]
    let pattern = patterns.map { "(?:\($0))" }.joined(separator: "|")
    var found: [String] = []
    for raw in code(source) {
      let line = raw.trimmingCharacters(in: .whitespaces)
      if !line.hasPrefix("#"), !found.contains(line),
        line.range(of: pattern, options: .regularExpression) != nil
      {
        found.append(line)
      }
    }
    return found
  }

  /// The lines of a source without comments and strings, but with the expressions in strings.
  static func code(_ source: String) -> [String] {
    var reader = CodeReader(source)
    return reader.lines()
  }
}

/// Takes comments and the texts of strings out of a source.
private struct CodeReader {
  private enum State {
    /// Code; in a string's expression with so many parentheses open.
    case code(open: Int)
    case line
    case block
    case string(isLong: Bool)
  }

  private let text: [Character]
  private var place = 0
  private var states = [State.code(open: 0)]
  private var result = ""

  init(_ source: String) { text = Array(source) }

  mutating func lines() -> [String] {
    while place < text.count {
      switch states[states.count - 1] {
      case .code(let open): readCode(open)
      case .line: if isNext("\n") { states.removeLast() } else { place += 1 }
      case .block:
        if skip("*/") {
          states.removeLast()
        } else if skip("/*") {
          states.append(.block)
        } else {
          keepLineEnd()
        }
      case .string(let isLong): readString(isLong)
      }
    }
    return result.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  private mutating func readCode(_ open: Int) {
    if skip("//") {
      states.append(.line)
    } else if skip("/*") {
      states.append(.block)
    } else if isNext("\"") {
      states.append(.string(isLong: skip("\"\"\"")))
      if case .string(isLong: false) = states[states.count - 1] { place += 1 }
      result.append("\"")
    } else {
      let isInString = states.count > 1
      if isInString, text[place] == ")", open == 1 {
        states.removeLast()
      } else if isInString, "()".contains(text[place]) {
        states[states.count - 1] = .code(open: text[place] == "(" ? open + 1 : open - 1)
      }
      result.append(text[place])
      place += 1
    }
  }

  private mutating func readString(_ isLong: Bool) {
    if skip("\\(") {
      states.append(.code(open: 1))
      result.append("(")
    } else if isNext("\\") {
      place += 2
    } else if skip(isLong ? "\"\"\"" : "\"") {
      states.removeLast()
      result.append("\"")
    } else {
      keepLineEnd()
    }
  }

  private mutating func keepLineEnd() {
    if isNext("\n") { result.append("\n") }
    place += 1
  }

  private func isNext(_ what: String) -> Bool { text[place...].starts(with: what) }

  private mutating func skip(_ what: String) -> Bool {
    guard isNext(what) else { return false }
    place += what.count
    return true
  }
}

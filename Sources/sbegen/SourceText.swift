// Text under construction, line by line.

import Foundation

/// A source file or page being written.
struct SourceText {
  /// What was written so far; ends with a newline.
  private(set) var text = ""

  /// Widest line of prose.
  static let width = 100

  /// Adds a line; an empty one carries no blanks.
  mutating func line(_ line: String = "", indent: Int = 0) {
    text += line.isEmpty ? "\n" : String(repeating: "  ", count: indent) + line + "\n"
  }

  /// Adds comma-separated items, as many a line as fit the width.
  mutating func list(_ items: [String], indent: Int) {
    var current = ""
    for (index, item) in items.enumerated() {
      let next = item + (index + 1 < items.count ? "," : "")
      if !current.isEmpty, 2 * indent + current.count + 1 + next.count > Self.width {
        line(current, indent: indent)
        current = ""
      }
      current += (current.isEmpty ? "" : " ") + next
    }
    line(current, indent: indent)
  }

  /// Adds an inlinable getter, on one line if it fits.
  mutating func getter(_ declaration: String, _ body: String, indent: Int) {
    let opening = "@inlinable public var \(declaration) {"
    if 2 * indent + opening.count + body.count + 3 <= Self.width {
      line("\(opening) \(body) }", indent: indent)
      return
    }
    line(opening, indent: indent)
    let parts = body.components(separatedBy: "), ")
    list(parts.dropLast().map { $0 + ")" } + parts.suffix(1), indent: indent + 1)
    line("}", indent: indent)
  }

  /// Adds a doc comment, wrapped at the width.
  mutating func doc(_ prose: String, indent: Int = 0) {
    let prefix = String(repeating: "  ", count: indent) + "///"
    var current = prefix
    for word in prose.split(separator: " ") {
      if current.count + 1 + word.count > Self.width {
        text += current + "\n"
        current = prefix
      }
      current += " " + word
    }
    text += current + "\n"
  }
}

extension String {
  /// With the first letter in upper case: a field's name as a type's.
  var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }

  /// With the first letter in lower case: a message's name as an enum case.
  var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}

import Foundation

/// A source file or page that is built line by line.
struct SourceText {
  /// The text so far; it ends with a newline.
  private(set) var text = ""

  /// Longest line in characters.
  static let width = 100

  /// One step of indentation.
  var step = "  "

  /// Adds a line; an empty line is not indented.
  mutating func line(_ line: String = "", indent: Int = 0) {
    text += line.isEmpty ? "\n" : String(repeating: step, count: indent) + line + "\n"
  }

  /// Adds comma-separated items, as many per line as fit.
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

  /// Adds an inlinable getter, on one line if that fits.
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

  /// Adds a doc comment, wrapped at the width; `mark` begins each line.
  mutating func doc(_ prose: String, mark: String = "///", indent: Int = 0) {
    let prefix = String(repeating: step, count: indent) + mark
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
  /// The text with its first letter in upper case, to make a type name of a field's.
  var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }

  /// The text with its first letter in lower case, to make an enum case of a message's name.
  var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}

// Figures that pages quote: each is between two comments, and equals its row of docs/figures.tsv.

/// A figure that a benchmark measured.
struct Figure: Equatable {
  let value: String
  let unit: String
}

/// A place in a page that quotes a figure: `<!-- figure:NAME -->VALUE UNIT<!-- /figure -->`, or with `value:` the
/// value alone.
struct FigureMark: Equatable {
  let name: String
  let hasUnit: Bool
  let text: String

  /// The marks of a page, in order.
  static func all(_ page: String) -> [FigureMark] {
    page.matches(of: /<!-- (figure|value):([\w.]+) -->(.*?)<!-- \/figure -->/).map {
      FigureMark(name: String($0.2), hasUnit: $0.1 == "figure", text: String($0.3))
    }
  }

  /// What is wrong with it, or `nil`.
  func fault(_ figures: [String: Figure]) -> String? {
    guard let figure = figures[name] else { return "docs/figures.tsv has no \(name)" }
    let right = hasUnit ? "\(figure.value) \(figure.unit)" : figure.value
    return text == right ? nil : "\(name) is \(right), not \(text)"
  }
}

extension Rules {
  /// Columns of docs/figures.tsv.
  static let figureColumns = [
    "name", "value", "unit", "machine", "cores", "L2", "date", "command",
  ]

  /// The rows of docs/figures.tsv by name; none when its head or a row is malformed, or a name comes twice.
  static func figures(_ table: String) -> [String: Figure] {
    let rows = table.split(separator: "\n").map {
      $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
    guard rows.first == figureColumns else { return [:] }
    var figures: [String: Figure] = [:]
    for row in rows.dropFirst() {
      guard row.count == figureColumns.count, !row.contains(""), figures[row[0]] == nil else {
        return [:]
      }
      figures[row[0]] = Figure(value: row[1], unit: row[2])
    }
    return figures
  }
}

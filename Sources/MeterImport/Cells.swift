// The cells of a line of CSV. Cells may stand in quotation marks; blanks around them are dropped.

/// Splits lines into cells, and keeps the memory for the next line.
struct Cells {
  /// The cells of the last line, valid until the next line is read.
  private(set) var all: [Bytes] = []

  /// Number of cells.
  var count: Int { all.count }

  /// The cell at `index`; empty when the line is shorter.
  subscript(index: Int) -> Bytes {
    index < all.count ? all[index] : Bytes(start: nil, count: 0)
  }

  /// Splits a line at `separator`, but not within quotation marks. Linear in the line.
  /// - Returns: `false` when a quotation mark is not closed.
  mutating func split(_ line: Bytes, at separator: UInt8) -> Bool {
    all.removeAll(keepingCapacity: true)
    var begin = 0
    var isQuoted = false
    for (index, byte) in line.enumerated() {
      if byte == 0x22 {
        isQuoted.toggle()
      } else if byte == separator, !isQuoted {
        all.append(Self.trimmed(line, begin, index))
        begin = index + 1
      }
    }
    all.append(Self.trimmed(line, begin, line.count))
    return !isQuoted
  }

  private static func trimmed(_ line: Bytes, _ first: Int, _ last: Int) -> Bytes {
    var (begin, end) = (first, last)
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    while begin < end, isBlank(line[begin]) { begin += 1 }
    while begin < end, isBlank(line[end - 1]) { end -= 1 }
    if end - begin >= 2, line[begin] == 0x22, line[end - 1] == 0x22 {
      (begin, end) = (begin + 1, end - 1)
      while begin < end, isBlank(line[begin]) { begin += 1 }
      while begin < end, isBlank(line[end - 1]) { end -= 1 }
    }
    return Bytes(rebasing: line[begin..<end])
  }
}

extension Bytes {
  /// The text: UTF-8, or Latin-1 where it is none. German files are often in Latin-1.
  var text: String {
    String(validating: self, as: UTF8.self)
      ?? String(String.UnicodeScalarView(map { Unicode.Scalar($0) }))
  }

  /// The text for a message: at most 40 characters, without control characters.
  var shown: String {
    let text = prefix(160).isEmpty ? "" : Bytes(rebasing: prefix(160)).text
    let plain = text.map { $0.isNewline || ($0.asciiValue ?? 0x20) < 0x20 ? "?" : $0 }
    return plain.count > 40 ? String(plain.prefix(40)) + "..." : String(plain)
  }
}

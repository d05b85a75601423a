// Text for a terminal or a line of a file. Labels of older journals, notes of orders and names of
// persons may have characters that move a cursor, end a line or turn the direction of writing.

extension StringProtocol {
  /// The text with each such character written as `\x1B` or `\u{202E}`. Linear.
  public var printable: String {
    guard unicodeScalars.contains(where: \.isUnprintable) else { return String(self) }
    var text = ""
    for scalar in unicodeScalars {
      guard scalar.isUnprintable else {
        text.unicodeScalars.append(scalar)
        continue
      }
      let digits = String(scalar.value, radix: 16, uppercase: true)
      let isByte = scalar.value < 0x100
      text += isByte ? "\\x" + (digits.count == 1 ? "0" : "") + digits : "\\u{\(digits)}"
    }
    return text
  }
}

extension Unicode.Scalar {
  /// Whether the character is a control character, a separator of lines, or one that turns the
  /// direction of writing.
  public var isUnprintable: Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}

/// Decimal numbers with a fixed number of decimal places.
package enum DecimalText {
  /// The number as an integer scaled by ten to the power `places`: "0.125" with 5 places is 12500.
  /// - Returns: `nil` when `text` is not such a number, has more decimals, or exceeds 64 bits.
  package static func units(_ text: some StringProtocol, places: Int) -> Int64? {
    let isNegative = text.hasPrefix("-")
    let unsigned = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
    let parts = unsigned.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = parts.first else { return nil }
    let fraction = parts.count == 2 ? String(parts[1]) : ""
    guard fraction.utf8.count <= places, !whole.isEmpty || !fraction.isEmpty else { return nil }
    let digits = whole + fraction + String(repeating: "0", count: places - fraction.utf8.count)
    guard digits.utf8.allSatisfy(isDigit) else { return nil }
    return Int64((isNegative ? "-" : "") + digits)
  }

  /// The shortest text that `units` reads as the same number.
  package static func text(_ units: Int64, places: Int) -> String {
    let digits = String(units.magnitude)
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.utf8.count)) + digits
    let whole = padded.dropLast(places)
    var fraction = padded.suffix(places)
    while fraction.last == "0" { fraction.removeLast() }
    return (units < 0 ? "-" : "") + whole + (fraction.isEmpty ? "" : "." + fraction)
  }

  /// A number with an explanation of why it is refused.
  /// - Parameters:
  ///   - what: The name of the quantity with its article: "a price".
  ///   - example: A number that is right.
  static func explained(
    _ text: some StringProtocol, places: Int, _ what: String, example: String
  ) throws(ValueError) -> Int64 {
    if let units = units(text, places: places) { return units }
    throw ValueError(reason(String(text), places: places, what, example: example))
  }

  private static func reason(
    _ text: String, places: Int, _ what: String, example: String
  ) -> String {
    let form = "\(what) is written like \(example)"
    if text.isEmpty { return "it is empty; \(form)" }
    if text.hasPrefix("\u{2212}") || text.hasPrefix("\u{2013}") {
      return "the minus sign is not the ASCII one; write -\(text.dropFirst())"
    }
    if let stranger = text.first(where: { $0.isNumber && !$0.isASCII }) {
      return "\(stranger) is not one of the digits 0 to 9; \(form)"
    }
    if let advice = separators(text, places: places) { return advice }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let isPlain = { (part: Substring) in part.utf8.allSatisfy(isDigit) }
    let body = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
    if body.lowercased().contains("e"), Double(text) != nil {
      return "write the number without an exponent, like \(example)"
    }
    if parts.count == 2, isPlain(parts[1]), parts[1].utf8.count > places {
      return "it has \(parts[1].utf8.count) decimals, \(what) has at most \(places); \(form)"
    }
    if !body.isEmpty, body.filter({ $0 != "." }).utf8.allSatisfy(isDigit), parts.count <= 2 {
      return "it is too large: \(what) has at most \(Self.text(.max, places: places))"
    }
    return "it is not a number; \(form)"
  }

  /// What to write instead of commas, or separators between thousands.
  private static func separators(_ text: String, places: Int) -> String? {
    let allowed = text.allSatisfy { "0123456789.,'’ _\u{A0}\u{202F}+-".contains($0) }
    guard allowed, text.contains(where: { ",'’ _\u{A0}\u{202F}".contains($0) }) || dots(text) > 1
    else { return nil }
    let last = text.last { ".,".contains($0) }
    let mark = last.flatMap { text.lastIndex(of: $0) }
    let isRepeated = last.map { mark in text.filter { $0 == mark }.count > 1 } ?? false
    func bare(_ part: Substring) -> String { part.filter { "0123456789-+".contains($0) } }
    guard let mark, !isRepeated else {
      return "write the number without separators between thousands: \(bare(text[...]))"
    }
    let (whole, fraction) = (bare(text[..<mark]), bare(text[text.index(after: mark)...]))
    let number = "\(whole).\(fraction)"
    guard units(number, places: places) != nil else { return nil }
    let isAlone = text.filter { !"0123456789+-".contains($0) }.count == 1
    if isAlone, last == ",", fraction.utf8.count == 3, !whole.isEmpty, whole != "0" {
      return
        "a comma is ambiguous; write \(number) with a decimal point, or \(whole)\(fraction) "
        + "without a separator between thousands"
    }
    return isAlone
      ? "decimals follow a point, not a comma: \(number)"
      : "write decimals after a point, and no separators between thousands: \(number)"
  }

  private static func dots(_ text: String) -> Int { text.filter { $0 == "." }.count }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}

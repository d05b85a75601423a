import MarketModel

extension Typed {
  /// A currency by its letters, such as "EUR" or "pln", or by its number in ISO 4217, 1 to 999.
  public static func currency(_ text: String) throws(ValueError) -> Currency {
    let word = trimmed(text).uppercased()
    if let known = Currency.named.first(where: { $0.letters == word }) { return known.currency }
    if let number = UInt16(word), (1...999).contains(number) { return Currency(number) }
    let names = Currency.named.map(\.letters).joined(separator: " ")
    throw ValueError(
      "no such currency is known by letters; write one of \(names), or its number in ISO 4217, "
        + "such as 985 for PLN")
  }

  /// The label of something that may be a person: at most 16 printable ASCII characters, not empty.
  public static func label(_ text: String) throws(ValueError) -> Label {
    try label(text, place: ", and the full name of a person goes to `joulebook people set`")
  }

  /// A symbol or a code of at most 16 printable ASCII characters, not empty.
  public static func symbol(_ text: String) throws(ValueError) -> Label {
    try label(text, place: "")
  }

  /// A label; errors end with `place`.
  private static func label(_ text: String, place: String) throws(ValueError) -> Label {
    if let label = Label(text), !text.isEmpty {
      if label.isBlank {
        throw ValueError("it has blanks only; write 1 to 16 printable ASCII characters")
      }
      return label
    }
    if text.isEmpty { throw ValueError("it is empty; write 1 to 16 printable ASCII characters") }
    if let stranger = text.first(where: { !$0.isASCII || !(0x20..<0x7F ~= ($0.asciiValue ?? 0)) }) {
      let shown = stranger.isASCII ? "a control character" : "\(stranger)"
      let plain = transliterated(text)
      let advice = Label(plain) == nil ? "" : ", such as \"\(plain)\""
      throw ValueError(
        "\(shown) is not printable ASCII; a label has at most 16 ASCII characters\(advice)\(place)")
    }
    throw ValueError(
      "it has \(text.utf8.count) characters; a label has at most 16 ASCII characters\(place)")
  }

  /// Roles joined by `+` or commas, such as "trading+metering".
  public static func roles(_ text: String) throws(ValueError) -> Roles {
    var roles: Roles = []
    for word in text.split(whereSeparator: { "+, ".contains($0) }) {
      guard let role = roleNames.first(where: { $0.name == word })?.role else {
        let known = roleNames.map(\.name).joined(separator: ", ")
        throw ValueError("\(word) is no role; the roles are \(known), joined by +")
      }
      roles.formUnion(role)
    }
    if roles.isEmpty { throw ValueError("it names no role; write one, such as trading") }
    return roles
  }

  /// The roles with their names in files and on the command line.
  static let roleNames: [(name: String, role: Roles)] = [
    ("trading", .trading), ("metering", .metering), ("administration", .administration),
    ("dropCopy", .dropCopy), ("participantAdministration", .participantAdministration),
    ("surveillance", .surveillance),
  ]

  /// The names of roles, in the order of their bits.
  public static func names(of roles: Roles) -> [String] {
    roleNames.filter { roles.contains($0.role) }.map(\.name)
  }

  /// A whole number from `range`.
  public static func number<Value: FixedWidthInteger>(
    _ text: String, in range: ClosedRange<Value>
  ) throws(ValueError) -> Value {
    let word = trimmed(text)
    if word.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2D }), let number = Value(word),
      range.contains(number)
    {
      return number
    }
    throw ValueError("it is not a whole number from \(range.lowerBound) to \(range.upperBound)")
  }

  /// The text with the usual ASCII spelling of German and Scandinavian letters.
  private static func transliterated(_ text: String) -> String {
    let spellings: [Character: String] = [
      "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "å": "aa",
      "Å": "Aa", "æ": "ae", "Æ": "Ae", "ø": "oe", "Ø": "Oe", "é": "e", "è": "e", "ê": "e",
      "á": "a", "à": "a", "ç": "c", "ñ": "n", "ó": "o", "í": "i", "ł": "l", "Ł": "L",
    ]
    return text.map { spellings[$0] ?? String($0) }.joined()
  }
}

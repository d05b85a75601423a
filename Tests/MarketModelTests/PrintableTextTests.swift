import MarketModel
import Testing

@Suite("Printable text") struct PrintableTextTests {
  @Test(
    "Characters that move a cursor, end a line or turn the direction are escaped, others stay.",
    arguments: [
      ("Flat 3", "Flat 3"), ("Müller, Žofie", "Müller, Žofie"), ("", ""),
      ("\u{1B}[2Jgone", "\\x1B[2Jgone"), ("a\nb\tc", "a\\x0Ab\\x09c"),
      ("\u{7F}\u{9B}", "\\x7F\\x9B"),
      ("a\u{202E}b\u{2066}", "a\\u{202E}b\\u{2066}"), ("a\u{2028}b", "a\\u{2028}b"),
    ])
  func escaped(_ text: String, _ printed: String) {
    #expect(text.printable == printed)
    #expect(printed.printable == printed)
  }

  @Test("A label of an older journal is printed without its control characters.") func label() {
    let label = Label(low: 0x0000_6E6F_4A32_5B1B, high: 0)
    #expect(!label.isPrintable)
    #expect(label.text.printable == "\\x1B[2Jon")
  }
}

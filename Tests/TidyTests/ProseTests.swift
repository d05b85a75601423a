import Testing

@Suite("Pages and sources are in the field's words")
struct ProseTests {
  /// Pages that are not checked: entries of earlier versions stay as they were published.
  private static let history = ["CHANGELOG.md"]

  @Test("No page has a word that the field has a better one for.")
  func pages() throws {
    for (path, text) in try Repository.files("", ".md") where !Self.history.contains(path) {
      let found = Rules.dialect(in: text)
      #expect(found.isEmpty, "\(path): \(found)")
    }
  }

  @Test("No source has such a word.")
  func sources() throws {
    for (path, text) in try Repository.files("Sources", ".swift") {
      let found = Rules.dialect(in: text)
      #expect(found.isEmpty, "Sources/\(path): \(found)")
    }
  }

  @Test("A comment names the section of the market rules that defines its subject.")
  func sections() throws {
    for (path, text) in try Repository.files("Sources", ".swift") {
      let found = Rules.misplaced(Rules.comments(text))
      #expect(found.isEmpty, "Sources/\(path): \(found)")
    }
  }

  @Test("Planted words and wrong sections are found, and plain sentences pass.")
  func proseCanFail() {
    let traps = [
      "Whoever calls back borrows.", "let room = MarketRoom()", "The desk takes it.",
      "HistoryDesk", "He waits so many turns.", "The keepers go first.", "Room 3 is the ring.",
    ]
    for trap in traps { #expect(Rules.dialect(in: trap).count == 1, "\(trap)") }
    #expect(Rules.dialect(in: "a\nmeanwhile") == [#"line 2: "meanwhile"; better: while ..."#])
    for fine in [
      "The disk has room again.", "A house account takes fees.", "so much that it waits",
    ] {
      #expect(Rules.dialect(in: fine).isEmpty, "\(fine)")
    }
    #expect(Rules.misplaced(["Icebergs (section 11): seen in part."]).count == 1)
    #expect(Rules.misplaced(["Icebergs (section 5): seen in part."]).isEmpty)
    #expect(Rules.misplaced(["A standing instruction (market rules 8). More."]).isEmpty)
    #expect(Rules.misplaced(["Validating a new order, in the order of section 11"]).isEmpty)
  }
}

import Testing

@Suite("Dependencies between the core's folders")
struct CoreFoldersTests {
  private func sources() throws -> [CoreSource] {
    try Repository.files("Sources/ExchangeCore", ".swift").map {
      CoreSource(path: $0.path, text: $0.text)
    }
  }

  @Test("No folder of the core uses one that is not below it, but Cover and Matching each other.")
  func arrows() throws {
    var model: Set<String> = []
    for (_, text) in try Repository.files("Sources/MarketModel", ".swift") {
      model.formUnion(SwiftNames(text).visible)
    }
    let sources = try sources()
    #expect(sources.count > 30 && model.count > 300)
    for arrow in CoreFolders.forbidden(sources, model: model) { Issue.record("\(arrow)") }
  }

  @Test("Every part of the core's state is in the list of its parts, once.")
  func parts() throws {
    let text = try Repository.files("Sources/ExchangeCore", ".swift").map(\.text)
      .joined(separator: "\n")
    let declared = text.matches(
      of: #/(?:struct|extension) (\w+): (?:~Copyable, )?StateComponent \{/#
    )
    .map { String($0.1) }.sorted()
    let listed = text.matches(of: #/\bbody\((\w+)\.self\)/#).map { String($0.1) }.sorted()
    #expect(declared == listed && declared.count >= 10, "\(declared) \(listed)")
  }

  @Test("Every folder of the core has its place in the table.")
  func folders() throws {
    for folder in CoreFolders.unknown(try sources()) {
      Issue.record("Sources/ExchangeCore/\(folder) is a folder that the table does not know")
    }
  }

  private func forbidden(_ files: [(path: String, text: String)], model: Set<String> = [])
    -> [String]
  {
    CoreFolders.forbidden(files.map { CoreSource(path: $0.path, text: $0.text) }, model: model)
  }

  @Test("A forbidden use is found in either form, with both files and the name.")
  func plantedUses() {
    let cover = (path: "Cover/Cover.swift", text: "extension Exchange { func touch(_ a: Int) {} }")
    let book = (path: "Book/Lists.swift", text: "struct Lists {\n  var depth = 0\n}")
    #expect(
      forbidden([cover, ("Book/OrderEnd.swift", "extension Exchange { func end() { touch(1) } }")])
        == ["Book/OrderEnd.swift uses touch of Cover/Cover.swift"])
    #expect(
      forbidden([book, ("Memory/Table.swift", "func f() -> Int { lists.depth }")])
        == ["Memory/Table.swift uses depth of Book/Lists.swift"])
    #expect(
      forbidden([book, ("Memory/Table.swift", "func f(_ all: Lists) { print(\"\\(all.depth)\") }")])
        == [
          "Memory/Table.swift uses Lists of Book/Lists.swift",
          "Memory/Table.swift uses depth of Book/Lists.swift",
        ])
    #expect(
      forbidden([
        ("Agents/A.swift", "func runAgent() {}"), ("Metering/M.swift", "func m() { runAgent() }"),
      ])
        == ["Metering/M.swift uses runAgent of Agents/A.swift"])
  }

  @Test("Permitted uses: lower folders, the mutually recursive folder and the exchange itself.")
  func rightUses() {
    let cover = (path: "Cover/Cover.swift", text: "func touch() { match() }")
    let match = (path: "Matching/Match.swift", text: "func match() { touch() }")
    #expect(forbidden([cover, match]).isEmpty)
    #expect(forbidden([cover, ("Orders/Enter.swift", "func enter() { touch() }")]).isEmpty)
    #expect(forbidden([cover, ("Exchange.swift", "func drain() { touch() }")]).isEmpty)
    #expect(
      forbidden([("Exchange.swift", "func drain() {}"), ("Memory/T.swift", "let a = drain()")])
        .isEmpty)
    #expect(forbidden([cover, ("Cover/Queue.swift", "func more() { touch() }")]).isEmpty)
    #expect(forbidden([cover, ("New/A.swift", "func more() { touch() }")]).isEmpty)
  }

  @Test("An equal word with another meaning does not count as a use.")
  func otherWords() {
    let text = """
      enum State {
        case open, halted(since: Int),
          closed
      }
      struct Row {
        let price: Int
        private var hiddenOne = 0
      }
      """
    let orders = (path: "Orders/Row.swift", text: text)
    let fine = [
      "// price, open and Row\nlet text = \"price \\(1) Row\"", "let sum = f(price: 1)",
      "func f(_ price: Int) -> Int { price }", "func f(at price: Int) {}",
      "func f() -> Int { let price = 1; return price }", "func f() { hiddenOne() }",
      "func f() { for price in 0..<1 { print(price) } }",
      "let f = { (price: Int, b: B) -> Int in price }",
      "let f = all.map { price in price + 1 }", "struct Own { var price = 0 ; func f() { price } }",
    ]
    for source in fine {
      #expect(forbidden([orders, ("Book/B.swift", source)]).isEmpty, "\(source)")
    }
    for name in ["open", "halted", "closed", "price"] {
      let use = ("Book/B.swift", "func f() { g(.\(name)) }")
      #expect(forbidden([orders, use]) == ["Book/B.swift uses \(name) of Orders/Row.swift"])
      #expect(forbidden([orders, use], model: [name]).isEmpty)
      #expect(forbidden([orders, use, ("Cover/C.swift", "var \(name) = 0")]).isEmpty)
      #expect(forbidden([orders, use, ("Exchange.swift", "var \(name) = 0")]).isEmpty)
    }
    #expect(
      forbidden([
        ("Orders/O.swift", "struct A { var count = 0 }"), ("Book/B.swift", "let a = b.count"),
      ])
      .isEmpty)
  }

  @Test("A folder that the table does not have is found.")
  func unknownFolders() {
    let paths = [
      "Exchange.swift", "Book/Lists.swift", "Rules/Cover.swift", "Auctions/Deep/A.swift",
    ]
    #expect(
      CoreFolders.unknown(paths.map { CoreSource(path: $0, text: "") }) == ["Auctions", "Rules"])
  }
}

import Testing

@Suite("References in comments and pages exist")
struct ReferencesTests {
  /// Comments of sources and scripts, titles of suites, and pages. A link's text is read where it leads.
  private func prose() throws -> [(path: String, texts: [String])] {
    try Repository.paths("").filter { Repository.destination($0) == nil }.compactMap { path in
      let isScript = path.hasSuffix(".sh") || path.hasSuffix(".py") || path == "Makefile"
      if path.hasSuffix(".md") { return (path, [try Repository.text(path)]) }
      guard path.hasSuffix(".swift") || isScript, !path.contains(".generated.") else { return nil }
      let text = try Repository.text(path)
      let titles = text.split(separator: "\n").filter { $0.contains("@Suite(") }.map {
        $0.replacingOccurrences(of: "\\\"", with: "\"")
      }
      return (path, Rules.comments(text, mark: isScript ? "#" : "//") + titles)
    }
  }

  @Test("Every section of the market rules, heading and file that is named exists.")
  func references() throws {
    let paths = try Repository.paths("")
    // Pages may name files that are made and not committed.
    let made = try Repository.text(".gitignore").split(separator: "\n")
      .filter { $0.hasPrefix("/") && !$0.hasSuffix("/") }.map { String($0.dropFirst()) }
    let tree = FileTree(paths + made)
    let rules = NumberedPage(try Repository.text("docs/MARKET-RULES.md"))
    #expect(rules.sections.count >= 11)
    var pages: [String: String] = [:]
    for path in paths where path.hasSuffix(".md") { pages[path] = try Repository.text(path) }
    for (path, texts) in try prose() {
      for text in texts {
        let files = Rules.missingFiles(text, in: tree)
        #expect(files.isEmpty, "\(path) names files that are not there: \(files)")
        let sections = rules.missing(in: text)
        #expect(sections.isEmpty, "\(path): not in docs/MARKET-RULES.md: \(sections)")
        let headings = Rules.missingHeadings(text, pages: pages)
        #expect(headings.isEmpty, "\(path): no such heading: \(headings)")
      }
    }
  }

  @Test("Every alarm that a page quotes is a message of the sources.")
  func alarms() throws {
    let sources = try Repository.files("Sources", ".swift").map(\.text).joined(separator: "\n")
    for page in ["docs/RUNBOOK.md", "docs/JOURNAL.md", "docs/RELIABILITY.md"] {
      let found = Rules.missingAlarms(try Repository.text(page), sources: sources)
      #expect(found.isEmpty, "\(page): \(found)")
    }
    let known = #"log("ALARM: no snapshot") log("ALARM: \(what): only cancels are accepted")"#
    func missing(_ quote: String) -> [String] {
      Rules.missingAlarms("see `ALARM: \(quote)`", sources: known)
    }
    #expect(missing(#"no snapshot errno=28 error="...""#).isEmpty)
    #expect(missing("the disk is full: only cancels are accepted").isEmpty)
    #expect(missing("no picture errno=28") == ["no picture"])
  }

  @Test("The bot on the Python client's page is the example that the tests run.")
  func bot() throws {
    let page = try Repository.text("clients/python/README.md")
    let example = try Repository.text("clients/python/examples/tiny_bot.py")
    let block = page.components(separatedBy: "```").first { $0.contains("sys.argv") } ?? ""
    let lines = block.split(separator: "\n").dropFirst()
    #expect(lines.count > 20)
    let known = Set(example.split(separator: "\n"))
    for line in lines { #expect(known.contains(line), "not in tiny_bot.py: \(line)") }
  }

  @Test("Every symbolic link leads to a file.")
  func links() throws {
    let links = try Repository.paths("").filter { Repository.destination($0) != nil }
    #expect(!links.isEmpty)
    for link in links {
      #expect(
        Repository.exists(link), "\(link) leads to \(Repository.destination(link) ?? "nothing")")
    }
    #expect(!Repository.exists("Tests/Gone.swift") && Repository.destination("Makefile") == nil)
  }

  @Test("A section that is not there is found, also in a list and by its title.")
  func sectionsCanFail() {
    let page = """
      # Rules

      ## 1. Units

      An area has a grid.

      ## 11. Validation, in order

      - **All**: a role.

      ## Notes

      More.
      """
    let rules = NumberedPage(page)
    #expect(rules.sections.keys.sorted() == [1, 11])
    let fine = [
      "as in section 11", "(market rules 1)", "Rules 1 and 11: units", "sections 1 to 11, and more",
      "RFC 8032, section 7", "section 10.3 of it", "(section 11, \"All\")",
      "(market rules 1, \"grid\")",
      "section 1, \"Units\", and section 11, \"Validation, in order\"", "version 2 of the rules",
    ]
    for text in fine { #expect(rules.missing(in: text).isEmpty, "\(text)") }
    #expect(rules.missing(in: "see section 2, and rules 11") == ["section 2"])
    #expect(rules.missing(in: "Sections 1, 3 and 11") == ["Sections 1, 3 and 11"])
    #expect(rules.missing(in: "Market rules 12)") == ["Market rules 12"])
    #expect(rules.missing(in: "(section\n11, \"More\")") == ["section\n11, \"More\""])
  }

  @Test("A heading that is not there is found.")
  func headingsCanFail() {
    let pages = ["docs/LEDGER.md": "# Ledger\n\n## 2. Postings\n\n### Sums of a batch\n"]
    func missing(_ text: String) -> [String] { Rules.missingHeadings(text, pages: pages) }
    #expect(missing("(docs/LEDGER.md, \"Postings\")").isEmpty)
    #expect(missing("`LEDGER.md`, \"Sums of a batch\" and \"Ledger\"").isEmpty)
    #expect(missing("docs/LEDGER.md, \"Sums\"") == ["docs/LEDGER.md, \"Sums\""])
    #expect(missing("docs/OTHER.md, \"Ledger\"") == ["docs/OTHER.md, \"Ledger\""])
  }

  @Test("A file or folder that is not there is found.")
  func filesCanFail() {
    let tree = FileTree([
      "Sources/Core/Cover/Cover.swift", "Sources/Core/Cover", "Sources/Core", "Sources",
      "docs/decisions/0003-rows.md", "docs/LEDGER.md", "Tests/ReferenceModel+Orders.swift",
      "Tests/golden/rules-1",
    ])
    let fine = [
      "Cover/Cover.swift holds it, Cover.swift.", "(`Sources/Core/Cover`)",
      "[a](../LEDGER.md#part)",
      "docs/decisions/0003 says why", "Tests/ReferenceModel*.swift", "Tests/golden/rules-N",
      "https://example.org/docs/other.md", "/usr/share/other.md", "$root/Tests/gone.sh",
      "NAME.swift of Sources/Core/", "files that end in .swift", "and/or, Sources/Core.",
    ]
    for text in fine { #expect(Rules.missingFiles(text, in: tree).isEmpty, "\(text)") }
    #expect(Rules.missingFiles("Rules/Cover.swift.", in: tree) == ["Rules/Cover.swift"])
    #expect(Rules.missingFiles("see Gone.md, and", in: tree) == ["Gone.md"])
    #expect(Rules.missingFiles("(Sources/Gone/Cover)", in: tree) == ["Sources/Gone/Cover"])
    #expect(Rules.missingFiles("docs/decisions/0009", in: tree) == ["docs/decisions/0009"])
    #expect(Rules.missingFiles("Tests/Other*.swift", in: tree) == ["Tests/Other*.swift"])
  }

  @Test("Comments are read with their lines joined, without code and marks.")
  func comments() {
    let source = """
      // First (section
      // 2).
      let a = 1  // behind
      /// A doc comment
      /// of two lines.
      let url = "a//b"

      // Last.
      """
    #expect(
      Rules.comments(source)
        == ["First (section 2).", "behind", "A doc comment of two lines.", "Last."])
    #expect(Rules.comments("#!/bin/sh\n# Runs\n# it.\nrun", mark: "#") == ["bin/sh Runs it."])
  }
}

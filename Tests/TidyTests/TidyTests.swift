import Foundation
import Testing

@Suite("The repository is tidy")
struct TidyTests {
  private let root = Repository.root

  private func files(_ folder: String, _ suffix: String) throws -> [(path: String, text: String)] {
    try Repository.files(folder, suffix)
  }

  @Test("A target imports only targets below it, and the core imports no Foundation.")
  func arrows() throws {
    for (path, text) in try files("Sources", ".swift") {
      let target = path.split(separator: "/").first.map(String.init) ?? ""
      let found = Rules.forbiddenImports(text, of: target)
      #expect(found.isEmpty, "\(path) imports \(found)")
    }
  }

  @Test("Only one file opens ledgers; no other file imports a backend.")
  func backends() throws {
    for folder in ["Sources", "Tests"] {
      for (path, text) in try files(folder, ".swift") {
        let found = Rules.forbiddenBackends(text, at: "\(folder)/\(path)")
        #expect(found.isEmpty, "\(folder)/\(path) imports \(found)")
      }
    }
  }

  @Test("GatewayKit depends on no protocol, and no gateway depends on another one.")
  func gatewaysCanFail() {
    for (from, to) in [
      ("GatewayKit", "Wire"), ("GatewayKit", "Transport"), ("GatewayBinary", "ExchangeCore"),
    ] { #expect(Rules.isForbidden(from, to), "\(from) imports \(to)") }
    #expect(!Rules.isForbidden("GatewayBinary", "GatewayKit"))
  }

  @Test("The stages of an order have the folders that the architecture page names, in its order.")
  func stages() throws {
    let stages = Rules.stages(onPage: try Repository.text("docs/ARCHITECTURE.md"))
    #expect(stages.count == 8)
    for (index, stage) in stages.enumerated() {
      let folder = "\(index + 1)-" + stage.name.split(separator: " ").map(\.capitalized).joined()
      #expect(stage.folder == folder)
      let found = try files("Sources/JoulebookServer/Stages/\(stage.folder)", ".swift")
      #expect(!found.isEmpty, "nothing is in \(stage.folder)")
    }
    #expect(Rules.stages(onPage: "| 3. Intake | `4-Outtake` | - |\n").first?.folder == "4-Outtake")
  }

  private func package() throws -> String { try Repository.text("Package.swift") }

  @Test("The declared dependencies of every target are its imports.")
  func declarations() throws {
    let targets = PackageTarget.all(try package())
    #expect(targets.count > 20)
    let executables = Set(targets.filter { $0.kind == "executableTarget" }.map(\.name))
    for target in targets where target.kind != "systemLibrary" {
      let imports = Set(try files(target.folder, ".swift").flatMap { Rules.imports($0.text) })
      #expect(target.faults(imports: imports, executables: executables).isEmpty)
      let forbidden = target.dependencies.filter { Rules.isForbidden(target.name, $0) }
      #expect(forbidden.isEmpty, "\(target.name) depends on \(forbidden)")
    }
  }

  @Test("Every dependency from outside has one line on the architecture page.")
  func dependenciesAreExplained() throws {
    let page = try Repository.text("docs/ARCHITECTURE.md")
    let external = PackageTarget.external(try package())
    #expect(external.count >= 7)
    for dependency in external {
      #expect(PackageTarget.rows(for: dependency, in: page) == 1, "\(dependency)")
    }
  }

  @Test("The table of targets on the architecture page is the package description.")
  func tableOfTargets() throws {
    let found = PackageTarget.differences(
      PackageTarget.all(try package()), from: try Repository.text("docs/ARCHITECTURE.md"))
    #expect(found.isEmpty, "docs/ARCHITECTURE.md: \(found)")
  }

  @Test("The check of the table of targets finds planted faults.")
  func tableOfTargetsCanFail() {
    let targets = PackageTarget.all(
      """
      .target(name: "Rings", swiftSettings: hot),
      .target(
        name: "Wire",
        dependencies: ["Rings", .product(name: "Logging", package: "swift-log")]),
      .testTarget(name: "WireTests", dependencies: ["Wire"]),
      """)
    let head = "| target | what it is | depends on |\n| --- | --- | --- |\n"
    let (rings, wire) = ("| `Rings` | rings | - |\n", "| `Wire` | codecs | swift-log, Rings |\n")
    let order = "the targets are, in this order: Rings, Wire"
    func found(_ rows: String) -> [String] {
      PackageTarget.differences(targets, from: "# Page\n\n" + rows + "\nText.\n")
    }
    #expect(found(head + rings + wire).isEmpty)
    #expect(found(rings + wire) == ["there is no table of targets"])
    #expect(found(head + wire + rings) == [order])
    #expect(found(head + rings) == [order])
    #expect(found(head + rings + wire + "| `Gone` | left | - |\n") == [order])
    let wrong = ["| `Wire` | codecs | Rings |\n", "| `Wire` | codecs | Rings, swift-log, TLS |\n"]
    for row in wrong {
      #expect(found(head + rings + row) == [#"Wire depends on ["Rings", "swift-log"]"#])
    }
  }

  @Test("The check of the package description finds planted faults.")
  func packageRulesCanFail() {
    let description = """
      .package(url: "https://example.org/some/swift-log", from: "1.0.0"),
      .systemLibrary(name: "CLibuv", pkgConfig: "libuv"),
      .target(
        name: "Wire",
        dependencies: ["Rings", .product(name: "Logging", package: "swift-log")],
        swiftSettings: strict),
      .target(name: "Rings", swiftSettings: hot),
      .executableTarget(name: "tool", dependencies: ["Wire"], path: "Tests/tool"),
      """
    let targets = PackageTarget.all(description)
    #expect(targets.map(\.name) == ["CLibuv", "Wire", "Rings", "tool"])
    #expect(targets[1].dependencies == ["Rings", "Logging"])
    #expect(targets[2].dependencies.isEmpty)
    #expect(targets[2].folder == "Sources/Rings" && targets[3].folder == "Tests/tool")
    #expect(targets[1].faults(imports: ["Rings", "Logging", "Glibc"], executables: []).isEmpty)
    #expect(
      targets[1].faults(imports: ["Rings", "CLibuv"], executables: [])
        == ["Wire imports CLibuv undeclared", "Wire declares Logging and does not import it"])
    #expect(targets[3].faults(imports: [], executables: ["Wire"]).isEmpty)
    #expect(PackageTarget.external(description) == ["swift-log", "Libuv"])
    #expect(PackageTarget.rows(for: "Libuv", in: "| libuv (system) | why |\n| libuvx | no |") == 1)
    #expect(PackageTarget.rows(for: "some-swift", in: "| some | why |") == 1)
  }

  @Test("No file is far beyond 500 lines, no function beyond 70.")
  func sizes() throws {
    for (path, text) in try files("Sources", ".swift")
    where !path.lowercased().contains("generated") {
      let count = text.split(separator: "\n", omittingEmptySubsequences: false).count
      #expect(count <= 501, "\(path) has \(count) lines")
      let long = Rules.longFunctions(text, limit: 70)
      #expect(long.isEmpty, "\(path): \(long)")
    }
  }

  @Test(
    "Examples stay examples: few lines, no long function.",
    arguments: [
      ("Bot", 250), ("InProcessMarket", 200), ("OwnLedger", 250), ("TextGateway", 300),
    ])
  func sizeOfExamples(_ folder: String, limit: Int) throws {
    let sources = try files("Examples/\(folder)", ".swift").map(\.text)
    let count = sources.map {
      $0.split(separator: "\n", omittingEmptySubsequences: false).count - 1
    }
    #expect(sources.count > 1 && count.reduce(0, +) < limit, "\(count) lines")
    #expect(sources.allSatisfy { Rules.longFunctions($0, limit: 60).isEmpty })
  }

  @Test("The code on the first pages of the libraries stands in the examples, which compile.")
  func codeOfLandingPages() throws {
    let sources = try files("Examples", ".swift").map { Self.trimmed($0.text) }
    for module in ["MarketModel", "ExchangeCore", "JoulebookClient", "Settlement"] {
      let page = try Repository.text("Sources/\(module)/\(module).docc/\(module).md")
      let blocks = page.components(separatedBy: "```swift\n").dropFirst()
        .compactMap { $0.components(separatedBy: "```").first }
      #expect(!blocks.isEmpty, "\(module) has no code")
      for block in blocks {
        let code = Self.trimmed(block)
        #expect(sources.contains { $0.contains(code) }, "\(module): \(block)")
      }
    }
  }

  /// The lines of a text without the spaces around them.
  private static func trimmed(_ text: String) -> String {
    text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      .joined(separator: "\n")
  }

  @Test("Every public and package symbol has a doc comment.")
  func documentation() throws {
    for (path, text) in try files("Sources", ".swift") {
      let found = Rules.undocumented(text)
      #expect(found.isEmpty, "\(path): \(found)")
    }
  }

  @Test("No forced try, no forced cast, no empty catch.")
  func forbiddenCode() throws {
    for (path, text) in try files("Sources", ".swift") + files("Examples", ".swift") {
      let found = Rules.forbiddenCode(text)
      #expect(found.isEmpty, "\(path): \(found)")
    }
  }

  @Test("Code and pages speak of the product only.")
  func forbiddenWords() throws {
    let sources = try files("Sources", ".swift") + files("Examples", ".swift")
    for (path, text) in sources + (try files("", ".md")) {
      let found = Rules.forbiddenWords(text)
      #expect(found.isEmpty, "\(path): \(found)")
    }
  }

  @Test("Every link of every page leads somewhere.")
  func links() throws {
    for (path, text) in try files("", ".md") {
      let page = root.appendingPathComponent(path)
      for (file, anchor) in Rules.links(text) {
        let target =
          file.isEmpty
          ? page : page.deletingLastPathComponent().appendingPathComponent(file).standardizedFileURL
        let exists = FileManager.default.fileExists(atPath: target.path)
        #expect(exists, "\(path): \(file)")
        if exists, !anchor.isEmpty, target.path.hasSuffix(".md") {
          let anchors = Rules.anchors(try String(contentsOf: target, encoding: .utf8))
          #expect(anchors.contains(anchor), "\(path): \(file)#\(anchor)")
        }
      }
    }
  }

  /// The tables and reasons of docs/ARITHMETIC.md.
  private func arithmetic() throws -> (rows: [Rules.ArithmeticRow], reasons: Set<String>) {
    let table = root.appendingPathComponent("Tests/TidyTests/arithmetic.tsv")
    let page = root.appendingPathComponent("docs/ARITHMETIC.md")
    let headings = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
      .filter { $0.hasPrefix("### ") }.map { String($0.dropFirst(4)) }
    return (
      Rules.arithmeticRows(try String(contentsOf: table, encoding: .utf8)), Set(headings)
    )
  }

  @Test("The list gives for every line of arithmetic in the core why it cannot overflow.")
  func everySumHasItsReason() throws {
    let (rows, reasons) = try arithmetic()
    #expect(rows.count > 300 && Set(rows.map { [$0.file, $0.code] }).count == rows.count)
    for row in rows {
      #expect(reasons.contains(row.reason), "no heading of docs/ARITHMETIC.md: \(row.line)")
    }
    let unused = reasons.subtracting(rows.map(\.reason)).sorted()
    #expect(unused.isEmpty, "reasons of docs/ARITHMETIC.md for no line: \(unused)")
    var gone = Set(rows.map { [$0.file, $0.code] })
    let known = gone
    for target in ["ExchangeCore", "MarketModel"] {
      for (path, text) in try files("Sources/\(target)", ".swift") where !path.contains("generated")
      {
        for code in Rules.arithmetic(text) {
          let row = Rules.ArithmeticRow(file: "\(target)/\(path)", reason: "REASON", code: code)
          let isKnown = known.contains([row.file, code])
          #expect(
            isKnown,
            """
            Say why this cannot leave its type: add the row to Tests/TidyTests/arithmetic.tsv, with a heading of \
            docs/ARITHMETIC.md in place of REASON:
            \(row.line)
            """)
          gone.remove([row.file, code])
        }
      }
    }
    #expect(
      gone.isEmpty, "rows of arithmetic.tsv whose line is gone: \(gone.sorted { $0[0] < $1[0] })")
  }

  @Test("The search for arithmetic finds the planted lines and no others.")
  func arithmeticRulesCanFail() {
    let traps = [
      "let sum = cash + amount", "cash += amount", "return a", "+ b", "side.pick(sell: -price)",
      "let left = (all - 1) / lot", "abs(left)", "numbers.reduce(0, +)", "Int64(wide)",
      "UInt32(orders.count)", "let (a, b) = divisor.dividingFullWidth(wide)", "a[index * 2] = 0",
      "quantity % lot != 0",
    ]
    #expect(
      Rules.arithmetic(traps.joined(separator: "\n")) == traps.filter { $0 != "return a" })
    let fine = """
      func f(_ a: Int64) -> Int64 { a &+ 1 }   // a + b
      /* a + b
         /* c * d */ e - f */
      let text = "a + b" ; let more = \"""
        a - b
        \"""
      let (sum, isTooMuch) = a.addingReportingOverflow(b)
      let least: Int64 = -1 ; let wide = Int128(a) ; let bits = UInt64(bitPattern: a)
      let low = UInt32(truncatingIfNeeded: a) ; let one = Int64(1) ; let shifted = a << 3 | b >> 2
      case a...b: Optional<Int>.none ; let closure = { (a: Int) -> Int in a } ; let x = !a && b
      #if arch(x86_64) - not code
      @available(*, deprecated)
      """
    #expect(Rules.arithmetic(fine).isEmpty)
    #expect(Rules.arithmetic(#"let text = "sum \(a + f(b)) of + all""#).count == 1)
    #expect(Rules.arithmetic("a += b\n  a += b  // again").count == 1)
    let row = Rules.arithmeticRows("A/B.swift\theld\ta\t+= b\n").first
    #expect(row == Rules.ArithmeticRow(file: "A/B.swift", reason: "held", code: "a\t+= b"))
  }

  @Test("Each rule finds a planted violation and accepts correct text.")
  func rulesCanFail() {
    #expect(Rules.forbiddenImports("import Foundation", of: "ExchangeCore") == ["Foundation"])
    #expect(Rules.forbiddenImports("import Foundation", of: "Wire").isEmpty)
    #expect(Rules.forbiddenImports("internal import Wire\nimport Wire", of: "Rings") == ["Wire"])
    #expect(Rules.forbiddenImports("import LedgerSQLite", of: "GatewayBinary") == ["LedgerSQLite"])
    #expect(Rules.forbiddenImports("import ExchangeCore", of: "GatewayBinary") == ["ExchangeCore"])
    #expect(Rules.forbiddenImports("public import MarketModel", of: "Wire").isEmpty)
    let backend = "import Settlement\n@testable import LedgerSQLite"
    let places = Rules.backendImporters + ["Sources/LedgerSQLite/SQLiteLedger.swift"]
    #expect(places.allSatisfy { Rules.forbiddenBackends(backend, at: $0).isEmpty })
    for path in ["Sources/JoulebookServer/Server/Server.swift", "Tests/ServerTests/A.swift"] {
      #expect(Rules.forbiddenBackends(backend, at: path) == ["LedgerSQLite"])
    }
    #expect(Rules.forbiddenCode("let a = try! b()\n  } catch {}").count == 2)
    #expect(Rules.forbiddenCode("// try! is forbidden").isEmpty)
    #expect(Rules.forbiddenWords("see /work/x").count == 1)
    let long = "  func f() {\n" + String(repeating: "    g()\n", count: 70) + "  }\n"
    #expect(Rules.longFunctions(long, limit: 70).count == 1)
    #expect(Rules.longFunctions("  func f() {\n    g()\n  }\n", limit: 70).isEmpty)
    #expect(Rules.undocumented("public func f() {}").count == 1)
    #expect(Rules.undocumented("/// What it is.\n@inlinable public func f() {}").isEmpty)
    #expect(Rules.links("[a](b.md#c) [d](https://e.org)").map(\.file) == ["b.md"])
    #expect(Rules.anchors("## 2. Who and what") == ["2-who-and-what"])
  }
}

import Foundation
import Testing

@Suite("The house is tidy")
struct TidyTests {
  private let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private func files(_ folder: String, _ suffix: String) throws -> [(path: String, text: String)] {
    let base = folder.isEmpty ? root : root.appendingPathComponent(folder)
    let paths = try FileManager.default.subpathsOfDirectory(atPath: base.path)
    return try paths.filter {
      $0.hasSuffix(suffix) && !$0.hasPrefix(".") && !$0.contains("/.") && !$0.contains(".build/")
    }.sorted().map {
      ($0, try String(contentsOf: base.appendingPathComponent($0), encoding: .utf8))
    }
  }

  @Test("No import points down the house, and the core knows no Foundation.")
  func arrows() throws {
    for (path, text) in try files("Sources", ".swift") {
      let target = path.split(separator: "/").first.map(String.init) ?? ""
      let found = Rules.forbiddenImports(text, of: target)
      #expect(found.isEmpty, "\(path) imports \(found)")
    }
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

  @Test("Every public and package symbol says what it is.")
  func documentation() throws {
    for (path, text) in try files("Sources", ".swift") {
      let found = Rules.undocumented(text)
      #expect(found.isEmpty, "\(path): \(found)")
    }
  }

  @Test("No forced try, no forced cast, no empty catch.")
  func forbiddenCode() throws {
    for (path, text) in try files("Sources", ".swift") {
      let found = Rules.forbiddenCode(text)
      #expect(found.isEmpty, "\(path): \(found)")
    }
  }

  @Test("Code and pages speak of the product only.")
  func forbiddenWords() throws {
    for (path, text) in try files("Sources", ".swift") + files("", ".md") {
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

  @Test("Each rule finds a planted violation, and lets what is right pass.")
  func rulesCanFail() {
    #expect(Rules.forbiddenImports("import Foundation", of: "ExchangeCore") == ["Foundation"])
    #expect(Rules.forbiddenImports("import Foundation", of: "Wire").isEmpty)
    #expect(Rules.forbiddenImports("internal import Wire\nimport Wire", of: "Rings") == ["Wire"])
    #expect(Rules.forbiddenImports("import LedgerSQLite", of: "GatewayBinary") == ["LedgerSQLite"])
    #expect(Rules.forbiddenImports("import ExchangeCore", of: "GatewayBinary") == ["ExchangeCore"])
    #expect(Rules.forbiddenImports("public import MarketModel", of: "Wire").isEmpty)
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

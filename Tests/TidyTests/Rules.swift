// The rules of the repository as functions from text to violations, so that each can be shown to fail.

import Foundation

enum Rules {
  /// Targets from the lowest to the highest; a target may depend only on an earlier one.
  static let order = [
    "MarketModel", "Rings", "CPrefetch", "ExchangeCore", "Wire", "CSQLite", "CPostgres", "CLibuv",
    "CEpoll",
    "COpenSSL", "CAllocator", "Journaling", "Settlement", "LedgerSQLite", "LedgerPostgres",
    "AccountHistory", "TLS", "Transport",
    "GatewayKit",
    "GatewayBinary", "JoulebookClient", "JoulebookServer", "Presentation", "Community", "Load",
    "Simulation", "joulebook", "sbegen", "text-gateway", "market-bot", "in-process-market",
    "own-ledger",
  ]

  /// Whether `from` must not depend on `to`: a later target, or an earlier one that is excluded.
  static func isForbidden(_ from: String, _ to: String) -> Bool {
    guard let a = order.firstIndex(of: from), let b = order.firstIndex(of: to) else { return false }
    if b >= a { return true }
    // The code that all gateways share depends on no protocol and no socket.
    if from == "GatewayKit" { return to == "ExchangeCore" || to == "Wire" || to == "Transport" }
    guard from.hasPrefix("Gateway") else { return false }
    return (to.hasPrefix("Gateway") && to != "GatewayKit") || to == "ExchangeCore"
      || to.hasPrefix("Ledger")
  }

  /// The stages of an order according to a page: rows `| 3. Intake | `3-Intake` | ... |` of its table.
  static func stages(onPage page: String) -> [(name: String, folder: String)] {
    page.split(separator: "\n").compactMap { line in
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 3, let name = cells[0].split(separator: ". ").last,
        cells[0].first?.isNumber == true, cells[1].hasPrefix("`")
      else { return nil }
      return (String(name), cells[1].trimmingCharacters(in: ["`"]))
    }
  }

  /// Modules that a source imports.
  static func imports(_ source: String) -> [String] {
    source.split(separator: "\n").compactMap { line in
      var words = line.split(separator: " ")[...]
      while let first = words.first, first.hasPrefix("@") || first == "public" || first == "package"
      {
        words = words.dropFirst()
      }
      guard words.first == "import", words.count > 1 else { return nil }
      return String(words.last ?? "").split(separator: ".").first.map(String.init)
    }
  }

  /// Imports of `target` that are forbidden.
  static func forbiddenImports(_ source: String, of target: String) -> [String] {
    let withoutFoundation = ["ExchangeCore", "MarketModel", "Rings"].contains(target)
    return imports(source).filter {
      isForbidden(target, $0) || (withoutFoundation && $0 == "Foundation")
    }
  }

  /// Where a backend of the ledger may be imported but in its own folder: where ledgers are opened, in the
  /// simulation's ledger on a faulty disk, and in tests of these two and of backends.
  static let backendImporters = [
    "Sources/JoulebookServer/DataFolder/LedgerLocation.swift",
    "Sources/Simulation/Run/Run+Start.swift",
    "Tests/SettlementTests/", "Tests/SimulationTests/",
  ]

  /// Backends of the ledger that the source at `path` imports and must not.
  static func forbiddenBackends(_ source: String, at path: String) -> [String] {
    imports(source).filter { module in
      module.hasPrefix("Ledger")
        && !(backendImporters + ["Sources/\(module)/"]).contains { path.hasPrefix($0) }
    }
  }

  /// What a source must not contain.
  static func forbiddenCode(_ source: String) -> [String] {
    var found: [String] = []
    for (index, raw) in source.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let line = String(raw)
      let code = line.trimmingCharacters(in: .whitespaces)
      if code.hasPrefix("//") { continue }
      for word in ["try!", "as!"] where code.contains(word) {
        found.append("line \(index + 1): \(word)")
      }
      if code.range(of: #"catch\s*\{\s*\}"#, options: .regularExpression) != nil {
        found.append("line \(index + 1): empty catch")
      }
    }
    return found
  }

  /// Words that speak of where this was made.
  static func forbiddenWords(_ text: String) -> [String] {
    ["/work/", "issue 2", "pypi.org"].filter { text.contains($0) }
  }

  /// Names of functions longer than `limit` lines: from `func` to the brace in its column.
  static func longFunctions(_ source: String, limit: Int) -> [String] {
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var found: [String] = []
    for (start, line) in lines.enumerated()
    where line.range(of: #"^\s*([\w@()]+ )*func "#, options: .regularExpression) != nil {
      let indent = line.prefix { $0 == " " }
      // A requirement of a protocol has no body.
      let signature = lines[start...].prefix { !$0.contains("{") }
      if signature.dropFirst().contains(where: { $0.isEmpty || $0.contains("//") }) { continue }
      guard
        let end = lines[start...].firstIndex(where: {
          $0 == indent + "}" || ($0.hasPrefix(line) && $0.hasSuffix("}"))
        })
      else { continue }
      if end - start + 1 > limit {
        found.append("\(line.trimmingCharacters(in: .whitespaces)): \(end - start + 1) lines")
      }
    }
    return found
  }

  /// Public and package declarations without a doc comment.
  static func undocumented(_ source: String) -> [String] {
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var found: [String] = []
    let kinds = "func|var|let|struct|enum|class|protocol|init|typealias|subscript"
    let pattern = #"^\s*(@\w+(\([^)]*\))? )*(public|package) [\w() ]*\b("# + kinds + #")\b"#
    for (index, line) in lines.enumerated()
    where line.range(of: pattern, options: .regularExpression) != nil {
      var above = index - 1
      while above >= 0,
        lines[above].trimmingCharacters(in: .whitespaces).hasPrefix("@")
      {
        above -= 1
      }
      let comment = above >= 0 ? lines[above].trimmingCharacters(in: .whitespaces) : ""
      if !comment.hasPrefix("///") { found.append("line \(index + 1): \(line)") }
    }
    return found
  }

  /// Targets of relative links of a page: file and anchor.
  static func links(_ page: String) -> [(file: String, anchor: String)] {
    var found: [(String, String)] = []
    var rest = page[...]
    while let open = rest.range(of: "](") {
      rest = rest[open.upperBound...]
      guard let close = rest.firstIndex(of: ")") else { break }
      let target = String(rest[..<close])
      if target.contains("://") || target.hasPrefix("mailto:") || target.contains(" ") { continue }
      let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
      found.append((String(parts[0]), parts.count > 1 ? String(parts[1]) : ""))
    }
    return found
  }

  /// Anchors of a page's headings.
  static func anchors(_ page: String) -> Set<String> {
    Set(
      page.split(separator: "\n").filter { $0.hasPrefix("#") }.map { heading in
        heading.drop { $0 == "#" || $0 == " " }.lowercased()
          .filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" }
          .replacingOccurrences(of: " ", with: "-")
      })
  }
}

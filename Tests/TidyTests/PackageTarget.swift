// The package description, read as text: the declared dependencies of each target.

import Foundation

/// A target as `Package.swift` declares it.
struct PackageTarget: Equatable {
  /// `target`, `executableTarget`, `testTarget` or `systemLibrary`.
  let kind: String
  let name: String
  /// Targets and products, in the order of the file.
  let dependencies: [String]
  /// The same with the names of packages in place of their products.
  let sources: Set<String>
  /// Where its sources are.
  let folder: String

  /// Modules of the toolchain and the system, which need no declaration.
  static let given: Set = [
    "Dispatch", "Foundation", "FoundationXML", "Glibc", "Musl", "Darwin", "Synchronization",
    "Testing",
  ]

  /// All targets of a description.
  static func all(_ description: String) -> [PackageTarget] {
    let starts = description.matches(
      of: /\.(target|executableTarget|testTarget|systemLibrary)\(\s*name: "([\w-]+)"/)
    return starts.enumerated().map { index, start in
      let end = index + 1 < starts.count ? starts[index + 1].range.lowerBound : description.endIndex
      let text = description[start.range.upperBound..<end]
      return PackageTarget(
        kind: String(start.1), name: String(start.2),
        dependencies: dependencies(text).map { $0.product ?? $0.name },
        sources: Set(dependencies(text).map(\.name)),
        folder: folder(String(start.1), String(start.2), text))
    }
  }

  private static func folder(_ kind: String, _ name: String, _ text: Substring) -> String {
    if let path = text.firstMatch(of: /path: "([^"]+)"/) { return String(path.1) }
    return (kind == "testTarget" ? "Tests/" : "Sources/") + name
  }

  /// Targets, and packages with the product that is used.
  private static func dependencies(_ text: Substring) -> [(name: String, product: String?)] {
    guard let list = text.firstMatch(of: /dependencies: \[/) else { return [] }
    let rest = text[list.range.upperBound...]
    let body = rest.prefix { $0 != "]" }
    return body.matches(of: /\.product\(name: "(\w+)", package: "([^"]+)"\)|"([\w-]+)"/).map {
      (String($0.2 ?? $0.3 ?? ""), $0.1.map(String.init))
    }
  }

  /// Imports that are neither declared nor given, and declarations that no file imports. What a test
  /// target depends on may be an executable that it runs.
  func faults(imports: Set<String>, executables: Set<String>) -> [String] {
    let declared = Set(dependencies)
    let undeclared = imports.subtracting(declared).subtracting(Self.given).subtracting([name])
    let unused = declared.subtracting(imports).subtracting(executables)
    return undeclared.sorted().map { "\(name) imports \($0) undeclared" }
      + unused.sorted().map { "\(name) declares \($0) and does not import it" }
  }

  /// Dependencies from outside: packages by the last part of their address, system libraries without
  /// the C of their module.
  static func external(_ description: String) -> [String] {
    let packages = description.matches(of: /\.package\(url: "[^"]*\/([^"\/]+)"/).map {
      String($0.1)
    }
    let libraries = all(description).filter { $0.kind == "systemLibrary" }.map {
      String($0.name.dropFirst())
    }
    return packages + libraries
  }

  /// How often a page's tables have a row for `dependency`: its first word, in any case.
  static func rows(for dependency: String, in page: String) -> Int {
    let name = dependency.lowercased().replacingOccurrences(of: "-swift", with: "")
    return page.split(separator: "\n").count { line in
      line.hasPrefix("| ")
        && line.dropFirst(2).prefix { $0 != " " && $0 != "|" }.lowercased() == name
    }
  }

  /// The differences between the table of targets of `page` and the targets of the product: the rows
  /// must have the same order, and the last column exactly their targets and packages, or a dash.
  static func differences(_ targets: [PackageTarget], from page: String) -> [String] {
    let lines = page.split(separator: "\n", omittingEmptySubsequences: false)
    guard let header = lines.firstIndex(of: "| target | what it is | depends on |") else {
      return ["there is no table of targets"]
    }
    let rows = lines[(header + 2)...].prefix { $0.hasPrefix("|") }.map { line in
      line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
    let product = targets.filter { !$0.folder.hasPrefix("Tests/") }
    var found: [String] = []
    if rows.map(\.first) != product.map({ "`\($0.name)`" }) {
      found.append("the targets are, in this order: \(product.map(\.name).joined(separator: ", "))")
    }
    for target in product {
      let row = rows.first { $0.first == "`\(target.name)`" }
      let names = (row?.last ?? "").split(separator: ", ").map(String.init).filter { $0 != "-" }
      if let row, Set(names) != target.sources || row.count != 3 || names.count != Set(names).count
      {
        found.append("\(target.name) depends on \(target.sources.sorted())")
      }
    }
    return found
  }
}

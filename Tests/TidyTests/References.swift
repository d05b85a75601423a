// References of comments and pages: to sections of the market rules, to headings of pages, and to files.

import Foundation

/// A page whose sections have numbers.
struct NumberedPage {
  /// The text of each section, its title first.
  let sections: [Int: String]

  init(_ page: String) {
    var sections: [Int: String] = [:]
    var current: Int?
    for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
      if let heading = line.firstMatch(of: /^## (\d+)\. (.+)$/) {
        current = Int(heading.1)
        if let number = current { sections[number] = String(heading.2) + "\n" }
      } else if line.hasPrefix("## ") {
        current = nil
      } else if let number = current {
        sections[number]? += line + "\n"
      }
    }
    self.sections = sections
  }

  /// References of `prose` to sections that do not exist. Words in quotation marks after the number
  /// (`section 11, "Definitions"`) must occur in the section.
  func missing(in prose: String) -> [String] {
    guard prose.contains("ection") || prose.contains("ule") else { return [] }
    // A section of another document has that document's name before it.
    let pattern =
      #/
      (?:RFC\s\d+,\s)?
      \b(?:[Ss]ections?|(?:[Mm]arket\s)?[Rr]ules?)\s(\d+)\b(?!\.\d)
      ((?:(?:,\s|\sand\s|\sto\s)\d+\b)*)
      (?:,\s("[^"]+"(?:(?:,\s|\sand\s)"[^"]+")*))?
      /#
    var found: [String] = []
    for match in prose.matches(of: pattern) where !match.0.hasPrefix("RFC") {
      let numbers = ([match.1] + match.2.matches(of: /\d+/).map(\.0)).compactMap { Int($0) }
      let titles = (match.3 ?? "").matches(of: /"([^"]+)"/).map { String($0.1) }
      let texts = numbers.map { sections[$0] }
      let isThere = titles.allSatisfy { title in
        texts.contains { $0?.contains(title) == true }
      }
      if texts.contains(nil) || !isThere { found.append(String(match.0)) }
    }
    return found
  }
}

extension Rules {
  /// The comments of a source in a row of lines, without their marks; the lines of one comment are one.
  static func comments(_ source: String, mark: String = "//") -> [String] {
    var found: [String] = []
    var isOpen = false
    for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
      let code = line.trimmingCharacters(in: .whitespaces)
      let isWhole = code.hasPrefix(mark)
      guard let start = isWhole ? code.startIndex : code.range(of: " \(mark) ")?.lowerBound else {
        isOpen = false
        continue
      }
      let text = code[start...].drop { " /#!".contains($0) }
      if isOpen, isWhole {
        found[found.count - 1] += " " + text
      } else {
        found.append(String(text))
      }
      isOpen = isWhole
    }
    return found
  }

  /// Headings that `prose` has in quotation marks after the name of a page, but that the page lacks.
  static func missingHeadings(_ prose: String, pages: [String: String]) -> [String] {
    guard prose.contains(".md") else { return [] }
    return prose.matches(of: /([\w\/.-]+\.md)\)?`?, ("[^"]+"(?:(?:, | and )"[^"]+")*)/).flatMap {
      match in
      let named = pages.filter { $0.key == match.1 || $0.key.hasSuffix("/" + match.1) }.values
      let headings = named.flatMap { $0.split(separator: "\n") }.filter { $0.hasPrefix("#") }
        .map { $0.drop { $0 == "#" || $0 == " " } }
      return match.2.matches(of: /"([^"]+)"/).map(\.1).filter { title in
        !headings.contains { $0 == title || $0.hasSuffix(". " + title) }
      }.map { "\(match.1), \"\($0)\"" }
    }
  }

  /// Alarms that `page` quotes in code marks, up to their fields, but that are in no string of
  /// `sources`.
  static func missingAlarms(_ page: String, sources: String) -> [String] {
    let joined = sources.replacing(/\\\n\s*|"\s*\n?\s*\+\s*"/, with: "")
    // An interpolated part matches any words.
    let messages = joined.matches(of: /"ALARM: ([^"]+)"/).map { String($0.1) }
    return page.matches(of: /`ALARM: ([^`]+)`/).compactMap { quote in
      var words = quote.1
      if let fields = words.firstMatch(of: /\ (\.\.\.|\w+=)/) {
        words = words[..<fields.range.lowerBound]
      }
      let isThere =
        joined.contains(words)
        || messages.contains { message in
          let parts = message.split(separator: /\\\([^)]*\)/).filter { $0.count > 8 }
          return !parts.isEmpty && parts.allSatisfy { words.contains($0) }
        }
      return isThere ? nil : String(words)
    }
  }

  /// Files and folders that `prose` names and that are not there.
  static func missingFiles(_ prose: String, in tree: FileTree) -> [String] {
    prose.split(whereSeparator: { $0.isWhitespace || "\"'`()[]<>{},;:|=#@".contains($0) })
      .compactMap(tree.missing)
  }
}

/// The files of the repository, as comments and pages name them.
struct FileTree {
  private static let endings = ["swift", "md", "sh", "py", "tsv", "svg", "xml"]
  private static let roots = ["Sources", "Tests", "Benchmarks", "docs", "proto", "clients"]

  private let paths: [String]
  /// The paths themselves and their last steps, one, two and so on.
  private let ends: Set<String>

  init(_ paths: [String]) {
    self.paths = paths
    var ends: Set<String> = []
    for path in paths {
      let steps = path.split(separator: "/")
      for start in steps.indices { ends.insert(steps[start...].joined(separator: "/")) }
      // A decision may be named by its number.
      if let decision = path.firstMatch(of: /^docs\/decisions\/\d+/) {
        ends.insert(String(decision.0))
      }
    }
    self.ends = ends
  }

  /// The path that a word names, if it does not exist: a file by its last steps, a folder from the
  /// root of the repository. NAME, N and a star match any part of a step. An absolute path, or one
  /// after a shell variable, is not in the repository.
  func missing(_ word: Substring) -> String? {
    guard let first = word.first, !"/~".contains(first), !word.contains("$") else { return nil }
    let steps = word.drop { $0 == "." || $0 == "/" }.split(separator: "/")
    guard var last = steps.last else { return nil }
    while let sign = last.last, ".!?-".contains(sign) { last.removeLast() }
    let path = (steps.dropLast() + [last]).joined(separator: "/")
    let isFile = last.contains(".") && Self.endings.contains { last.hasSuffix("." + $0) }
    let isRooted = steps.count > 1 && Self.roots.contains(String(steps[0]))
    guard isFile && !last.hasPrefix(".") || isRooted, !ends.contains(path) else { return nil }
    let pattern = NSRegularExpression.escapedPattern(for: path)
      .replacing(/\\\*|\bNAME\b|\bN\b/, with: "[^/]*")
    let isThere =
      pattern.contains("[^/]*")
      && paths.contains { $0.range(of: "(^|/)\(pattern)$", options: .regularExpression) != nil }
    return isThere ? nil : path
  }
}

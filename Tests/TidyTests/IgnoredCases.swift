// Lists of cases that a switch names only to do nothing: with every new case each of them has to grow.

import Foundation

extension Rules {
  /// Patterns of more than `limit` names whose body only leaves the switch or the function.
  static func ignoredCases(_ source: String, limit: Int) -> [String] {
    let lines = code(source)
    var found: [String] = []
    for (number, line) in lines.enumerated() where isPattern(line) {
      guard let (names, body) = pattern(lines[number...]), names > limit,
        ["break", "return", "return nil", "return false", "continue", "()"].contains(body)
      else { continue }
      found.append("line \(number + 1): \(names) cases and only \(body)")
    }
    return found
  }

  /// Lines with a `default` of a switch.
  static func defaults(_ source: String) -> [String] {
    code(source).enumerated().filter { _, line in
      line.trimmingCharacters(in: .whitespaces).hasPrefix("default:")
    }.map { number, _ in "line \(number + 1): default" }
  }

  private static func isPattern(_ line: String) -> Bool {
    line.trimmingCharacters(in: .whitespaces).hasPrefix("case ")
  }

  /// How many names the pattern at the start of `lines` has, and its body in one line. None for the cases
  /// that an enum declares: theirs is no colon outside of parentheses.
  private static func pattern(_ lines: ArraySlice<String>) -> (names: Int, body: String)? {
    var names = 1
    var depth = 0
    for (number, line) in zip(lines.indices, lines) {
      for place in line.indices {
        switch line[place] {
        case "(", "[": depth += 1
        case ")", "]": depth -= 1
        case "," where depth == 0: names += 1
        case ":" where depth == 0:
          return (names, body(line[line.index(after: place)...], lines[(number + 1)...]))
        default: break
        }
      }
      let end = line.last { $0 != " " }
      if depth == 0, end != "," { return nil }
    }
    return nil
  }

  /// What follows a pattern up to the next one or the end of the switch.
  private static func body(_ first: Substring, _ rest: ArraySlice<String>) -> String {
    var statements = [first.trimmingCharacters(in: .whitespaces)]
    for line in rest {
      let code = line.trimmingCharacters(in: .whitespaces)
      if isPattern(line) || ["default:", "}", "@unknown", "#"].contains(where: code.hasPrefix) {
        break
      }
      statements.append(code)
    }
    return statements.filter { !$0.isEmpty }.joined(separator: " ")
  }
}

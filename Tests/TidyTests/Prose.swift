// Words that the field has better ones for, and sections that a subject belongs to.

import Foundation

extension Rules {
  /// A word that prose and names must not have.
  struct Dialect {
    /// A regular expression that matches whole words, in any case.
    let pattern: String
    /// What to write instead.
    let better: String
  }

  /// Metaphors, and turns of phrase that a reader has to translate.
  static let dialect = [
    Dialect(pattern: #"\w*(market|reading|journal|settlement)[- ]?rooms?"#, better: "a stage"),
    Dialect(pattern: #"rooms? [1-8]|the rooms|no room calls"#, better: "a stage"),
    Dialect(pattern: #"\w*desks?"#, better: "a service, a queue"),
    Dialect(pattern: #"\w*keepers?"#, better: "an owner, a service"),
    Dialect(pattern: #"whoever|whomever|whosever"#, better: "the reader, each client, ..."),
    Dialect(pattern: #"meanwhile"#, better: "while ..."),
    Dialect(pattern: #"so (many|much)(?! (that|as))"#, better: "the number"),
    Dialect(pattern: #"told off"#, better: "rejected, throttled"),
    Dialect(pattern: #"(down|up|through|in) the house"#, better: "the code, the targets"),
  ]

  /// Phrases with a word of `dialect` that are right, each with the reason.
  static let allowed = [
    "trading desk"  // The people of a firm who enter orders for others: the field's word.
  ]

  /// The words of `dialect` that a text has, each with its line.
  static func dialect(in text: String) -> [String] {
    var checked = text
    for words in allowed { checked = checked.replacingOccurrences(of: words, with: "") }
    var found: [String] = []
    for word in dialect {
      var rest = checked.startIndex..<checked.endIndex
      while let range = checked.range(
        of: #"\b("# + word.pattern + #")\b"#, options: [.regularExpression, .caseInsensitive],
        range: rest)
      {
        let line = checked[..<range.lowerBound].count { $0 == "\n" } + 1
        found.append("line \(line): \"\(checked[range])\"; better: \(word.better)")
        rest = range.upperBound..<checked.endIndex
      }
    }
    return found
  }

  /// The section of the market rules that defines a subject.
  static let sections = [
    "cancel on disconnect": 2, "caps": 3, "cover": 4, "iceberg": 5, "matching": 5, "self-trade": 5,
    "replacing": 5, "good till time": 5, "what orders reserve": 6, "meter": 7,
    "standing instruction": 8,
  ]

  /// Comments `Subject ... (section N` whose subject another section defines.
  static func misplaced(_ comments: [String]) -> [String] {
    comments.filter { comment in
      guard comment.contains(" (section") || comment.contains(" (market rules") else {
        return false
      }
      let reference = /^(?:A |An )?([A-Z][^.;(]{2,60}) \((?:market rules|sections?) (\d+)\b/
      guard let match = comment.firstMatch(of: reference) else { return false }
      let subject = match.1.lowercased()
      guard let right = sections.first(where: { subject.hasPrefix($0.key) })?.value else {
        return false
      }
      return Int(match.2) != right
    }
  }
}

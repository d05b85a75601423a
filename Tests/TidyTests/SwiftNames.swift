// The names in a Swift source: those of its declarations, and those that it uses.

import Foundation

/// The declarations of a source and the names that it uses, without comments and strings.
struct SwiftNames {
  /// Types, functions, properties and cases that other files can name.
  private(set) var visible: Set<String> = []
  /// Declarations that are private, or are inside a private one.
  private(set) var hidden: Set<String> = []
  /// Members (after a dot), and other names that no function of the source binds: a parameter or a
  /// local variable is no use, nor is the label of an argument.
  private(set) var used: Set<String> = []

  private struct Scope {
    let isType: Bool
    let isPrivate: Bool
  }

  private let tokens: [Token]
  private var scopes = [Scope(isType: true, isPrivate: false)]
  private var opensType = false
  private var isPrivate = false
  private var bound: Set<String> = []

  private static let types: Set = ["struct", "enum", "class", "actor", "protocol", "extension"]
  /// Words of the language that may also be the names of members.
  private static let keywords: Set = ["any", "some", "each", "repeat", "in", "default", "self"]

  init(_ source: String) {
    tokens = Token.all(Rules.code(source).joined(separator: "\n"))
    for place in tokens.indices { read(place) }
    var bare: Set<String> = []
    for (place, token) in tokens.enumerated() where token.isName {
      if text(place - 1) == "." {
        used.insert(token.text)
      } else if !token.isLabel, !Self.keywords.contains(token.text) {
        bare.insert(token.text)
      }
    }
    used.formUnion(bare.subtracting(bound))
  }

  private func text(_ place: Int) -> String {
    tokens.indices.contains(place) ? tokens[place].text : ""
  }

  private func isName(_ place: Int) -> Bool {
    tokens.indices.contains(place) && tokens[place].isName
  }

  private mutating func read(_ place: Int) {
    guard text(place - 1) != "." else { return }
    let scope = scopes[scopes.count - 1]
    switch text(place) {
    case "{":
      let isInside = scope.isPrivate || (opensType && isPrivate)
      scopes.append(Scope(isType: opensType && scope.isType, isPrivate: isInside))
      opensType = false
      isPrivate = false
    case "}":
      if scopes.count > 1 { scopes.removeLast() }
      isPrivate = false
    case "private", "fileprivate": isPrivate = text(place + 1) != "("
    case "func":
      declare(place + 1, scope)
      bindParameters(place + 1)
    case "init", "subscript": bindParameters(place)
    case "let", "var": if scope.isType { declare(place + 1, scope) } else { bindPattern(place + 1) }
    case "for": bindPattern(place + 1)
    case "in": bindClosure(place - 1)
    case "typealias": declare(place + 1, scope)
    case "case": if scope.isType { declareCases(place + 1, scope) }
    case let word where Self.types.contains(word) && isName(place + 1):
      // `class func` is a function.
      guard text(place + 1) != "func", text(place + 1) != "var" else { return }
      opensType = true
      if word != "extension" { declare(place + 1, scope, endsAccess: false) }
    default: break
    }
  }

  private mutating func declare(_ place: Int, _ scope: Scope, endsAccess: Bool = true) {
    if isName(place), scope.isType {
      if isPrivate || scope.isPrivate {
        hidden.insert(text(place))
      } else {
        visible.insert(text(place))
      }
    }
    if endsAccess { isPrivate = false }
  }

  /// The cases of an enum: up to a line that does not end with a comma.
  private mutating func declareCases(_ start: Int, _ scope: Scope) {
    var depth = 0
    for place in start..<tokens.count {
      let isFirst = place == start
      if !isFirst, depth == 0, tokens[place].startsLine, text(place - 1) != "," { return }
      if "([".contains(text(place)) { depth += 1 }
      if ")]".contains(text(place)) { depth -= 1 }
      if depth == 0, isFirst || text(place - 1) == "," { declare(place, scope) }
    }
  }

  /// The parameters, with labels, of the function whose name, or `init`, is at `place`.
  private mutating func bindParameters(_ place: Int) {
    guard var at = tokens[place...].firstIndex(where: { "({}".contains($0.text) }), text(at) == "("
    else { return }
    var depth = 0
    repeat {
      if text(at) == "(" { depth += 1 }
      if text(at) == ")" { depth -= 1 }
      if isName(at), tokens[at].isLabel || (isName(at + 1) && tokens[at + 1].isLabel) {
        bound.insert(text(at))
      }
      at += 1
    } while depth > 0 && at < tokens.count
  }

  /// A name, or several in parentheses.
  private mutating func bindPattern(_ start: Int) {
    var place = start
    while ["let", "var", "case"].contains(text(place)) { place += 1 }
    if isName(place) { bound.insert(text(place)) }
    guard text(place) == "(" else { return }
    for token in tokens[(place + 1)...].prefix(while: { $0.text != ")" }) where token.isName {
      bound.insert(token.text)
    }
  }

  /// The parameters of a closure, when `place` is the last of its signature: back to its brace.
  private mutating func bindClosure(_ place: Int) {
    var names: Set<String> = []
    var types: Set<String> = []
    var at = place
    while at >= 0,
      isName(at) || [",", "(", ")", ":", "[", "]", "?", ".", "-", ">"].contains(text(at))
    {
      if isName(at), [":", ".", ">", "["].contains(text(at - 1)) {
        types.insert(text(at))
      } else if isName(at) {
        names.insert(text(at))
      }
      at -= 1
    }
    if text(at) == "{" { bound.formUnion(names.subtracting(types)) }
  }
}

/// A word or a sign of a source.
private struct Token {
  let text: String
  /// A word that is no number.
  let isName: Bool
  /// A colon follows at once.
  let isLabel: Bool
  let startsLine: Bool

  static func all(_ code: String) -> [Token] {
    let bytes = Array(code.utf8)
    var tokens: [Token] = []
    var startsLine = true
    var at = 0
    func isWord(_ byte: UInt8) -> Bool {
      byte == UInt8(ascii: "_") || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A)
        || (byte >= 0x30 && byte <= 0x39) || byte >= 0x80
    }
    while at < bytes.count {
      let first = bytes[at]
      if first == UInt8(ascii: "\n") { startsLine = true }
      guard first > 0x20, first != UInt8(ascii: "`") else {
        at += 1
        continue
      }
      var end = at + 1
      if isWord(first) { while end < bytes.count, isWord(bytes[end]) { end += 1 } }
      tokens.append(
        Token(
          text: String(decoding: bytes[at..<end], as: UTF8.self),
          isName: isWord(first) && !(first >= 0x30 && first <= 0x39),
          isLabel: end < bytes.count && bytes[end] == UInt8(ascii: ":"), startsLine: startsLine))
      startsLine = false
      at = end
    }
    return tokens
  }
}

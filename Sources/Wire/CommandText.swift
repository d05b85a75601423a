// A command as one line of text, and the parser of such lines:
//
//     setTariff area 1 feedInPrice 0.08000 retailPrice 0.32000
//
// The line starts with the command's name, followed by the fields by name and value, in any order;
// a field with its default value may be omitted. The names are generated from proto/; the forms of
// values are in CommandText+Values.swift.

import MarketModel

/// Conversion of commands to text and back. Parsing the text of a command gives an equal command.
public enum CommandText {
  /// The whole command on one line: sequence number, time in ns since 1970, session and body, as in
  /// `12 1800000000000000000 s7 cancel account 3 order 42`.
  public static func line(_ command: Command) -> String {
    "\(command.sequence.rawValue) \(command.time.nanoseconds) s\(command.session.rawValue) "
      + text(command.body)
  }

  /// Parses `text`.
  /// - Parameter kinds: The commands that are accepted.
  /// - Throws: which word is wrong, and what is expected instead.
  package static func parse(
    _ text: String, among kinds: [CommandKind] = CommandKind.allCases
  ) throws(CommandTextError) -> Command.Body {
    var words = try CommandWords(text)
    guard let kind = kinds.first(where: { $0.rawValue == words.name }) else {
      let names = kinds.map(\.rawValue).joined(separator: " ")
      throw CommandTextError(
        "there is no command '\(CommandWords.shown(words.name))'; the commands are: \(names)")
    }
    try words.readFields(of: kind)
    return try body(kind, &words)
  }
}

/// An error in the text of a command, with what is expected instead.
public struct CommandTextError: Error, Equatable, CustomStringConvertible {
  /// A sentence for the user.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// A field of a command, for help texts.
public struct CommandField: Sendable {
  /// Its name in the text.
  public let name: String
  /// An example of its value: `0.08`, `5kWh`.
  public let form: String
  /// The unit of a bare number; empty if the form contains it or there is none.
  public let unit: String
  /// Whether it may be omitted.
  public let isOptional: Bool
  /// Its meaning, in a sentence.
  public let meaning: String

  init<Value: TextValue>(
    _ name: String, _: Value.Type, _ unit: String, isOptional: Bool, _ meaning: String
  ) {
    (self.name, self.unit, self.isOptional) = (name, unit, isOptional)
    (self.meaning, form) = (meaning, Value.form)
  }
}

/// A line being written.
struct TextLine {
  private(set) var text: String

  init(_ name: String) { text = name }

  mutating func put(_ name: String, _ value: some TextValue) { text += " \(name) \(value.word)" }

  /// Appends a hash in hexadecimal digits, as the tools print it.
  mutating func put(_ name: String, hash: UInt64) {
    text += " \(name) 0x\(String(hash, radix: 16))"
  }

  mutating func put<Value: TextValue & Equatable>(
    _ name: String, _ value: Value, unless standard: Value
  ) {
    if value != standard { put(name, value) }
  }
}

/// The words of a line being parsed.
struct CommandWords {
  /// The first word: the command's name.
  let name: String
  private var rest: ArraySlice<String>
  private var values: [String: String] = [:]

  init(_ text: String) throws(CommandTextError) {
    rest = try Self.split(text)[...]
    guard let name = rest.popFirst() else { throw CommandTextError("there is no command") }
    self.name = name
  }

  /// Parses the words after the name as fields and values. Only fields of the command are allowed,
  /// each at most once.
  mutating func readFields(of kind: CommandKind) throws(CommandTextError) {
    let names = kind.fields.map(\.name)
    while let field = rest.popFirst() {
      guard names.contains(field) else {
        throw CommandTextError(
          "\(name): there is no field '\(Self.shown(field))'; "
            + (names.isEmpty ? "it has none" : "its fields are: \(names.joined(separator: " "))"))
      }
      guard let value = rest.popFirst() else {
        throw CommandTextError("\(name): the field \(field) has no value")
      }
      guard values.updateValue(value, forKey: field) == nil else {
        throw CommandTextError("\(name): the field \(field) occurs twice")
      }
    }
  }

  /// Splits a line at spaces; a word that starts with a quotation mark extends to the closing one.
  private static func split(_ text: String) throws(CommandTextError) -> [String] {
    var words: [String] = []
    var word = ""
    var (isQuoted, isEscaped) = (false, false)
    for character in text {
      if isEscaped {
        isEscaped = false
      } else if isQuoted, character == "\\" {
        isEscaped = true
      } else if character == "\"" {
        isQuoted.toggle()
      } else if !isQuoted, character.isWhitespace {
        if !word.isEmpty { words.append(word) }
        word = ""
        continue
      }
      word.append(character)
    }
    if isQuoted { throw CommandTextError("a quotation mark is not closed: \(word)") }
    if !word.isEmpty { words.append(word) }
    return words
  }

  /// A word for an error message, shortened if it is long.
  static func shown(_ word: String) -> String {
    word.count > 64 ? "\(word.prefix(64))..." : word
  }

  /// The value of a required field.
  mutating func take<Value: TextValue>(_ field: String) throws(CommandTextError) -> Value {
    guard let value: Value = try takeOptional(field) else {
      throw CommandTextError("\(name): the field \(field) is missing; write \(Value.form)")
    }
    return value
  }

  /// The value of an optional field.
  mutating func take<Value: TextValue>(
    _ field: String, or standard: Value
  ) throws(CommandTextError) -> Value {
    try takeOptional(field) ?? standard
  }

  private mutating func takeOptional<Value: TextValue>(
    _ field: String
  ) throws(CommandTextError) -> Value? {
    guard let text = values.removeValue(forKey: field) else { return nil }
    guard let value = Value(word: text) else {
      throw CommandTextError(
        "\(name): \(field) cannot be '\(Self.shown(text))'; write \(Value.form)")
    }
    return value
  }
}

// A command as one line for people, and the reader of the same words:
//
//     setTariff area 1 feedInPrice 0.08000 retailPrice 0.32000
//
// First the command's name, then each field by name and value, in any order; a field that has its default may be
// left out. What the names are is generated from proto/; how a value is written is in CommandText+Values.swift.

import MarketModel

/// Commands as text. Reading back what was written gives the same command.
public enum CommandText {
  /// `12 1800000000000000000 s7 cancel account 3 order 42`: the sequence number, the time in ns since 1970, the
  /// session, and the command.
  public static func line(_ command: Command) -> String {
    "\(command.sequence.rawValue) \(command.time.nanoseconds) s\(command.session.rawValue) "
      + text(command.body)
  }

  /// The command of `text`.
  /// - Parameter kinds: Those that are taken.
  /// - Throws: What is wrong with which word, and what is right.
  public static func parse(
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

/// What is wrong with the text of a command, in a sentence that says what is right.
public struct CommandTextError: Error, Equatable, CustomStringConvertible {
  /// The sentence.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// A field of a command, for help texts.
public struct CommandField: Sendable {
  /// Its name in the text.
  public let name: String
  /// How its value is written: `0.08`, `5kWh`.
  public let form: String
  /// The unit of a bare number; empty where the form says it, or there is none.
  public let unit: String
  /// Whether it may be left out.
  public let isOptional: Bool
  /// What it means.
  public let meaning: String

  init<Value: TextValue>(
    _ name: String, _: Value.Type, _ unit: String, isOptional: Bool, _ meaning: String
  ) {
    (self.name, self.unit, self.isOptional) = (name, unit, isOptional)
    (self.meaning, form) = (meaning, Value.form)
  }
}

/// A line that is being written.
struct TextLine {
  private(set) var text: String

  init(_ name: String) { text = name }

  mutating func put(_ name: String, _ value: some TextValue) { text += " \(name) \(value.word)" }

  /// A hash, as the tools print it: in hexadecimal digits.
  mutating func put(_ name: String, hash: UInt64) {
    text += " \(name) 0x\(String(hash, radix: 16))"
  }

  mutating func put<Value: TextValue & Equatable>(
    _ name: String, _ value: Value, unless standard: Value
  ) {
    if value != standard { put(name, value) }
  }
}

/// The words of a line that is being read.
struct CommandWords {
  /// The first word.
  let name: String
  private var rest: ArraySlice<String>
  private var values: [String: String] = [:]

  init(_ text: String) throws(CommandTextError) {
    rest = try Self.split(text)[...]
    guard let name = rest.popFirst() else { throw CommandTextError("there is no command") }
    self.name = name
  }

  /// Takes the words behind the name as fields and values: only fields that the command has, each once.
  mutating func readFields(of kind: CommandKind) throws(CommandTextError) {
    let names = kind.fields.map(\.name)
    while let field = rest.popFirst() {
      guard names.contains(field) else {
        throw CommandTextError(
          "\(name): there is no field '\(Self.shown(field))'; "
            + (names.isEmpty ? "it has none" : "its fields are: \(names.joined(separator: " "))"))
      }
      guard let value = rest.popFirst() else {
        throw CommandTextError("\(name): the field \(field) has no value behind it")
      }
      guard values.updateValue(value, forKey: field) == nil else {
        throw CommandTextError("\(name): the field \(field) stands there twice")
      }
    }
  }

  /// The words between blanks; a word that opens with a quotation mark goes on to the one that closes it.
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

  /// A word as a sentence shows it: the beginning of a long one.
  static func shown(_ word: String) -> String {
    word.count > 64 ? "\(word.prefix(64))..." : word
  }

  /// The value of a field that must be there.
  mutating func take<Value: TextValue>(_ field: String) throws(CommandTextError) -> Value {
    guard let value: Value = try takeOptional(field) else {
      throw CommandTextError("\(name): the field \(field) is missing; right is \(Value.form)")
    }
    return value
  }

  /// The value of a field that may be left out.
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
        "\(name): \(field) cannot be '\(Self.shown(text))'; right is \(Value.form)")
    }
    return value
  }
}

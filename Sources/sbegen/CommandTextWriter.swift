// Generates the conversion between commands and lines of text.

/// Generates `Sources/Wire/Generated/CommandText.generated.swift`.
enum CommandTextWriter {
  /// The text of the file.
  static func file(_ schema: CommandSchema) -> String {
    var source = SourceText()
    source.line("import MarketModel")
    source.line()
    source.line("extension CommandText {")
    source.doc(
      "The command as text: its name, then name and value of each field without its default.",
      indent: 1)
    source.line("public static func text(_ body: Command.Body) -> String {", indent: 1)
    source.line("switch body {", indent: 2)
    for command in schema.commands {
      guard command.payload != nil else {
        source.line("case \(command.pattern): return \"\(command.name)\"", indent: 2)
        continue
      }
      source.line("case \(command.pattern("let value")):", indent: 2)
      source.line("var line = TextLine(\"\(command.name)\")", indent: 3)
      for property in command.properties {
        let unless = property.standard.map { ", unless: \($0)" } ?? ""
        let label = property.isHash ? "hash: " : ""
        source.line(
          "line.put(\"\(property.name)\", \(label)value.\(property.name)\(unless))", indent: 3)
      }
      source.line("return line.text", indent: 3)
    }
    source.line("}", indent: 2)
    source.line("}", indent: 1)
    source.line()
    source.doc("The command of `kind` with the fields in `words`.", indent: 1)
    source.line("static func body(", indent: 1)
    source.line("_ kind: CommandKind, _ words: inout CommandWords", indent: 2)
    source.line(") throws(CommandTextError) -> Command.Body {", indent: 1)
    source.line("switch kind {", indent: 2)
    for command in schema.commands {
      guard let payload = command.payload else {
        source.line("case .\(command.name): return \(command.pattern)", indent: 2)
        continue
      }
      source.line("case .\(command.name):", indent: 2)
      source.line(
        "return \(command.pattern("\(payload)("))".dropLastParentheses(of: command), indent: 3)
      source.list(
        command.properties.map { property in
          let or = property.standard.map { ", or: \($0)" } ?? ""
          return "\(property.name): try words.take(\"\(property.name)\"\(or))"
        }, indent: 4)
      source.line(")" + (command.family == nil ? ")" : "))"), indent: 3)
    }
    source.line("}", indent: 2)
    source.line("}", indent: 1)
    source.line("}")
    writeFields(schema, &source)
    return PayloadWriter.banner + source.text
  }

  private static func writeFields(_ schema: CommandSchema, _ source: inout SourceText) {
    source.line()
    source.line("extension CommandKind {")
    source.doc("The fields of the command, in the order of its text.", indent: 1)
    source.line("public var fields: [CommandField] {", indent: 1)
    source.line("switch self {", indent: 2)
    for command in schema.commands {
      if command.properties.isEmpty {
        source.line("case .\(command.name): []", indent: 2)
        continue
      }
      source.line("case .\(command.name): [", indent: 2)
      for property in command.properties {
        source.line(
          "CommandField(\"\(property.name)\", \(property.type.name).self, "
            + "\(property.unitOfNumber.swiftLiteral), isOptional: \(property.standard != nil), "
            + "\(property.description.swiftLiteral)),", indent: 3)
      }
      source.line("]", indent: 2)
    }
    source.line("}", indent: 2)
    source.line("}", indent: 1)
    source.line("}")
  }
}

extension String {
  /// The text without the closing parentheses of the pattern of `command`.
  fileprivate func dropLastParentheses(of command: CommandDeclaration) -> String {
    String(dropLast(command.family == nil ? 1 : 2))
  }
}

extension CommandProperty {
  /// Whether its text is hexadecimal.
  fileprivate var isHash: Bool { wireType.unit == "bits" }
}

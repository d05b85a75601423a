// Writes what the core needs to know of every command and event: to which rule a command goes, and which words an event
// folds into the hash of the history. A command without a rule does not compile.

/// Writes `Dispatch.generated.swift` and `EventWords.generated.swift` of the core.
enum RuleWriter {
  /// From the commands of families to their rules: functions of the exchange with the command's name.
  static func dispatch(_ schema: CommandSchema) -> String {
    var source = SourceText()
    source.line("import MarketModel")
    source.line()
    source.line("extension Exchange {")
    for (index, family) in schema.families.enumerated() {
      if index > 0 { source.line() }
      source.doc("To the rule of the command's name.", indent: 1)
      source.line(
        "mutating func apply(_ command: \(family.commandType), _ request: Request) {", indent: 1)
      source.line("switch command {", indent: 2)
      for command in schema.commands where command.family == family.name {
        source.line(
          command.payload == nil
            ? "case .\(command.name): \(command.name)(request)"
            : "case .\(command.name)(let value): \(command.name)(value, request)", indent: 2)
      }
      source.line("}", indent: 2)
      source.line("}", indent: 1)
    }
    source.line("}")
    return PayloadWriter.banner + source.text
  }

  /// The words of the events of families.
  static func words(_ schema: CommandSchema) -> String {
    var source = SourceText()
    source.line("import MarketModel")
    source.line()
    source.line("extension EventHash {")
    for (index, family) in schema.families.enumerated() {
      if index > 0 { source.line() }
      source.doc("What an event folds into the hash: its tag, and what it decided.", indent: 1)
      source.line("static func word(_ event: \(family.eventType)) -> UInt64 {", indent: 1)
      source.line("switch event {", indent: 2)
      for event in schema.events where event.family == family.name {
        source.line("case .\(event.name)(let done): \(word(event))", indent: 2)
      }
      source.line("}", indent: 2)
      source.line("}", indent: 1)
    }
    source.line("}")
    return PayloadWriter.banner + source.text
  }

  /// From every command to the reference model's rule for it, of the same name.
  static func model(_ schema: CommandSchema) -> String {
    var source = SourceText()
    source.line("import MarketModel")
    source.line()
    source.line("extension ReferenceModel {")
    source.doc("To the rule of the command's name.", indent: 1)
    source.line("mutating func perform(_ command: Command) throws(Refusal) {", indent: 1)
    source.line("switch command.body {", indent: 2)
    for command in schema.commands {
      let value = command.payload == nil ? "" : "value, "
      source.line(
        "case \(command.pattern("let value")): try \(command.name)(\(value)command)", indent: 2)
    }
    source.line("}", indent: 2)
    source.line("}", indent: 1)
    source.line("}")
    source.line()
    writeNamed(schema, &source)
    source.line()
    writeFlags(schema, &source)
    return PayloadWriter.banner + source.text
  }

  /// What a reject of a command names: the account, the client order id and the order that it has.
  private static func writeNamed(_ schema: CommandSchema, _ source: inout SourceText) {
    source.line("extension Command.Body {")
    source.doc("What a reject of this command names.", indent: 1)
    source.line(
      "var named: (account: AccountId, clientOrderId: ClientOrderId, order: OrderId) {", indent: 1)
    source.line("switch self {", indent: 2)
    for command in schema.commands {
      func value(_ type: String, _ none: String) -> String {
        let property = command.properties.first {
          if case .identifier(type, _) = $0.type { return true } else { return false }
        }
        return property.map { "value.\($0.name)" } ?? none
      }
      let parts = [
        value("AccountId", ".null"), value("ClientOrderId", ".engine"), value("OrderId", ".null"),
      ]
      let pattern =
        parts.contains { $0.hasPrefix("value") }
        ? command.pattern("let value") : command.pattern
      source.line("case \(pattern): (\(parts.joined(separator: ", ")))", indent: 2)
    }
    source.line("}", indent: 2)
    source.line("}", indent: 1)
    source.line("}")
  }

  /// What an order says with one bit: for scripts and random orders.
  private static func writeFlags(_ schema: CommandSchema, _ source: inout SourceText) {
    source.line("extension NewOrder {")
    source.doc("What is true or false of an order, by name.", indent: 1)
    source.line(
      "static var flags: [(name: String, field: WritableKeyPath<NewOrder, Bool>)] {", indent: 1)
    source.line("[", indent: 2)
    for command in schema.commands where command.payload == "NewOrder" {
      for property in command.properties {
        if case .boolean = property.type {
          source.line("(\(property.name.swiftLiteral), \\.\(property.name)),", indent: 3)
        }
      }
    }
    source.line("]", indent: 2)
    source.line("}", indent: 1)
    source.line("}")
  }

  private static func word(_ event: EventDeclaration) -> String {
    switch event.hash {
    case .written: return "word(done)"
    case .path(let path): return "word(\(event.tag), done.\(path))"
    case .properties(let properties):
      let values = properties.flatMap { property in
        raw(property.type).map { "done.\(property.name)\($0)" }
      }
      guard let first = values.first else { return "word(\(event.tag), UInt8(0))" }
      return values.dropFirst().reduce("word(\(event.tag), \(first))") { "word(\($0), and: \($1))" }
    }
  }

  /// From a property to the integers that it is made of.
  static func raw(_ type: SwiftType) -> [String] {
    switch type {
    case .integer, .reserved: [""]
    case .identifier, .enumeration, .flags: [".rawValue"]
    case .wrapper(_, let label, _): [".\(label)"]
    case .words(_, let properties, _): properties.map { ".\($0)" }
    case .boolean: [".word"]
    }
  }
}

// Generates the dispatch of commands to the rules of the core, and the hashed words of events. A
// command without a rule does not compile.

/// Generates `Dispatch.generated.swift` and `EventWords.generated.swift` of the core.
enum RuleWriter {
  /// The dispatch of the families' commands to functions of the exchange with the command's name.
  static func dispatch(_ schema: CommandSchema) -> String {
    var source = SourceText()
    source.line("import MarketModel")
    source.line()
    source.line("extension Exchange {")
    for (index, family) in schema.families.enumerated() {
      if index > 0 { source.line() }
      source.doc("Calls the rule with the command's name.", indent: 1)
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

  /// The hashed words of the families' events.
  static func words(_ schema: CommandSchema) -> String {
    var source = SourceText()
    source.line("import MarketModel")
    source.line()
    source.line("extension EventHash {")
    for (index, family) in schema.families.enumerated() {
      if index > 0 { source.line() }
      source.doc("Hashes an event: its tag and its words.", indent: 1)
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

  /// The dispatch of all commands to functions of the reference model with the command's name.
  static func model(_ schema: CommandSchema) -> String {
    var source = SourceText()
    source.line("import MarketModel")
    source.line()
    source.line("extension ReferenceModel {")
    source.doc("Calls the rule with the command's name.", indent: 1)
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

  /// The identifiers that a reject of a command repeats: account, client order id and order.
  private static func writeNamed(_ schema: CommandSchema, _ source: inout SourceText) {
    source.line("extension Command.Body {")
    source.doc("The identifiers that a reject of this command repeats.", indent: 1)
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

  /// The boolean properties of an order, for test scripts and random orders.
  private static func writeFlags(_ schema: CommandSchema, _ source: inout SourceText) {
    source.line("extension NewOrder {")
    source.doc("The boolean properties of an order, by name.", indent: 1)
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

  /// Expressions of the integers in a property.
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

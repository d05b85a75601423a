// Generates the gateway's reader, which converts messages to commands.

/// Generates `Sources/GatewayBinary/Generated/OrderReader.generated.swift`.
struct OrderReaderWriter {
  private let schema: CommandSchema
  private var source = SourceText()

  /// The text of the file.
  static func file(_ schema: CommandSchema) -> String {
    var writer = OrderReaderWriter(schema: schema)
    writer.source.line("import MarketModel")
    writer.source.line("import Wire")
    writer.source.line()
    writer.source.line("extension OrderReader {")
    writer.writeRoles()
    writer.writeSwitch()
    for command in writer.read {
      for message in command.messages { writer.writeBody(command, message) }
    }
    writer.source.line("}")
    return PayloadWriter.banner + writer.source.text
  }

  private init(schema: CommandSchema) { self.schema = schema }

  /// Commands whose messages this file reads. Signed messages are verified and read elsewhere.
  private var read: [CommandDeclaration] {
    schema.commands.filter { !$0.messages.isEmpty && !$0.isSigned }
  }

  private mutating func writeRoles() {
    source.doc(
      "The roles of which a session needs one to send `template`; empty when it needs none.",
      indent: 1)
    source.line("public static func roles(for template: Template) -> Roles {", indent: 1)
    source.line("switch template {", indent: 2)
    for (roles, commands) in schema.commands.filter({ !$0.messages.isEmpty }).grouped(by: \.roles) {
      source.cases(
        commands.flatMap(\.messages).map { "." + $0.name.lowercasedFirst },
        "[\(roles.map { "." + $0 }.joined(separator: ", "))]")
    }
    source.line("default: []", indent: 2)
    source.line("}", indent: 2)
    source.line("}", indent: 1)
  }

  private mutating func writeSwitch() {
    source.line()
    source.doc("Reads the command in a frame; readings are read elsewhere.", indent: 1)
    source.line("func body(of frame: Frame, _ template: Template) -> Body {", indent: 1)
    source.line("let body: Body? =", indent: 2)
    source.line("switch template {", indent: 3)
    for command in read {
      for message in command.messages {
        source.line(
          "case .\(message.name.lowercasedFirst): \(message.name)Decoder(frame).map(command)",
          indent: 3)
      }
    }
    source.line("default: nil", indent: 3)
    source.line("}", indent: 3)
    source.line(
      "guard let body else { preconditionFailure(\"not a command, or not checked\") }", indent: 2)
    source.line("return body", indent: 2)
    source.line("}", indent: 1)
  }

  private mutating func writeBody(_ command: CommandDeclaration, _ message: SchemaMessage) {
    let inline = command.family == nil ? "@inline(__always) " : ""
    source.line()
    source.line("\(inline)func command(_ message: \(message.name)Decoder) -> Body {", indent: 1)
    if let stamp = command.stamp {
      source.line(".tick(message.\(stamp))", indent: 2)
      source.line("}", indent: 1)
      return
    }
    let fields = Dictionary(
      message.fields.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    writeChecks(command, message)
    let arguments = command.properties.compactMap { property in
      fields[property.field] == nil ? nil : "\(property.name): \(property.read)"
    }
    source.line("let value = \(command.payload ?? "")(", indent: 2)
    source.list(arguments, indent: 3)
    source.line(")", indent: 2)
    if command.isChecked {
      source.line("if let refusal = Self.refusal(of: value) { return refusal }", indent: 2)
    }
    source.line("return .command(\(command.pattern("value")))", indent: 2)
    source.line("}", indent: 1)
  }

  /// Writes guards against unknown values of enums and sets. Their reject names the account and the
  /// client order id if the message has them.
  private mutating func writeChecks(
    _ command: CommandDeclaration, _ message: SchemaMessage
  ) {
    let account = command.properties.first { $0.type.name == "AccountId" }
    let number = command.properties.first { $0.type.name == "ClientOrderId" }
    var names = account.map { ", message.\($0.field)" } ?? ""
    if let number { names += (account == nil ? ", .null" : "") + ", message.\(number.field)" }
    for field in message.fields {
      guard let property = command.properties.first(where: { $0.field == field.name }) else {
        continue
      }
      switch (property.source, property.type) {
      case (.field, .enumeration):
        let field = property.field
        source.line("guard let \(field) = message.\(field) else {", indent: 2)
        source.line("return .badEnum(message.\(field)Raw, .\(field)\(names))", indent: 3)
        source.line("}", indent: 2)
      case (.bit(let field, _, _), _), (.choice(let field, _, _, _), _):
        source.line("guard message.\(field).isSubset(of: .known) else {", indent: 2)
        source.line("return .badEnum(message.\(field).rawValue, .\(field)\(names))", indent: 3)
        source.line("}", indent: 2)
      default: break
      }
    }
  }
}

extension CommandProperty {
  /// An expression that reads it from the decoder `message`. The guards have read enums into
  /// constants.
  fileprivate var read: String {
    switch source {
    case .field:
      if case .enumeration = type { return field }
      return "message.\(field)"
    case .bit(let field, _, let choice): return "message.\(field).contains(.\(choice))"
    case .choice(let field, _, let choice, let values):
      return "message.\(field).contains(.\(choice)) ? .\(values[1]) : .\(values[0])"
    }
  }
}

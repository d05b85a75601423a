// Generates the encoder from `Command.Body` to the frame of a message.

/// Generates `Sources/Wire/Generated/CommandFrame.generated.swift`.
struct CommandFrameWriter {
  private let schema: CommandSchema
  private var source = SourceText()

  /// The text of the file.
  static func file(_ schema: CommandSchema) -> String {
    var writer = CommandFrameWriter(schema: schema)
    writer.write()
    return PayloadWriter.banner + writer.source.text
  }

  private init(schema: CommandSchema) { self.schema = schema }

  private var wired: [CommandDeclaration] { schema.commands.filter { !$0.messages.isEmpty } }

  private mutating func write() {
    source.line("import MarketModel")
    source.line()
    source.doc("Encodes commands as frames.")
    source.line("public enum CommandFrame {")
    source.doc("Length of the longest frame in bytes.", indent: 1)
    let longest = wired.flatMap(\.messages).map(\.frameLength).max() ?? 0
    source.line("public static let longest = \(longest)", indent: 1)
    source.line()
    writeLength()
    writeSwitch()
    for command in wired { writePayload(command) }
    writeShortForms()
    source.line("}")
  }

  private mutating func writeLength() {
    source.doc(
      "Length in bytes of the shortest frame for `body`; `nil` when no client can send it.",
      indent: 1)
    source.line("public static func length(of body: Command.Body) -> Int? {", indent: 1)
    source.line("switch body {", indent: 2)
    for command in wired {
      let full = command.messages[0]
      if command.messages.count > 1 {
        source.line(
          "case \(command.pattern("let value")): fits\(command.messages[1].name)(value) "
            + "? \(command.messages[1].frameLength) : \(full.frameLength)", indent: 2)
      } else {
        source.line("case \(command.pattern): \(full.frameLength)", indent: 2)
      }
    }
    if wired.count < schema.commands.count { source.line("default: nil", indent: 2) }
    source.line("}", indent: 2)
    source.line("}", indent: 1)
  }

  private mutating func writeSwitch() {
    source.line()
    source.doc("Writes the shortest frame for `body`.", indent: 1)
    source.doc("- Parameters:", indent: 1)
    source.doc("  - frame: Space for `length(of: body)` bytes.", indent: 1)
    source.doc("  - seqNo: The message's sequence number.", indent: 1)
    source.doc("  - sendingTime: The sender's clock.", indent: 1)
    source.doc("  - time: The new time, if the command is a tick.", indent: 1)
    source.doc("  - signature: The meter's signature, if the command is a reading.", indent: 1)
    source.doc("- Precondition: `length(of: body)` is not `nil`.", indent: 1)
    source.line("public static func write(", indent: 1)
    source.line(
      "_ body: Command.Body, into frame: UnsafeMutableRawPointer, seqNo: UInt64,", indent: 2)
    source.line("sendingTime: Timestamp, time: Timestamp = Timestamp(nanoseconds: 0),", indent: 2)
    source.line("signature: Signature = .zero", indent: 2)
    source.line(") {", indent: 1)
    source.line("switch body {", indent: 2)
    for command in wired {
      if let stamp = command.stamp {
        source.line("case \(command.pattern):", indent: 2)
        source.line(
          "\(command.messages[0].name)Encoder(into: frame, seqNo: seqNo, sendingTime: sendingTime, "
            + "\(stamp): time)", indent: 3)
      } else {
        let signature = command.isSigned ? ", signature" : ""
        source.line("case \(command.pattern("let value")):", indent: 2)
        source.line("\(command.name)(value, frame, seqNo, sendingTime\(signature))", indent: 3)
      }
    }
    if wired.count < schema.commands.count {
      source.line("default: preconditionFailure(\"no client can send this command\")", indent: 2)
    }
    source.line("}", indent: 2)
    source.line("}", indent: 1)
  }

  private mutating func writePayload(_ command: CommandDeclaration) {
    guard let payload = command.payload else { return }
    source.line()
    source.line("private static func \(command.name)(", indent: 1)
    source.line(
      "_ value: \(payload), _ frame: UnsafeMutableRawPointer, _ seqNo: UInt64,", indent: 2)
    source.line(
      "_ sendingTime: Timestamp\(command.isSigned ? ", _ signature: Signature" : "")", indent: 2)
    source.line(") {", indent: 1)
    let sets = command.properties.compactMap { property -> (field: String, set: String)? in
      switch property.source {
      case .field: nil
      case .bit(let field, let set, _), .choice(let field, let set, _, _): (field, set)
      }
    }
    for (field, all) in sets.grouped(by: \.field) {
      source.line("var \(field): \(all[0].set) = []", indent: 2)
      for property in command.properties where property.field == field {
        switch property.source {
        case .field: break
        case .bit(_, _, let choice):
          source.line("if value.\(property.name) { \(field).insert(.\(choice)) }", indent: 2)
        case .choice(_, _, let choice, let values):
          source.line(
            "if value.\(property.name) == .\(values[1]) { \(field).insert(.\(choice)) }", indent: 2)
        }
      }
    }
    for message in command.messages.dropFirst() {
      source.line("if fits\(message.name)(value) {", indent: 2)
      writeEncoder(command, message, indent: 3)
      source.line("return", indent: 3)
      source.line("}", indent: 2)
    }
    writeEncoder(command, command.messages[0], indent: 2)
    source.line("}", indent: 1)
  }

  private mutating func writeEncoder(
    _ command: CommandDeclaration, _ message: SchemaMessage, indent: Int
  ) {
    let arguments = message.fields.filter { !$0.type.isReserved }.map { field -> String in
      guard let property = command.properties.first(where: { $0.field == field.name }),
        case .field = property.source
      else { return "\(field.name): \(field.name)" }
      return "\(field.name): value.\(property.name)"
    }
    source.line("\(message.name)Encoder(", indent: indent)
    source.list(["into: frame"] + arguments, indent: indent + 1)
    source.line(")", indent: indent)
  }

  private mutating func writeShortForms() {
    for command in wired {
      for message in command.messages.dropFirst() {
        let names = Set(message.fields.map(\.name))
        let tests = command.properties.filter { !names.contains($0.field) }
          .map { "value.\($0.name) == \($0.standard ?? "0")" }
        source.line()
        source.doc("Whether the fields that \(message.name) lacks have their defaults.", indent: 1)
        source.line(
          "private static func fits\(message.name)(_ value: \(command.payload ?? "")) -> Bool {",
          indent: 1)
        source.line(tests.joined(separator: " && "), indent: 2)
        source.line("}", indent: 1)
      }
    }
  }
}

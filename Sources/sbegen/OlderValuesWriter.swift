// Generates what clients of older schemas get in place of enum values that their schema does not have.

/// Generates `Sources/Wire/Generated/OlderValues.generated.swift`.
struct OlderValuesWriter {
  /// Name and text of the file.
  /// - Throws: `SchemaError` when an added value that the server may send has no older one that takes its place.
  static func file(_ schema: Schema) throws -> (name: String, text: String) {
    let messages = try schema.messages.compactMap { message in
      try replaced(message).map { (message, $0) }
    }
    let types = schema.types.filter { type in
      messages.contains { $0.1.contains { $0.type.name == type.name } }
    }
    var source = SourceText()
    source.doc(
      "What clients of older schemas get in place of enum values that their schema does not have.")
    source.line("public enum OlderValues {")
    source.doc(
      "Replaces such values in a frame of the server's, for a client of the schema's `version`.",
      indent: 1)
    source.line(
      "public static func replace(in frame: UnsafeMutableRawPointer, for version: UInt16) {",
      indent: 1)
    source.line("let known = UnsafeRawPointer(frame)", indent: 2)
    source.line("switch known.little(6, as: UInt16.self) {", indent: 2)
    for (message, fields) in messages {
      source.line("case \(message.id):  // \(message.name)", indent: 2)
      for field in fields {
        let offset = SchemaMessage.headerLength + field.offset
        source.line(
          "frame.setLittle(\(offset), \(field.type.name.lowercasedFirst)"
            + "(known.little(\(offset), as: UInt8.self), version))", indent: 3)
      }
    }
    source.line("default: break", indent: 2)
    source.line("}", indent: 2)
    source.line("}", indent: 1)
    for type in types { write(type, &source) }
    source.line("}")
    return ("OlderValues", CodecWriter.banner + source.text)
  }

  /// The fields of a message of the server's that can have added values; `nil` if there are none.
  private static func replaced(_ message: SchemaMessage) throws -> [SchemaField]? {
    guard message.direction != .toServer else { return nil }
    let fields = try message.fields.filter { try !added($0.type).isEmpty }
    if let field = try message.group?.fields.first(where: { try !added($0.type).isEmpty }) {
      throw SchemaError(
        "\(message.name).\(field.name): values were added to \(field.type.name), and in a group they cannot be replaced"
      )
    }
    return fields.isEmpty ? nil : fields
  }

  /// The values of an enum that are newer than the enum, with the value that takes their place.
  private static func added(_ type: SchemaType) throws -> [(choice: SchemaChoice, older: Int)] {
    guard case .enumeration(let choices) = type.shape else { return [] }
    let first = choices.map(\.sinceVersion).min() ?? 1
    return try choices.filter { $0.sinceVersion > first }.map { choice in
      guard let older = choices.first(where: { $0.name == choice.marks["older"] }),
        older.sinceVersion < choice.sinceVersion
      else {
        throw SchemaError(
          "\(type.name).\(choice.name) is newer than the enum, which the server sends: write jb:older with the name of "
            + "an older value that clients of older versions get instead")
      }
      return (choice, older.value)
    }
  }

  private static func write(_ type: SchemaType, _ source: inout SourceText) {
    let name = type.name.lowercasedFirst
    source.line()
    source.line("static func \(name)(_ value: UInt8, _ version: UInt16) -> UInt8 {", indent: 1)
    source.line("switch value {", indent: 2)
    for (choice, older) in (try? added(type)) ?? [] {
      source.line("// \(choice.name), or \(choice.marks["older"] ?? "").", indent: 2)
      source.line("case \(choice.value) where version < \(choice.sinceVersion):", indent: 2)
      source.line("\(name)(\(older), version)", indent: 3)
    }
    source.line("default: value", indent: 2)
    source.line("}", indent: 2)
    source.line("}", indent: 1)
  }
}

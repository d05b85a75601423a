// Generates the common parts of the codecs: the schema's numbers, the list of templates, and the
// enums and sets that MarketModel does not have.

/// Generates `WireSchema.generated.swift`, `Template.generated.swift` and one file per type.
struct VocabularyWriter {
  /// Name and text of each file.
  static func files(_ schema: Schema) -> [(name: String, text: String)] {
    var files = [
      ("WireSchema", constants(schema)), ("Template", templates(schema)),
    ]
    for type in schema.types {
      switch type.shape {
      case .enumeration(let choices)
      where SwiftType.marketEnumerations[type.name] == nil && type.name != "Flag":
        files.append((type.name, enumeration(type, choices)))
      case .set(let choices) where !SwiftType.marketSets.contains(type.name):
        files.append((type.name, optionSet(type, choices)))
      default: break
      }
    }
    return files
  }

  /// The text of `Sources/MarketModel/Generated/RejectField.generated.swift`: the enum of the fields
  /// that a reject names, with what each may be.
  static func rejectField(_ schema: Schema) -> String {
    guard let type = schema.types.first(where: { $0.name == "RejectField" }),
      case .enumeration(let choices) = type.shape
    else { return "" }
    var source = SourceText()
    source.doc(type.description)
    source.line("public enum \(type.name): UInt8, Sendable, CaseIterable, BitwiseCopyable {")
    for choice in choices {
      source.doc(choice.description, indent: 1)
      source.line("case \(choice.name) = \(choice.value)", indent: 1)
    }
    source.line()
    source.doc("What the field may be.", indent: 1)
    source.line("public var allowed: String {", indent: 1)
    source.line("switch self {", indent: 2)
    for choice in choices {
      source.line("case .\(choice.name):", indent: 2)
      source.line("\"\(choice.description)\"", indent: 3)
    }
    source.line("}", indent: 2)
    source.line("}", indent: 1)
    source.line("}")
    return PayloadWriter.banner + source.text
  }

  private static func constants(_ schema: Schema) -> String {
    var source = SourceText()
    source.doc("The schema's numbers in every SBE header.")
    source.line("public enum WireSchema {")
    source.doc("Schema id; a breaking change gets a new one.", indent: 1)
    source.line("@inlinable public static var id: UInt16 { \(schema.id) }", indent: 1)
    source.doc("Schema version; it grows when fields are appended.", indent: 1)
    source.line("@inlinable public static var version: UInt16 { \(schema.version) }", indent: 1)
    source.line("}")
    return CodecWriter.banner + source.text
  }

  private static func templates(_ schema: Schema) -> String {
    var source = SourceText()
    source.doc("The messages of the protocol, by template id.")
    source.line("public enum Template: UInt16, Sendable, CaseIterable, BitwiseCopyable {")
    for message in schema.messages {
      source.doc(message.description, indent: 1)
      source.line("case \(message.name.lowercasedFirst) = \(message.id)", indent: 1)
    }
    source.line()
    source.doc(
      "Bytes of the block in the first version of the schema: the least that is read.", indent: 1)
    source.line("@inlinable public var leastBlockLength: Int {", indent: 1)
    source.line("switch self {", indent: 2)
    for (length, messages) in grouped(schema.messages, by: \.leastBlockLength) {
      source.list(cases(messages, value: "\(length)"), indent: 2)
    }
    source.line("}", indent: 2)
    source.line("}", indent: 1)
    source.line()
    source.doc("Bytes of the block in this version of the schema.", indent: 1)
    source.line("@inlinable public var blockLength: Int {", indent: 1)
    source.line("switch self {", indent: 2)
    for (length, messages) in grouped(schema.messages, by: \.blockLength) {
      source.list(cases(messages, value: "\(length)"), indent: 2)
    }
    source.line("}", indent: 2)
    source.line("}", indent: 1)
    source.line()
    source.doc(
      "Whether a block of `length` bytes ends where a field ends, so that it is one of this version, "
        + "of an older one or of a newer one.", indent: 1)
    source.line("@inlinable public func hasWholeFields(_ length: Int) -> Bool {", indent: 1)
    source.line("if length >= blockLength { return true }", indent: 2)
    source.line("switch self {", indent: 2)
    for message in schema.messages where !message.olderBlockLengths.isEmpty {
      let same = message.olderBlockLengths.map { "length == \($0)" }.joined(separator: " || ")
      source.line("case .\(message.name.lowercasedFirst):", indent: 2)
      source.line("return \(same)", indent: 3)
    }
    source.line("default: return false", indent: 2)
    source.line("}", indent: 2)
    source.line("}", indent: 1)
    source.line()
    source.doc("Length of a group entry in bytes; 0 for messages without a group.", indent: 1)
    source.line("@inlinable public var entryLength: Int {", indent: 1)
    source.line("switch self {", indent: 2)
    for message in schema.messages {
      guard let group = message.group else { continue }
      source.list(cases([message], value: "\(group.blockLength)"), indent: 2)
    }
    source.line("default: 0", indent: 2)
    source.line("}", indent: 2)
    source.line("}", indent: 1)
    for (name, other, who) in [
      ("isFromClient", SchemaMessage.Direction.toServer, "client"),
      ("isFromServer", .toClient, "server"),
    ] {
      source.line()
      source.doc("Whether a \(who) may send this message.", indent: 1)
      source.line("@inlinable public var \(name): Bool {", indent: 1)
      source.line("switch self {", indent: 2)
      let sent = schema.messages.filter { $0.direction == other || $0.direction == .bothWays }
      source.list(cases(sent, value: "true"), indent: 2)
      source.line("default: false", indent: 2)
      source.line("}", indent: 2)
      source.line("}", indent: 1)
    }
    source.line("}")
    return CodecWriter.banner + source.text
  }

  /// The items of a switch case that returns `value` for `messages`.
  private static func cases(_ messages: [SchemaMessage], value: String) -> [String] {
    var items = messages.map { "." + $0.name.lowercasedFirst }
    items[0] = "case " + items[0]
    items[items.count - 1] += ": " + value
    return items
  }

  private static func grouped(
    _ messages: [SchemaMessage], by key: (SchemaMessage) -> Int
  ) -> [(Int, [SchemaMessage])] {
    Set(messages.map(key)).sorted().map { value in (value, messages.filter { key($0) == value }) }
  }

  private static func enumeration(_ type: SchemaType, _ choices: [SchemaChoice]) -> String {
    var source = SourceText()
    source.doc(type.description)
    source.line("public enum \(type.name): UInt8, Sendable, CaseIterable, BitwiseCopyable {")
    for choice in choices {
      source.doc(choice.description, indent: 1)
      source.line("case \(choice.name) = \(choice.value)", indent: 1)
    }
    source.line("}")
    return CodecWriter.banner + source.text
  }

  private static func optionSet(_ type: SchemaType, _ choices: [SchemaChoice]) -> String {
    var source = SourceText()
    source.doc(type.description)
    source.line("public struct \(type.name): OptionSet, Sendable, Hashable, BitwiseCopyable {")
    source.doc("The encoded bits.", indent: 1)
    source.line("public let rawValue: UInt8", indent: 1)
    source.doc("The set with these bits.", indent: 1)
    source.line("@inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }", indent: 1)
    for choice in choices {
      source.doc(choice.description, indent: 1)
      source.line(
        "public static let \(choice.name) = \(type.name)(rawValue: \(1 << choice.value))", indent: 1
      )
    }
    source.doc("All defined bits; any other bit is an error of the sender.", indent: 1)
    source.line(
      "public static let known = \(type.name)(rawValue: \((1 << choices.count) - 1))", indent: 1)
    source.line("}")
    return CodecWriter.banner + source.text
  }
}

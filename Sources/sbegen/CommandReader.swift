// Resolves the attributes of the namespace jb and checks their consistency.

/// Builds a `CommandSchema` from the two schema files.
struct CommandReader {
  private var payloads: Set<String> = []

  /// Reads the commands of the protocol's and the journal's schema.
  /// - Throws: `SchemaError` for unknown names, repeated numbers and other contradictions.
  static func read(_ schema: Schema, _ journal: JournalSchema) throws -> CommandSchema {
    var reader = CommandReader()
    let messages = schema.messages + journal.messages
    var declarations: [String: [SchemaMessage]] = [:]
    for message in messages {
      if let command = message.marks["command"] {
        declarations[command, default: []].append(message)
      }
    }
    var commands: [CommandDeclaration] = []
    var events = journal.events
    for message in messages where message.marks["kind"] != nil {
      guard let path = message.marks["command"], let all = declarations.removeValue(forKey: path)
      else { throw SchemaError("\(message.name): jb:kind without jb:command, or it is repeated") }
      let others = all.filter { $0.name != message.name }
      let command = try reader.command(message, path, others, isWired: message.id != 0)
      commands.append(command)
      if let event = message.marks["event"] { events.append(try Self.event(event, command)) }
    }
    guard declarations.isEmpty else {
      throw SchemaError("no kind (jb:kind) for \(declarations.keys.sorted())")
    }
    let families = Set(journal.families.map(\.name))
    for name in commands.compactMap(\.family) + events.map(\.family) where !families.contains(name)
    {
      throw SchemaError("unknown family \(name)")
    }
    try numbered(
      "jb:kind",
      commands.flatMap { command in
        Set(command.forms.map(\.kind)).map { ($0, command.name) }
      }, most: Int(UInt16.max))
    try numbered("the tag of an event", events.map { ($0.tag, $0.name) }, most: 255)
    for command in commands {
      for role in command.roles where !roles.contains(role) {
        throw SchemaError(
          "\(command.name): no role is called \(role); the roles are: \(roles.joined(separator: " "))"
        )
      }
    }
    return CommandSchema(
      families: journal.families, commands: commands.sorted { $0.forms[0].kind < $1.forms[0].kind },
      events: events.sorted { $0.tag < $1.tag })
  }

  /// The roles of sessions.
  private static let roles = [
    "trading", "metering", "administration", "dropCopy", "participantAdministration",
    "surveillance",
  ]

  /// Checks that the numbers are unique and in 1...`most`.
  private static func numbered(
    _ what: String, _ entries: [(number: Int, name: String)], most: Int
  ) throws {
    var names: [Int: String] = [:]
    for (number, name) in entries {
      guard (1...most).contains(number) else {
        throw SchemaError("\(name): \(what) is \(number), and must be 1 to \(most)")
      }
      if let other = names.updateValue(name, forKey: number) {
        let free = (entries.map(\.number).max() ?? 0) + 1
        throw SchemaError(
          "\(what) \(number) is used by \(other) and by \(name); the next free number is \(free)")
      }
    }
  }

  private static func event(
    _ mark: String, _ command: CommandDeclaration
  ) throws -> EventDeclaration {
    let words = mark.split(separator: " ").map(String.init)
    guard let family = command.family else {
      throw SchemaError(
        "\(command.name): only a command of a family has an event; write jb:command=\"family.case\""
      )
    }
    guard (2...3).contains(words.count), let tag = Int(words[1]), let payload = command.payload
    else {
      throw SchemaError(
        "\(command.name): write jb:event as its case and its tag, and at most one property")
    }
    return EventDeclaration(
      name: words[0], family: family, payload: payload, tag: tag,
      hash: try hash(words.count == 3 ? words[2] : nil, command),
      description: "\(command.name) has been applied.")
  }

  /// The hashed words of a command's event: the named property, or all.
  private static func hash(_ name: String?, _ command: CommandDeclaration) throws -> EventWords {
    guard let name else { return .properties(command.properties) }
    guard let property = command.properties.first(where: { $0.name == name }) else {
      throw SchemaError("\(command.name) has no property \(name)")
    }
    return .properties([property])
  }

  private mutating func command(
    _ message: SchemaMessage, _ path: String, _ others: [SchemaMessage], isWired: Bool
  ) throws -> CommandDeclaration {
    let names = path.split(separator: ".").map(String.init)
    guard (1...2).contains(names.count), let kind = Int(message.marks["kind"] ?? "") else {
      throw SchemaError("\(message.name): write jb:command as family.case and jb:kind as a number")
    }
    let fields = message.fields.filter {
      !["seqNo", "sendingTime"].contains($0.name) && !$0.type.isReserved
        && $0.type.name != "Signature" && $0.marks["stamp"] == nil
    }
    let unordered = try fields.flatMap(Self.properties)
    let properties = try Self.ordered(unordered, message.marks["properties"], message)
    let payload = properties.isEmpty ? nil : message.marks["payload"] ?? message.name
    let roles = message.marks["role"]?.split(separator: " ").map(String.init) ?? []
    guard roles.isEmpty != isWired else {
      throw SchemaError(
        "\(message.name): jb:role is needed for messages of the protocol, and only for them")
    }
    let documentation = message.marks["doc"] ?? message.description
    return CommandDeclaration(
      name: names[names.count - 1], family: names.count == 2 ? names[0] : nil, payload: payload,
      isFirstOfPayload: payload.map { payloads.insert($0).inserted } ?? false, roles: roles,
      description: others.isEmpty ? message.description : documentation,
      documentation: documentation, properties: properties,
      forms: try Self.forms(message, kind, names[names.count - 1], properties),
      messages: isWired ? [message] + others : [], isChecked: message.marks["checked"] == "yes",
      stamp: message.fields.first { $0.marks["stamp"] != nil }?.name)
  }

  /// The properties of a field: one, or one for each bit of a set that MarketModel does not have.
  private static func properties(_ field: SchemaField) throws -> [CommandProperty] {
    let type = SwiftType(field.type)
    guard case .set(let choices) = field.type.shape, !SwiftType.marketSets.contains(field.type.name)
    else {
      let standard =
        field.marks["default"] ?? (field.sinceVersion > 1 ? type.literal(field.absent) : nil)
      let form = try field.marks["form"].map { mark in
        let words = mark.split(separator: " ").map(String.init)
        guard words.count == 2, let kind = Int(words[1]) else {
          throw SchemaError("\(field.name): write jb:form as a name and a number")
        }
        return (name: words[0], kind: kind)
      }
      return [
        CommandProperty(
          name: field.marks["property"] ?? field.name, type: type, wireType: field.type,
          field: field.name, source: .field, standard: standard,
          description: field.marks["doc"] ?? field.description,
          sinceVersion: field.sinceVersion, form: form)
      ]
    }
    return choices.map { choice in
      let values = choice.marks["values"]?.split(separator: " ").map(String.init)
      let name = choice.marks["property"] ?? choice.name
      return CommandProperty(
        name: name, type: choice.marks["type"].map { .enumeration($0) } ?? .boolean,
        wireType: field.type, field: field.name,
        source: values.map {
          .choice(field: field.name, set: field.type.name, choice: choice.name, values: $0)
        } ?? .bit(field: field.name, set: field.type.name, choice: choice.name),
        standard: choice.marks["default"] ?? "false",
        description: choice.marks["doc"] ?? choice.description,
        sinceVersion: max(field.sinceVersion, choice.sinceVersion),
        form: nil)
    }
  }

  /// The properties in the order of `names`. Properties that were added later than the message may
  /// be missing in `names`; they follow.
  private static func ordered(
    _ properties: [CommandProperty], _ names: String?, _ message: SchemaMessage
  ) throws -> [CommandProperty] {
    guard let names = names?.split(separator: " ").map(String.init) else { return properties }
    let named = names.compactMap { name in properties.first { $0.name == name } }
    let others = properties.filter { !names.contains($0.name) }
    guard named.count == Set(names).count, named.count == names.count,
      others.allSatisfy({ $0.sinceVersion > message.sinceVersion })
    else { throw SchemaError("\(message.name): the order must name each property once: \(names)") }
    return named + others
  }

  /// The forms of the record. Each field is aligned to its size and the length is a multiple of 8
  /// bytes. Fields that were added in a later version than the message make a longer form.
  private static func forms(
    _ message: SchemaMessage, _ kind: Int, _ name: String, _ properties: [CommandProperty]
  ) throws -> [CommandForm] {
    let order = try ordered(properties, message.marks["record"], message)
    let first = message.sinceVersion
    let versions = Set(order.map { max($0.sinceVersion, first) }).union([first]).sorted()
    var forms: [CommandForm] = []
    for version in versions {
      let own = order.filter { max($0.sinceVersion, first) == version }
      let start = forms.last?.length ?? 0
      let (parts, length) = layout(own, from: start)
      let record = own.compactMap(\.form).first
      forms.append(
        CommandForm(
          kind: record?.kind ?? forms.last?.kind ?? kind,
          kindName: record?.name ?? forms.last?.kindName ?? name, parts: parts, length: length,
          start: start))
    }
    return forms
  }

  private static func layout(
    _ properties: [CommandProperty], from start: Int
  ) -> (parts: [CommandForm.Part], length: Int) {
    var parts: [CommandForm.Part] = []
    var offset = start
    func pad(to alignment: Int) {
      let gap = (alignment - offset % alignment) % alignment
      if gap > 0 { parts.append(.reserved(gap)) }
      offset += gap
    }
    for property in properties {
      pad(to: min(property.size, 8))
      parts.append(.property(property))
      offset += property.size
    }
    pad(to: 8)
    return (parts, offset)
  }
}

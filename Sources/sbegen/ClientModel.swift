// What the codecs of clients in other languages know of the schema: fields by kind, with the value
// that a field has until the program sets it.

/// A field of a client's message.
struct ClientField {
  /// How a field is read and written.
  enum Kind {
    /// An integer; `null` is the value that means none.
    case number(Primitive, null: String?)
    /// ASCII, padded with zeros.
    case text(length: Int)
    case bytes(length: Int)
    /// An enum or a set of one byte, by the name of its type.
    case choice(String)
    case flags(String)
  }

  let name: String
  let kind: Kind
  /// Offset from the start of the block or entry, in bytes.
  let offset: Int
  /// Size in bytes.
  let size: Int
  let documentation: String
  /// The value of a new message, as an integer; text and bytes are empty.
  let initial: String
}

/// A group of a client's message.
struct ClientGroup {
  let name: String
  /// Type name of one entry.
  let entryName: String
  let entryLength: Int
  let fields: [ClientField]
  let description: String
}

/// A message of the clients' codecs.
struct ClientMessage {
  let name: String
  let id: Int
  let blockLength: Int
  let description: String
  let fields: [ClientField]
  let group: ClientGroup?

  /// Whether the session numbers it: it goes to the server, with a sequence number and a time.
  let isRequest: Bool
}

/// The schema as clients' codecs see it.
struct ClientModel {
  let schema: Schema
  let messages: [ClientMessage]
  /// Enums and sets, in the order of the schema.
  let choices: [(type: SchemaType, choices: [SchemaChoice], isSet: Bool)]
  /// Nulls other than 0, by the name of their type: the ones that a program must not forget.
  let nulls: [(type: String, value: String, description: String)]

  /// A value of no enum: a command's enum without a default has it until the program sets it, so
  /// that the server refuses what was forgotten (2006) instead of buying.
  static let unset = 255

  init(_ schema: Schema) {
    self.schema = schema
    var defaults: [String: String] = [:]
    for message in schema.messages {
      for field in message.fields {
        guard let command = message.marks["command"], let value = field.marks["default"]
        else { continue }
        defaults["\(command) \(field.name)"] = value
      }
    }
    messages = schema.messages.map { Self.message($0, defaults) }
    choices = schema.types.compactMap { type in
      switch type.shape {
      case .enumeration(let choices): (type, choices, false)
      case .set(let choices): (type, choices, true)
      default: nil
      }
    }
    nulls = schema.types.compactMap { type in
      guard let null = type.null, null != "0" else { return nil }
      return (type.name, null, type.description)
    }
  }

  private static func message(
    _ message: SchemaMessage, _ defaults: [String: String]
  ) -> ClientMessage {
    let command = message.marks["command"]
    let fields = message.fields.compactMap { field in
      Self.field(
        field, isCommand: command != nil, declared: defaults["\(command ?? "") \(field.name)"])
    }
    let numbered = ["seqNo", "sendingTime"]
    return ClientMessage(
      name: message.name, id: message.id, blockLength: message.blockLength,
      description: message.description, fields: fields,
      group: message.group.map { group in
        ClientGroup(
          name: group.name, entryName: group.entryName, entryLength: group.blockLength,
          fields: group.fields.compactMap { Self.field($0, isCommand: false, declared: nil) },
          description: group.description)
      },
      isRequest: message.direction == .toServer && fields.prefix(2).map(\.name) == numbered)
  }

  /// The field, or `nil` for padding, which writers leave 0.
  private static func field(
    _ field: SchemaField, isCommand: Bool, declared: String?
  ) -> ClientField? {
    let kind: ClientField.Kind
    var initial = "0"
    switch field.type.shape {
    case .plain(let primitive, let null):
      if field.type.isReserved { return nil }
      kind = .number(primitive, null: null)
      // A default such as Energy(wattHours: -1); those with names (.zero, .null) are 0 or null.
      initial = declared.flatMap(number) ?? null ?? "0"
    case .text(let length): kind = .text(length: length)
    case .composite(let members):
      let sent = members.filter { $0.constant == nil }
      kind =
        sent.count == 1
        ? .number(sent[0].primitive, null: nil) : .bytes(length: field.type.size)
    case .enumeration(let choices):
      kind = .choice(field.type.name)
      if isCommand {
        let name = declared.map { $0 == "false" ? "no" : $0.replacing(".", with: "") }
        initial = "\(choices.first { $0.name == name }?.value ?? unset)"
      }
    case .set: kind = .flags(field.type.name)
    }
    return ClientField(
      name: field.name, kind: kind, offset: field.offset, size: field.type.size,
      documentation: field.documentation, initial: initial)
  }

  /// The integer in a default, if it has one.
  private static func number(_ text: String) -> String? {
    let digits = text.filter { $0.isNumber || $0 == "-" }
    return digits.isEmpty ? nil : digits
  }
}

// The declarations of commands: the schema's attributes of the namespace jb, resolved.

/// A family of commands and events.
struct FamilyDeclaration {
  let name: String
  /// Doc comment of its commands.
  let commands: String
  /// Doc comment of its events.
  let events: String

  /// Name of the enum of its commands.
  var commandType: String { name.capitalizedFirst + "Command" }
  /// Name of the enum of its events.
  var eventType: String { name.capitalizedFirst + "Event" }
}

/// The words of an event that are hashed after its tag.
enum EventWords {
  /// The integer at this key path of the event's struct.
  case path(String)
  /// Properties of its command's struct.
  case properties([CommandProperty])
  /// The result of a hand-written function.
  case written
}

/// An event of a family.
struct EventDeclaration {
  let name: String
  let family: String
  /// Name of the Swift struct of its contents.
  let payload: String
  /// Its number in the event hash, 1 to 255.
  let tag: Int
  /// The hashed words.
  let hash: EventWords
  let description: String
}

/// The declarations of proto/journal.xml: families, events, and commands that no client sends.
struct JournalSchema {
  let families: [FamilyDeclaration]
  let messages: [SchemaMessage]
  let events: [EventDeclaration]
}

/// A property of a command's struct.
struct CommandProperty {
  /// The place of the property in a message.
  enum Source {
    /// A field of the message.
    case field
    /// A bit of a set.
    case bit(field: String, set: String, choice: String)
    /// A bit of a set that selects one of two values of an enum.
    case choice(field: String, set: String, choice: String, values: [String])
  }

  let name: String
  let type: SwiftType
  /// The type in the message; for a bit, the set.
  let wireType: SchemaType
  /// Name of the field in the message.
  let field: String
  let source: Source
  /// The default as a Swift expression; `nil` when the property is mandatory.
  let standard: String?
  let description: String
  /// Version of the schema that added it.
  let sinceVersion: Int
  /// Name and number of the kind of record that was introduced for it; `nil` without one.
  let form: (name: String, kind: Int)?

  /// Size in the journal in bytes.
  var size: Int {
    switch type {
    case .integer(let primitive), .identifier(_, let primitive), .wrapper(_, _, let primitive),
      .reserved(let primitive):
      primitive.size
    case .words(_, let properties, _): 8 * properties.count
    case .enumeration, .flags, .boolean: 1
    }
  }

  /// Its unit if the type does not imply it.
  var unit: String {
    switch wireType.unit {
    case "number", "code", "bits": ""
    default: wireType.unit
    }
  }
}

/// A form of a command's record: the properties of all shorter forms, then further ones.
struct CommandForm {
  /// A part of the record's payload.
  enum Part {
    case property(CommandProperty)
    /// A number of zero bytes.
    case reserved(Int)
  }

  let kind: Int
  let kindName: String
  /// The parts that it adds to the shorter form.
  let parts: [Part]
  /// Length of the whole payload in bytes.
  let length: Int
  /// Offset of its own parts in the payload.
  let start: Int

  var properties: [CommandProperty] {
    parts.compactMap { part in
      if case .property(let property) = part { return property }
      return nil
    }
  }
}

/// The declaration of a command: its struct, messages and records.
struct CommandDeclaration {
  let name: String
  /// Name of its family; `nil` for a frequent command, which is a case of `Command.Body`.
  let family: String?
  /// Name of the Swift struct; `nil` without properties.
  let payload: String?
  /// Whether it is the first command with this struct.
  let isFirstOfPayload: Bool
  let roles: [String]
  let description: String
  /// The doc comment of the struct.
  let documentation: String
  /// Properties in the order of the struct.
  let properties: [CommandProperty]
  /// Forms of its record, shortest first.
  let forms: [CommandForm]
  /// Its messages, the one with all fields first; empty when no client sends the command.
  let messages: [SchemaMessage]
  /// Whether a hand-written function of the gateway can reject it.
  let isChecked: Bool
  /// Name of the message field that is the command's time.
  let stamp: String?

  /// The case of `Command.Body` with `value` in it: `.reference(.setTariff(value))`.
  func pattern(_ value: String) -> String {
    let inner = payload == nil ? ".\(name)" : ".\(name)(\(value))"
    return family.map { ".\($0)(\(inner))" } ?? inner
  }

  /// The case of `Command.Body` without its value.
  var pattern: String { family.map { ".\($0)(.\(name))" } ?? ".\(name)" }

  /// Whether its message is signed and verified before it is read.
  var isSigned: Bool { messages.contains { $0.fields.contains { $0.type.name == "Signature" } } }

  /// Name of functions that read its struct.
  var payloadFunction: String { (payload ?? name).lowercasedFirst }

  /// Whether all forms have the same kind.
  var hasOneKind: Bool { Set(forms.map(\.kind)).count == 1 }
}

/// All commands and the events of families.
struct CommandSchema {
  let families: [FamilyDeclaration]
  /// Commands in the order of their kinds.
  let commands: [CommandDeclaration]
  /// Events in the order of their tags.
  let events: [EventDeclaration]

  /// The first command of each struct.
  var payloads: [CommandDeclaration] {
    commands.filter { $0.payload != nil && $0.isFirstOfPayload }
  }
}

// What the schema says of commands: the attributes of the namespace jb, resolved.

/// A family of commands and events.
struct FamilyDeclaration {
  let name: String
  /// What its commands have in common.
  let commands: String
  /// What its events have in common.
  let events: String

  /// The enum of its commands.
  var commandType: String { name.capitalizedFirst + "Command" }
  /// The enum of its events.
  var eventType: String { name.capitalizedFirst + "Event" }
}

/// What an event folds into the hash of the history beside its tag.
enum EventWords {
  /// The integer at this path of its struct.
  case path(String)
  /// All properties of its command's struct.
  case properties([CommandProperty])
  /// What a function written by hand says.
  case written
}

/// An event of a family.
struct EventDeclaration {
  let name: String
  let family: String
  /// The Swift struct that it carries.
  let payload: String
  /// Its number in the hash of the history.
  let tag: Int
  /// What else it folds into the hash.
  let hash: EventWords
  let description: String
}

/// What never crosses the wire.
struct JournalSchema {
  let families: [FamilyDeclaration]
  let messages: [SchemaMessage]
  let events: [EventDeclaration]
}

/// A property of a command's struct.
struct CommandProperty {
  /// Where a message has it.
  enum Source {
    /// A field of its own.
    case field
    /// A bit of a set.
    case bit(field: String, set: String, choice: String)
    /// A bit of a set that stands for one of two values of an enum.
    case choice(field: String, set: String, choice: String, values: [String])
  }

  let name: String
  let type: SwiftType
  /// The type on the wire; of a bit, the set.
  let wireType: SchemaType
  /// The field of the message.
  let field: String
  let source: Source
  /// The expression of what is left out.
  let standard: String?
  let description: String
  /// The version of the schema that appended it.
  let sinceVersion: Int
  /// Name and number of the journal's record that holds it, if it has one of its own.
  let form: (name: String, kind: Int)?

  /// Bytes in the journal.
  var size: Int {
    switch type {
    case .integer(let primitive), .identifier(_, let primitive), .wrapper(_, _, let primitive),
      .reserved(let primitive):
      primitive.size
    case .words(_, let properties, _): 8 * properties.count
    case .enumeration, .flags, .boolean: 1
    }
  }

  /// Its unit where the type does not say it.
  var unit: String {
    switch wireType.unit {
    case "number", "code", "bits": ""
    default: wireType.unit
    }
  }
}

/// A record of a command: what every form before it holds, then what it adds.
struct CommandForm {
  /// A part of the record's payload.
  enum Part {
    case property(CommandProperty)
    /// Bytes that are zero.
    case reserved(Int)
  }

  let kind: Int
  let kindName: String
  /// What it adds to the form before.
  let parts: [Part]
  /// Bytes of the payload, what the forms before it hold included.
  let length: Int
  /// Where its own parts start.
  let start: Int

  var properties: [CommandProperty] {
    parts.compactMap { part in
      if case .property(let property) = part { return property }
      return nil
    }
  }
}

/// A command.
struct CommandDeclaration {
  let name: String
  /// `nil`: a frequent one, a case of `Command.Body` itself.
  let family: String?
  /// The Swift struct; `nil`: it has no properties.
  let payload: String?
  /// Whether no command before it has the same struct.
  let isFirstOfPayload: Bool
  let roles: [String]
  let description: String
  /// The doc comment of the struct.
  let documentation: String
  /// In the order of the struct.
  let properties: [CommandProperty]
  /// The journal's records, shortest first.
  let forms: [CommandForm]
  /// Its messages, the one with all fields first; none: it never crosses the wire.
  let messages: [SchemaMessage]
  /// Whether a function written by hand decides what can be journaled.
  let isChecked: Bool
  /// The field of the message that is the command's time.
  let stamp: String?

  /// The case of `Command.Body` with `value` in it: `.reference(.setTariff(value))`.
  func pattern(_ value: String) -> String {
    let inner = payload == nil ? ".\(name)" : ".\(name)(\(value))"
    return family.map { ".\($0)(\(inner))" } ?? inner
  }

  /// The case without its value.
  var pattern: String { family.map { ".\($0)(.\(name))" } ?? ".\(name)" }

  /// Whether the signature of its message is checked before it is read.
  var isSigned: Bool { messages.contains { $0.fields.contains { $0.type.name == "Signature" } } }

  /// A name for functions that read its struct: as the struct's.
  var payloadFunction: String { (payload ?? name).lowercasedFirst }

  /// Whether all forms have one kind of record.
  var hasOneKind: Bool { Set(forms.map(\.kind)).count == 1 }
}

/// All commands and the events of families.
struct CommandSchema {
  let families: [FamilyDeclaration]
  /// By kind of record.
  let commands: [CommandDeclaration]
  /// By tag.
  let events: [EventDeclaration]

  /// Those that come first with their struct.
  var payloads: [CommandDeclaration] {
    commands.filter { $0.payload != nil && $0.isFirstOfPayload }
  }
}

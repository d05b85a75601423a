// What each version of the schema contains, as text. The files proto/versions/N.txt are written when a version is
// released, and never again: a test compares them with what the schema says of version N today.
//
//     message 20 NewOrder block 52
//     field NewOrder 16 8 clientOrderId ClientOrderId       offset in the block, size, name, type
//     type ClientOrderId uint64 null 0
//     value CancelReason 0 user

/// Describes the versions of a schema.
struct SchemaHistory {
  let schema: Schema

  /// Path of the file of a version, in the repository.
  static func path(_ version: Int) -> String { "proto/versions/\(version).txt" }

  /// Messages with their fields, and the types of these fields, that exist in `version`; padding is left out,
  /// because a later version may put a field there.
  func page(_ version: Int) -> String {
    var lines = [
      "Version \(version) of the schema: what never changes. Written by sbegen --freeze."
    ]
    var used: Set<String> = []
    for message in schema.messages where message.sinceVersion <= version {
      let fields = Self.known(message.fields, version)
      let length = message.fields.filter { $0.sinceVersion <= version }
        .reduce(0) { $0 + $1.type.size }
      lines.append("message \(message.id) \(message.name) block \(length)")
      lines += fields.map { "field \(message.name) \(Self.text($0))" }
      used.formUnion(fields.map(\.type.name))
      guard let group = message.group else { continue }
      let entry = Self.known(group.fields, version)
      lines.append("group \(message.name) \(group.name) block \(group.blockLength)")
      lines += entry.map { "entry \(message.name) \(Self.text($0))" }
      used.formUnion(entry.map(\.type.name))
    }
    for type in schema.types where used.contains(type.name) {
      lines += Self.lines(type, version)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The fields that mean something in `version`.
  private static func known(_ fields: [SchemaField], _ version: Int) -> [SchemaField] {
    fields.filter { !$0.type.isReserved && $0.meaningSince <= version }
  }

  private static func text(_ field: SchemaField) -> String {
    "\(field.offset) \(field.type.size) \(field.name) \(field.type.name)"
  }

  private static func lines(_ type: SchemaType, _ version: Int) -> [String] {
    switch type.shape {
    case .plain(let primitive, let null):
      return ["type \(type.name) \(primitive.rawValue)" + (null.map { " null \($0)" } ?? "")]
    case .text(let length): return ["type \(type.name) char \(length)"]
    case .composite(let members):
      return members.map { member in
        "member \(type.name) \(member.name) \(member.primitive.rawValue)"
          + (member.constant.map { " constant \($0)" } ?? "")
      }
    case .enumeration(let choices):
      return choices.filter { $0.sinceVersion <= version }
        .map { "value \(type.name) \($0.value) \($0.name)" }
    case .set(let choices):
      return choices.filter { $0.sinceVersion <= version }
        .map { "bit \(type.name) \($0.value) \($0.name)" }
    }
  }
}

extension SchemaField {
  /// Version of the schema that gave these bytes their meaning; before it they were padding or not there.
  var meaningSince: Int { max(sinceVersion, marks["since"].flatMap { Int($0) } ?? 1) }
}

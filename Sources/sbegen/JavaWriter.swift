/// Writes `clients/java/joulebook/Messages.java`: a class for each message, and a function that
/// makes any. Java has no unsigned types: u8 and u16 are `int`, u32 and u64 are `long`.
struct JavaWriter: ClientWriter {
  static let path = "clients/java/joulebook/Messages.java"
  var source = SourceText()

  /// A literal, with the bits of a u64 as a `long`.
  private static func literal(_ text: String, _ primitive: Primitive) -> String {
    guard primitive == .uint64 || primitive == .uint32 || primitive.isSigned else { return text }
    return UInt64(text).map { "\(Int64(bitPattern: $0))L" } ?? "\(text)L"
  }

  private mutating func writeComment(_ prose: String, indent: Int) {
    source.line("/**", indent: indent)
    source.doc(prose, mark: " *", indent: indent)
    source.line(" */", indent: indent)
  }

  mutating func writeOpening(_ model: ClientModel) {
    source.line("// \(ClientFiles.banner)")
    source.line()
    source.line("package joulebook;")
    source.line()
    source.line("import java.util.ArrayList;")
    source.line("import java.util.List;")
    source.line()
    writeComment("The messages of the schema, its enums and its sets.", indent: 0)
    source.line("public final class Messages {")
    source.line("public static final int SCHEMA_ID = \(model.schema.id);", indent: 1)
    source.line("public static final int SCHEMA_VERSION = \(model.schema.version);", indent: 1)
    for null in model.nulls {
      writeComment("\(null.type): \(null.description)", indent: 1)
      let value = Self.literal(null.value, .uint64)
      source.line(
        "public static final long NULL_\(null.type.lowercasedFirst.constantCase) = \(value);",
        indent: 1)
    }
    source.line()
    source.line("private Messages() {}", indent: 1)
  }

  mutating func writeChoices(_ type: SchemaType, _ choices: [SchemaChoice], isSet: Bool) {
    source.line()
    writeComment(type.description, indent: 1)
    source.line("public static final class \(type.name) {", indent: 1)
    for choice in choices {
      writeComment(choice.description, indent: 2)
      source.line(
        "public static final int \(choice.name.constantCase) = "
          + (isSet ? "1 << \(choice.value);" : "\(choice.value);"), indent: 2)
    }
    source.line("static final String[] NAMES = {", indent: 2)
    source.list(choices.map { "\"\($0.name)\"" }, indent: 3)
    source.line("};", indent: 2)
    source.line()
    source.line("private \(type.name)() {}", indent: 2)
    source.line()
    writeComment("The name in the schema.", indent: 2)
    source.line(
      "public static String name(int value) { return Codec.\(isSet ? "flagNames" : "choiceName")"
        + "(value, NAMES); }", indent: 2)
    source.line("}", indent: 1)
  }

  mutating func writeMessage(_ message: ClientMessage) {
    source.line()
    if let group = message.group {
      writeComment("An entry of \(message.name). \(group.description)", indent: 1)
      source.line(
        "public static final class \(group.entryName) implements Codec.Visited {", indent: 1)
      writeFields(group.fields)
      writeVisit(group.fields, nil)
      source.line("}", indent: 1)
      source.line()
    }
    writeComment("\(message.name). \(message.description)", indent: 1)
    let parent = message.isRequest ? "Request" : "Message"
    source.line("public static final class \(message.name) extends Codec.\(parent) {", indent: 1)
    source.line("public static final int TEMPLATE = \(message.id);", indent: 2)
    // A request's number and time belong to its superclass: the session sets them.
    writeFields(Array(message.fields.dropFirst(message.isRequest ? 2 : 0)))
    if let group = message.group {
      writeComment(group.description, indent: 2)
      source.line("public List<\(group.entryName)> \(group.name) = new ArrayList<>();", indent: 2)
    }
    source.line()
    source.line("@Override public String name() { return \"\(message.name)\"; }", indent: 2)
    source.line("@Override public int template() { return TEMPLATE; }", indent: 2)
    source.line("@Override public int blockLength() { return \(message.blockLength); }", indent: 2)
    writeVisit(message.fields, message.group)
    source.line("}", indent: 1)
  }

  private mutating func writeFields(_ fields: [ClientField]) {
    for field in fields {
      writeComment(field.documentation, indent: 2)
      let declaration =
        switch field.kind {
        case .number(let primitive, _):
          (primitive.size < 4 ? "int" : "long")
            + " \(field.name) = \(Self.literal(field.initial, primitive))"
        case .text: "String \(field.name) = \"\""
        case .bytes(let length): "final byte[] \(field.name) = new byte[\(length)]"
        case .choice, .flags: "int \(field.name) = \(field.initial)"
        }
      source.line("public \(declaration);", indent: 2)
    }
  }

  private mutating func writeVisit(_ fields: [ClientField], _ group: ClientGroup?) {
    source.line()
    source.line("@Override public void visit(Codec.Visitor v) {", indent: 2)
    for field in fields {
      let (method, arguments) = field.visit
      let call = "v.\(method)(\(arguments), \(field.name)"
      switch field.kind {
      case .number(let primitive, let null):
        let cast = primitive.size < 4 ? "(int) " : ""
        let end = null.map { ", \(Self.literal($0, .uint64))" } ?? ""
        source.line("\(field.name) = \(cast)\(call)\(end));", indent: 3)
      case .text: source.line("\(field.name) = \(call));", indent: 3)
      case .bytes: source.line("\(call));", indent: 3)
      case .choice(let type), .flags(let type):
        source.line("\(field.name) = \(call), \(type).NAMES);", indent: 3)
      }
    }
    if let group {
      source.line(
        "Codec.group(v, \"\(group.name)\", \(group.entryLength), \(group.name), "
          + "\(group.entryName)::new);", indent: 3)
    }
    source.line("}", indent: 2)
  }

  mutating func writeClosing(_ model: ClientModel) {
    source.line()
    writeComment(
      "An empty message of a template; null for a template that this schema lacks.", indent: 1)
    source.line("public static Codec.Message make(int template) {", indent: 1)
    source.line("switch (template) {", indent: 2)
    for message in model.messages {
      source.line("case \(message.id): return new \(message.name)();", indent: 3)
    }
    source.line("default: return null;", indent: 3)
    source.line("}", indent: 2)
    source.line("}", indent: 1)
    source.line("}")
  }
}

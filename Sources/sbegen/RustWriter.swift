/// Writes `clients/rust/src/messages.rs`: a struct for each message, and an enum of all.
struct RustWriter: ClientWriter {
  static let path = "clients/rust/src/messages.rs"
  var source = SourceText()

  init() { source.step = "    " }

  private static func type(_ primitive: Primitive) -> String {
    (primitive.isSigned ? "i" : "u") + "\(8 * primitive.size)"
  }

  mutating func writeOpening(_ model: ClientModel) {
    source.line("// \(ClientFiles.banner)")
    source.line()
    source.line("use crate::codec::{Body, Entry, Request, Visitor};")
    source.line()
    source.doc("Number of the schema.")
    source.line("pub const SCHEMA_ID: u16 = \(model.schema.id);")
    source.doc("Version of the schema.")
    source.line("pub const SCHEMA_VERSION: u16 = \(model.schema.version);")
    for null in model.nulls {
      source.doc("\(null.type): \(null.description)")
      source.line(
        "pub const NULL_\(null.type.lowercasedFirst.constantCase): u64 = \(null.value);")
    }
  }

  mutating func writeChoices(_ type: SchemaType, _ choices: [SchemaChoice], isSet: Bool) {
    source.line()
    source.doc(type.description)
    source.line("#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]")
    source.line("pub struct \(type.name)(pub u8);")
    source.line()
    source.line("impl \(type.name) {")
    for choice in choices {
      source.doc(choice.description, indent: 1)
      source.line(
        "pub const \(choice.name.constantCase): \(type.name) = "
          + "\(type.name)(\(isSet ? "1 << " : "")\(choice.value));", indent: 1)
    }
    source.doc(isSet ? "The names of the bits." : "The names of the values.", indent: 1)
    source.line("pub const NAMES: &'static [&'static str] = &[", indent: 1)
    source.list(choices.map { "\"\($0.name)\"" }, indent: 2)
    source.line("];", indent: 1)
    source.line("}")
  }

  mutating func writeMessage(_ message: ClientMessage) {
    if let group = message.group {
      source.line()
      source.doc("An entry of \(message.name). \(group.description)")
      writeStruct(group.entryName, group.fields, nil)
      source.line()
      source.line("impl Entry for \(group.entryName) {")
      writeVisit(group.fields, nil)
      source.line("}")
    }
    source.line()
    source.doc("\(message.name). \(message.description)")
    writeStruct(message.name, message.fields, message.group)
    source.line()
    source.line("impl Body for \(message.name) {")
    source.line("const NAME: &'static str = \"\(message.name)\";", indent: 1)
    source.line("const TEMPLATE: u16 = \(message.id);", indent: 1)
    source.line("const BLOCK_LENGTH: usize = \(message.blockLength);", indent: 1)
    source.line()
    writeVisit(message.fields, message.group)
    source.line("}")
    source.line()
    source.line("impl From<\(message.name)> for Message {")
    source.line("fn from(body: \(message.name)) -> Message {", indent: 1)
    source.line("Message::\(message.name)(body)", indent: 2)
    source.line("}", indent: 1)
    source.line("}")
    guard message.isRequest else { return }
    source.line()
    source.line("impl Request for \(message.name) {")
    source.line("fn number(&mut self, seq_no: u64, sending_time: u64) {", indent: 1)
    source.line("self.seq_no = seq_no;", indent: 2)
    source.line("self.sending_time = sending_time;", indent: 2)
    source.line("}", indent: 1)
    source.line("}")
  }

  private mutating func writeStruct(
    _ name: String, _ fields: [ClientField], _ group: ClientGroup?
  ) {
    source.line("#[derive(Clone, Debug, PartialEq)]")
    source.line("pub struct \(name) {")
    var initial: [String] = []
    for field in fields {
      source.doc(field.documentation, indent: 1)
      let (type, value) =
        switch field.kind {
        case .number(let primitive, _): (Self.type(primitive), field.initial)
        case .text: ("String", "String::new()")
        case .bytes(let length): ("[u8; \(length)]", "[0; \(length)]")
        case .choice(let type), .flags(let type): (type, "\(type)(\(field.initial))")
        }
      source.line("pub \(field.name.snakeCase): \(type),", indent: 1)
      initial.append("\(field.name.snakeCase): \(value)")
    }
    if let group {
      source.doc(group.description, indent: 1)
      source.line("pub \(group.name.snakeCase): Vec<\(group.entryName)>,", indent: 1)
      initial.append("\(group.name.snakeCase): Vec::new()")
    }
    source.line("}")
    source.line()
    source.line("impl Default for \(name) {")
    source.line("fn default() -> \(name) {", indent: 1)
    source.line("\(name) {", indent: 2)
    source.list(initial, indent: 3)
    source.line("}", indent: 2)
    source.line("}", indent: 1)
    source.line("}")
  }

  private mutating func writeVisit(_ fields: [ClientField], _ group: ClientGroup?) {
    source.line("fn visit<V: Visitor>(&mut self, v: &mut V) {", indent: 1)
    for field in fields {
      let (method, arguments) = field.visit
      let value = "self.\(field.name.snakeCase)"
      let call = "v.\(method)(\(arguments)"
      switch field.kind {
      case .number(let primitive, let null):
        let wide = primitive.isSigned ? "i64" : "u64"
        let end = null.map { ", \($0)" } ?? ""
        source.line(
          "\(value) = \(call), \(value) as \(wide)\(end)) as \(Self.type(primitive));", indent: 2)
      case .text: source.line("\(value) = \(call), std::mem::take(&mut \(value)));", indent: 2)
      case .bytes: source.line("\(call), &mut \(value));", indent: 2)
      case .choice(let type), .flags(let type):
        source.line("\(value) = \(type)(\(call), \(value).0, \(type)::NAMES));", indent: 2)
      }
    }
    if let group {
      source.line(
        "v.group(\"\(group.name)\", \(group.entryLength), &mut self.\(group.name.snakeCase));",
        indent: 2)
    }
    source.line("}", indent: 1)
  }

  mutating func writeClosing(_ model: ClientModel) {
    source.line()
    source.doc("Any message.")
    source.line("#[derive(Clone, Debug, PartialEq)]")
    source.line("pub enum Message {")
    for message in model.messages { source.line("\(message.name)(\(message.name)),", indent: 1) }
    source.line("}")
    source.line()
    source.doc("Runs an expression with the body of any message.")
    source.line("macro_rules! with_body {")
    source.line("($message:expr, $body:ident => $result:expr) => {", indent: 1)
    source.line("match $message {", indent: 2)
    for message in model.messages {
      source.line("$crate::messages::Message::\(message.name)($body) => $result,", indent: 3)
    }
    source.line("}", indent: 2)
    source.line("};", indent: 1)
    source.line("}")
    source.line()
    source.line("impl Message {")
    source.doc("An empty message of a template; `None` for one that this schema lacks.", indent: 1)
    source.line("pub fn make(template: u16) -> Option<Message> {", indent: 1)
    source.line("Some(match template {", indent: 2)
    for message in model.messages {
      source.line("\(message.id) => Message::\(message.name)(Default::default()),", indent: 3)
    }
    source.line("_ => return None,", indent: 3)
    source.line("})", indent: 2)
    source.line("}", indent: 1)
    source.line("}")
  }
}

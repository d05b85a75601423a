/// Writes `clients/go/messages.go`: a struct for each message, and a function that makes any.
struct GoWriter: ClientWriter {
  static let path = "clients/go/messages.go"
  var source = SourceText()

  init() { source.step = "\t" }

  mutating func writeOpening(_ model: ClientModel) {
    source.line("// Code \(ClientFiles.banner.lowercasedFirst)")
    source.line()
    source.line("package joulebook")
    source.line()
    source.line("// Numbers of the schema.")
    source.line("const (")
    source.line("SchemaID uint16 = \(model.schema.id)", indent: 1)
    source.line("SchemaVersion uint16 = \(model.schema.version)", indent: 1)
    source.line(")")
    source.line()
    source.line("// Nulls other than 0.")
    source.line("const (")
    for null in model.nulls {
      source.doc("Null\(null.type): \(null.description)", mark: "//", indent: 1)
      source.line("Null\(null.type) = \(null.value)", indent: 1)
    }
    source.line(")")
  }

  mutating func writeChoices(_ type: SchemaType, _ choices: [SchemaChoice], isSet: Bool) {
    let name = type.name
    source.line()
    source.doc("\(name): \(type.description)", mark: "//")
    source.line("type \(name) uint8")
    source.line()
    source.line("// Values of \(name).")
    source.line("const (")
    for choice in choices {
      source.doc(choice.description, mark: "//", indent: 1)
      source.line(
        "\(name)\(choice.name.capitalizedFirst) \(name) = "
          + (isSet ? "1 << \(choice.value)" : "\(choice.value)"), indent: 1)
    }
    source.line(")")
    source.line()
    source.line("var names\(name) = []string{")
    source.list(choices.map { "\"\($0.name)\"" } + [""], indent: 1)
    source.line("}")
    source.line()
    source.line("// String returns the name in the schema.")
    source.line(
      "func (v \(name)) String() string { return \(isSet ? "flagNames" : "choiceName")(uint8(v), "
        + "names\(name)) }")
  }

  mutating func writeMessage(_ message: ClientMessage) {
    if let group = message.group {
      source.line()
      source.doc(
        "\(group.entryName) is an entry of \(message.name). \(group.description)", mark: "//")
      source.line("type \(group.entryName) struct {")
      writeFields(group.fields)
      source.line("}")
      writeVisit(group.entryName, group.fields, nil, blockLength: 0)
    }
    source.line()
    source.doc("\(message.name): \(message.description)", mark: "//")
    source.line("type \(message.name) struct {")
    writeFields(message.fields)
    if let group = message.group {
      source.doc(group.description, mark: "//", indent: 1)
      source.line("\(group.name.capitalizedFirst) []\(group.entryName)", indent: 1)
    }
    source.line("}")
    writeMethods(message)
    writeVisit(message.name, message.fields, message.group, blockLength: message.blockLength)
  }

  private mutating func writeMethods(_ message: ClientMessage) {
    let name = message.name
    source.line()
    source.doc(
      "Make\(name) returns a message in which no field is set: nulls are null, and an enum that must "
        + "be set has a value that the server refuses.", mark: "//")
    source.line("func Make\(name)() *\(name) {")
    let initial = message.fields.filter { $0.initial != "0" }
      .map { "\($0.name.capitalizedFirst): \($0.initial)" }
    source.line("return &\(name){\(initial.joined(separator: ", "))}", indent: 1)
    source.line("}")
    source.line()
    source.line("// MessageName, Template and BlockLength are those of the schema.")
    source.line("func (m *\(name)) MessageName() string { return \"\(name)\" }")
    source.line("func (m *\(name)) Template() uint16 { return \(message.id) }")
    source.line("func (m *\(name)) BlockLength() int { return \(message.blockLength) }")
    if message.isRequest {
      source.line()
      source.line("func (m *\(name)) number(seqNo, sendingTime uint64) {")
      source.line("m.SeqNo, m.SendingTime = seqNo, sendingTime", indent: 1)
      source.line("}")
    }
  }

  private mutating func writeFields(_ fields: [ClientField]) {
    for field in fields {
      source.doc(field.documentation, mark: "//", indent: 1)
      let type =
        switch field.kind {
        case .number(let primitive, _): primitive.rawValue
        case .text: "string"
        case .bytes(let length): "[\(length)]byte"
        case .choice(let type), .flags(let type): type
        }
      source.line("\(field.name.capitalizedFirst) \(type)", indent: 1)
    }
  }

  private mutating func writeVisit(
    _ type: String, _ fields: [ClientField], _ group: ClientGroup?, blockLength: Int
  ) {
    source.line()
    source.line("// Visit gives each field to the visitor, and takes the value that it returns.")
    source.line("func (m *\(type)) Visit(v Visitor) {")
    for field in fields {
      let (method, arguments) = field.visit
      let value = "m.\(field.name.capitalizedFirst)"
      let call = "v.\(method.capitalizedFirst)(\(arguments)"
      switch field.kind {
      case .number(let primitive, let null):
        let wide = primitive.isSigned ? "int64" : "uint64"
        let end = null.map { ", \($0)" } ?? ""
        source.line(
          "\(value) = \(primitive.rawValue)(\(call), \(wide)(\(value))\(end)))", indent: 1)
      case .text: source.line("\(value) = \(call), \(value))", indent: 1)
      case .bytes: source.line("\(call), \(value)[:])", indent: 1)
      case .choice(let name), .flags(let name):
        source.line("\(value) = \(name)(\(call), uint8(\(value)), names\(name)))", indent: 1)
      }
    }
    if let group {
      source.line(
        "m.\(group.name.capitalizedFirst) = visitGroup[\(group.entryName)](v, \"\(group.name)\", "
          + "\(group.entryLength), m.\(group.name.capitalizedFirst))", indent: 1)
    }
    source.line("}")
  }

  mutating func writeClosing(_ model: ClientModel) {
    source.line()
    source.line(
      "// Make returns an empty message of a template; nil for one that this schema lacks.")
    source.line("func Make(template uint16) Message {")
    source.line("switch template {", indent: 1)
    for message in model.messages {
      source.line("case \(message.id):", indent: 1)
      source.line("return Make\(message.name)()", indent: 2)
    }
    source.line("}", indent: 1)
    source.line("return nil", indent: 1)
    source.line("}")
  }
}

/// Writes `clients/cpp/joulebook/messages.hpp`: a struct for each message, and a variant of all.
struct CppWriter: ClientWriter {
  static let path = "clients/cpp/joulebook/messages.hpp"
  var source = SourceText()

  mutating func writeOpening(_ model: ClientModel) {
    source.line("// \(ClientFiles.banner)")
    source.line("#pragma once")
    source.line()
    for header in ["array", "cstdint", "string", "variant", "vector"] {
      source.line("#include <\(header)>")
    }
    source.line()
    source.line("namespace joulebook {")
    source.line()
    source.line("constexpr uint16_t schemaId = \(model.schema.id);")
    source.line("constexpr uint16_t schemaVersion = \(model.schema.version);")
    for null in model.nulls {
      source.doc("\(null.type): \(null.description)")
      source.line("constexpr uint64_t null\(null.type) = \(null.value)u;")
    }
  }

  mutating func writeChoices(_ type: SchemaType, _ choices: [SchemaChoice], isSet: Bool) {
    source.line()
    source.doc(type.description)
    source.line(isSet ? "struct \(type.name) {" : "enum class \(type.name) : uint8_t {")
    for choice in choices {
      source.doc(choice.description, indent: 1)
      source.line(
        isSet
          ? "static constexpr uint8_t \(choice.name) = 1 << \(choice.value);"
          : "\(choice.name) = \(choice.value),", indent: 1)
    }
    source.line("};")
    source.line("inline const std::vector<const char*> names\(type.name){")
    source.list(choices.map { "\"\($0.name)\"" }, indent: 2)
    source.line("};")
  }

  mutating func writeMessage(_ message: ClientMessage) {
    source.line()
    if let group = message.group {
      source.doc("An entry of \(message.name). \(group.description)")
      source.line("struct \(group.entryName) {")
      writeFields(group.fields)
      source.line()
      writeVisit(group.fields, group: nil, blockLength: 0)
      source.line("};")
      source.line()
    }
    source.doc("\(message.name). \(message.description)")
    source.line("struct \(message.name) {")
    source.line("static constexpr uint16_t templateId = \(message.id);", indent: 1)
    source.line("static constexpr uint16_t blockLength = \(message.blockLength);", indent: 1)
    source.line("static constexpr const char* messageName = \"\(message.name)\";", indent: 1)
    writeFields(message.fields)
    if let group = message.group {
      source.doc(group.description, indent: 1)
      source.line("std::vector<\(group.entryName)> \(group.name);", indent: 1)
    }
    source.line()
    writeVisit(message.fields, group: message.group, blockLength: message.blockLength)
    source.line("};")
  }

  private mutating func writeFields(_ fields: [ClientField]) {
    for field in fields {
      source.doc(field.documentation, indent: 1)
      let suffix = field.initial.hasPrefix("-") || field.initial == "0" ? "" : "u"
      switch field.kind {
      case .number(let primitive, _):
        source.line("\(primitive.rawValue)_t \(field.name) = \(field.initial)\(suffix);", indent: 1)
      case .text: source.line("std::string \(field.name);", indent: 1)
      case .bytes(let length):
        source.line("std::array<uint8_t, \(length)> \(field.name){};", indent: 1)
      case .choice(let type):
        source.line("\(type) \(field.name) = static_cast<\(type)>(\(field.initial));", indent: 1)
      case .flags: source.line("uint8_t \(field.name) = 0;", indent: 1)
      }
    }
  }

  private mutating func writeVisit(
    _ fields: [ClientField], group: ClientGroup?, blockLength: Int
  ) {
    source.doc("Gives each field to the visitor, and takes the value that it returns.", indent: 1)
    source.line("template <class Visitor> void visit(Visitor& v) {", indent: 1)
    for field in fields {
      let (method, arguments) = field.visit
      let call = "v.\(method)(\(arguments)"
      switch field.kind {
      case .number(let primitive, let null):
        let end = null.map { ", \($0)u" } ?? ""
        source.line(
          "\(field.name) = static_cast<\(primitive.rawValue)_t>(\(call), \(field.name)\(end)));",
          indent: 2)
      case .text: source.line("\(field.name) = \(call), \(field.name));", indent: 2)
      case .bytes: source.line("\(call), \(field.name).data(), \(field.size));", indent: 2)
      case .choice(let type):
        source.line("\(field.name) = static_cast<\(type)>(", indent: 2)
        source.line("\(call), static_cast<uint8_t>(\(field.name)), names\(type)));", indent: 4)
      case .flags(let type):
        source.line("\(field.name) = \(call), \(field.name), names\(type));", indent: 2)
      }
    }
    if let group {
      source.line(
        "v.group(\"\(group.name)\", \(group.entryLength), \(group.name));", indent: 2)
    }
    source.line("}", indent: 1)
  }

  mutating func writeClosing(_ model: ClientModel) {
    source.line()
    source.doc("Any message; the first alternative is none.")
    source.line("using Message = std::variant<std::monostate,")
    source.list(model.messages.map(\.name), indent: 2)
    source.line(">;")
    source.line()
    source.doc("An empty message of a template; none for a template that this schema lacks.")
    source.line("inline Message make(uint16_t templateId) {")
    source.line("switch (templateId) {", indent: 1)
    for message in model.messages {
      source.line("case \(message.id): return \(message.name)();", indent: 2)
    }
    source.line("default: return {};", indent: 2)
    source.line("}", indent: 1)
    source.line("}")
    source.line()
    source.line("}  // namespace joulebook")
  }
}

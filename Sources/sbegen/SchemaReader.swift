// Reads the XML schemas and checks that they stay within the portable profile.

import Foundation
import FoundationXML

/// A fault in a schema.
struct SchemaError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Reads `proto/joulebook.xml`.
struct SchemaReader {
  private var types: [SchemaType] = []
  private var typesByName: [String: SchemaType] = [:]

  /// Reads the schema in `data`.
  /// - Throws: `SchemaError` outside the portable profile; an XML error when `data` is not XML.
  static func read(_ data: Data) throws -> Schema {
    let root = try rootElement(data)
    var reader = SchemaReader()
    for element in root.elements(forName: "types").flatMap(\.childElements) {
      try reader.readType(element)
    }
    let messages = try root.childElements.filter { $0.localName == "message" }
      .map { try reader.readMessage($0) }
    let schema = Schema(
      id: try root.integer("id"), version: try root.integer("version"), types: reader.types,
      messages: messages)
    try check(schema)
    return schema
  }

  /// Checks that ids and names are unique and no version exceeds the schema's.
  private static func check(_ schema: Schema) throws {
    var names: [Int: String] = [:]
    for message in schema.messages {
      if let other = names.updateValue(message.name, forKey: message.id) {
        throw SchemaError("\(other) and \(message.name) both have the id \(message.id)")
      }
      let groups = message.group.map(\.fields) ?? []
      let fields = (message.fields + groups).map { ($0.name, $0.sinceVersion) }
      for (name, since) in [("", message.sinceVersion)] + fields where since > schema.version {
        throw SchemaError(
          "\(message.name)\(name.isEmpty ? "" : ".\(name)"): sinceVersion \(since), and the schema's version is \(schema.version)"
        )
      }
    }
    if Set(schema.messages.map(\.name)).count < schema.messages.count {
      throw SchemaError("two messages have the same name")
    }
  }

  /// The root element. `XMLDocument` repairs malformed XML, so a strict parser checks the file
  /// first.
  private static func rootElement(_ data: Data) throws -> XMLElement {
    if data.isEmpty { throw SchemaError("the file is empty") }
    let parser = XMLParser(data: data)
    if !parser.parse() || parser.parserError != nil {
      throw SchemaError(
        "no XML at line \(parser.lineNumber), column \(parser.columnNumber): a tag that is not closed, or a "
          + "character such as & that is not written as an entity")
    }
    guard let root = try XMLDocument(data: data).rootElement() else {
      throw SchemaError("no root element")
    }
    return root
  }

  /// Reads the journal's schema in `data`, which uses the types of `schema`.
  /// - Throws: `SchemaError` for missing attributes and unknown types; an XML error when `data` is
  ///   not XML.
  static func readJournal(_ data: Data, _ schema: Schema) throws -> JournalSchema {
    let root = try rootElement(data)
    var reader = SchemaReader()
    for type in schema.types { reader.typesByName[type.name] = type }
    let messages = try root.elements(forName: "message").map { element in
      SchemaMessage(
        name: try element.text("name"), id: 0, blockLength: 0, direction: .toServer,
        description: try element.text("description"), fields: try reader.readFields(element),
        group: nil, sinceVersion: 1, marks: try element.marks())
    }
    return JournalSchema(
      families: try root.elements(forName: "family").map { element in
        FamilyDeclaration(
          name: try element.text("name"), commands: try element.text("commands"),
          events: try element.text("events"))
      }, messages: messages,
      events: try root.elements(forName: "event").map { element in
        EventDeclaration(
          name: try element.text("case"), family: try element.text("family"),
          payload: try element.text("payload"), tag: try element.integer("tag"),
          hash: element.optionalText("hash").map { .path($0) } ?? .written,
          description: try element.text("description"))
      })
  }

  private mutating func readType(_ element: XMLElement) throws {
    let name = try element.text("name")
    let whole = element.optionalText("description") ?? ""
    let shape = try readShape(element)
    var (unit, description) = ("", whole)
    if let semicolon = whole.firstIndex(of: ";") {
      if case .enumeration = shape {
      } else if case .set = shape {
      } else {
        unit = String(whole[..<semicolon])
        description = String(whole[whole.index(after: semicolon)...])
          .trimmingCharacters(in: .whitespaces)
      }
    }
    let type = SchemaType(name: name, shape: shape, unit: unit, description: description)
    guard typesByName.updateValue(type, forKey: name) == nil else {
      throw SchemaError("type \(name) is defined twice")
    }
    types.append(type)
  }

  private func readShape(_ element: XMLElement) throws -> SchemaType.Shape {
    switch element.localName {
    case "type":
      let primitive = try element.primitive()
      if primitive == .char { return .text(length: try element.integer("length")) }
      guard element.optionalText("length") == nil else {
        throw SchemaError("numeric arrays are not supported: \(try element.text("name"))")
      }
      return .plain(primitive, null: element.optionalText("nullValue"))
    case "composite":
      return .composite(
        try element.childElements.map {
          let constant = $0.optionalText("presence") == "constant" ? $0.stringValue : nil
          return SchemaMember(
            name: try $0.text("name"), primitive: try $0.primitive(), constant: constant)
        })
    case "enum":
      guard try element.text("encodingType") == "uint8" else {
        throw SchemaError("enum \(try element.text("name")) must be uint8")
      }
      return .enumeration(try element.childElements.map { try $0.choice() })
    case "set":
      let choices = try element.childElements.map { try $0.choice() }
      guard choices.map(\.value) == Array(0..<choices.count), choices.count <= 8 else {
        throw SchemaError(
          "set \(try element.text("name")): bits must be 0, 1 ... without gaps, at most 8")
      }
      return .set(choices)
    default: throw SchemaError("unknown kind of type \(element.name ?? "")")
    }
  }

  private func readMessage(_ element: XMLElement) throws -> SchemaMessage {
    let name = try element.text("name")
    let whole = try element.text("description")
    guard
      let direction = SchemaMessage.Direction.allCases.first(where: {
        whole.hasPrefix($0.rawValue + ". ")
      })
    else { throw SchemaError("\(name): the description must begin with the direction") }
    let groups = try element.elements(forName: "group").map { group in
      SchemaGroup(
        name: try group.text("name"), blockLength: try group.integer("blockLength"),
        fields: try readFields(group), description: try group.text("description"))
    }
    guard groups.count <= 1 else { throw SchemaError("\(name): more than one group") }
    let message = SchemaMessage(
      name: name, id: try element.integer("id"),
      blockLength: try element.integer("blockLength"), direction: direction,
      description: String(whole.dropFirst(direction.rawValue.count + 2)),
      fields: try readFields(element), group: groups.first,
      sinceVersion: try element.optionalInteger("sinceVersion") ?? 1, marks: try element.marks())
    guard message.frameLength % 8 == 0, (groups.first?.blockLength ?? 0) % 8 == 0 else {
      throw SchemaError("\(name): the length of the frame must be a multiple of 8 bytes")
    }
    return message
  }

  private func readFields(_ block: XMLElement) throws -> [SchemaField] {
    var offset = 0
    var fields: [SchemaField] = []
    for element in block.elements(forName: "field") {
      guard let type = typesByName[try element.text("type")] else {
        throw SchemaError("unknown type \(try element.text("type"))")
      }
      fields.append(
        SchemaField(
          name: try element.text("name"), id: try element.optionalInteger("id") ?? 0, type: type,
          offset: offset, sinceVersion: try element.optionalInteger("sinceVersion") ?? 1,
          description: try element.text("description"), marks: try element.marks()))
      offset += type.size
    }
    let versions = fields.map(\.sinceVersion)
    // The value for older senders is null, 0 or an empty text; composites and sets cannot be appended.
    for field in fields where field.sinceVersion > 1 {
      switch field.type.shape {
      case .plain, .enumeration, .text: break
      case .composite, .set:
        throw SchemaError("\(field.name): only plain fields, enums and texts can be appended")
      }
    }
    guard versions == versions.sorted() else {
      throw SchemaError("\(try block.text("name")): fields of newer versions must be at the end")
    }
    let declared = try block.optionalInteger("blockLength") ?? offset
    guard offset == declared else {
      throw SchemaError(
        "\(try block.text("name")): blockLength \(declared), but the fields take \(offset) bytes")
    }
    return fields
  }
}

extension XMLElement {
  /// The child elements in order.
  fileprivate var childElements: [XMLElement] { (children ?? []).compactMap { $0 as? XMLElement } }

  /// Allowed attributes of the namespace jb for each element.
  private static let known: [String: Set<String>] = [
    "message": [
      "command", "role", "kind", "payload", "properties", "record", "event", "checked", "doc",
    ],
    "field": ["property", "default", "form", "stamp", "since", "formerly", "doc"],
    "choice": ["property", "default", "type", "values", "doc"],
    "validValue": ["older"],
  ]

  /// Attributes of the namespace jb by local name.
  fileprivate func marks() throws -> [String: String] {
    let own = (attributes ?? []).filter { $0.name?.hasPrefix("jb:") == true }
    let known = Self.known[localName ?? ""] ?? []
    for name in own.compactMap(\.localName) where !known.contains(name) {
      let right = known.sorted().map { "jb:\($0)" }.joined(separator: " ")
      throw SchemaError(
        "\(optionalText("name") ?? localName ?? ""): there is no attribute jb:\(name) here; there are: "
          + (right.isEmpty ? "none" : right))
    }
    return Dictionary(uniqueKeysWithValues: own.map { ($0.localName ?? "", $0.stringValue ?? "") })
  }

  fileprivate func optionalText(_ name: String) -> String? { attribute(forName: name)?.stringValue }

  fileprivate func text(_ name: String) throws -> String {
    guard let text = optionalText(name) else {
      throw SchemaError("\(self.name ?? "element") has no attribute \(name)")
    }
    return text
  }

  fileprivate func optionalInteger(_ name: String) throws -> Int? {
    optionalText(name) == nil ? nil : try integer(name)
  }

  fileprivate func integer(_ name: String) throws -> Int {
    guard let value = Int(try text(name)) else { throw SchemaError("\(name) is not an integer") }
    return value
  }

  fileprivate func primitive() throws -> Primitive {
    guard let primitive = Primitive(rawValue: try text("primitiveType")) else {
      throw SchemaError("unknown primitive type \(try text("primitiveType"))")
    }
    return primitive
  }

  fileprivate func choice() throws -> SchemaChoice {
    guard let value = Int(stringValue ?? "") else {
      throw SchemaError("\(try text("name")): the value is not a number")
    }
    return SchemaChoice(
      name: try text("name"), value: value, description: try text("description"),
      sinceVersion: try optionalInteger("sinceVersion") ?? 1, marks: try marks())
  }
}

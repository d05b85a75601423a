// Reads the XML schema and refuses whatever leaves the portable profile.

import Foundation
import FoundationXML

/// What is wrong with the schema.
struct SchemaError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Reads `proto/joulebook.xml`.
struct SchemaReader {
  private var types: [SchemaType] = []
  private var typesByName: [String: SchemaType] = [:]

  /// The schema in `data`.
  /// - Throws: `SchemaError` where the profile is left; an XML error where it is not XML.
  static func read(_ data: Data) throws -> Schema {
    guard let root = try XMLDocument(data: data).rootElement() else {
      throw SchemaError("no root element")
    }
    var reader = SchemaReader()
    for element in root.elements(forName: "types").flatMap(\.childElements) {
      try reader.readType(element)
    }
    let messages = try root.childElements.filter { $0.localName == "message" }
      .map { try reader.readMessage($0) }
    return Schema(
      id: try root.integer("id"), version: try root.integer("version"), types: reader.types,
      messages: messages)
  }

  /// What `data`, the journal's file, declares with the types of `schema`.
  /// - Throws: `SchemaError` where an attribute lacks or a type is unknown; an XML error where it is not XML.
  static func readJournal(_ data: Data, _ schema: Schema) throws -> JournalSchema {
    guard let root = try XMLDocument(data: data).rootElement() else {
      throw SchemaError("no root element")
    }
    var reader = SchemaReader()
    for type in schema.types { reader.typesByName[type.name] = type }
    let messages = try root.elements(forName: "message").map { element in
      SchemaMessage(
        name: try element.text("name"), id: 0, blockLength: 0, direction: .toServer,
        description: try element.text("description"), fields: try reader.readFields(element),
        group: nil, sinceVersion: 1, marks: element.marks)
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
        throw SchemaError("numeric array \(try element.text("name"))")
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
        throw SchemaError("enum \(try element.text("name")) is not uint8")
      }
      return .enumeration(try element.childElements.map { try $0.choice() })
    case "set":
      let choices = try element.childElements.map { try $0.choice() }
      guard choices.map(\.value) == Array(0..<choices.count), choices.count <= 8 else {
        throw SchemaError("set \(try element.text("name")): bits must run from 0, 8 at most")
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
    else { throw SchemaError("\(name): the description does not open with a direction") }
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
      sinceVersion: try element.optionalInteger("sinceVersion") ?? 1, marks: element.marks)
    guard message.frameLength % 8 == 0, (groups.first?.blockLength ?? 0) % 8 == 0 else {
      throw SchemaError("\(name): the frame is no multiple of 8 bytes")
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
          description: try element.text("description"), marks: element.marks))
      offset += type.size
    }
    let versions = fields.map(\.sinceVersion)
    // What stands for a field that older senders do not have must be a number.
    for field in fields where field.sinceVersion > 1 {
      guard case .plain = field.type.shape else {
        throw SchemaError("\(field.name): only plain fields can be appended")
      }
    }
    guard versions == versions.sorted() else {
      throw SchemaError("\(try block.text("name")): a field was not appended at the end")
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
  /// The elements directly below this one, in order.
  fileprivate var childElements: [XMLElement] { (children ?? []).compactMap { $0 as? XMLElement } }

  /// Attributes of the namespace jb, by their names without it.
  fileprivate var marks: [String: String] {
    let own = (attributes ?? []).filter { $0.name?.hasPrefix("jb:") == true }
    return Dictionary(uniqueKeysWithValues: own.map { ($0.localName ?? "", $0.stringValue ?? "") })
  }

  fileprivate func optionalText(_ name: String) -> String? { attribute(forName: name)?.stringValue }

  fileprivate func text(_ name: String) throws -> String {
    guard let text = optionalText(name) else {
      throw SchemaError("\(self.name ?? "element") lacks \(name)")
    }
    return text
  }

  fileprivate func optionalInteger(_ name: String) throws -> Int? {
    optionalText(name) == nil ? nil : try integer(name)
  }

  fileprivate func integer(_ name: String) throws -> Int {
    guard let value = Int(try text(name)) else { throw SchemaError("\(name) is no integer") }
    return value
  }

  fileprivate func primitive() throws -> Primitive {
    guard let primitive = Primitive(rawValue: try text("primitiveType")) else {
      throw SchemaError("primitive type \(try text("primitiveType"))")
    }
    return primitive
  }

  fileprivate func choice() throws -> SchemaChoice {
    guard let value = Int(stringValue ?? "") else {
      throw SchemaError("\(try text("name")) has no number")
    }
    return SchemaChoice(
      name: try text("name"), value: value, description: try text("description"),
      sinceVersion: try optionalInteger("sinceVersion") ?? 1, marks: marks)
  }
}

import Foundation
import MarketModel

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// The commands of proto/joulebook.xml, as far as the tables of rejects need them.
final class CommandSchema: NSObject, XMLParserDelegate {
  /// A field that is an enumeration or a set of flags.
  struct Choice {
    let name: String
    /// Offset in the frame.
    let offset: Int
    let isSet: Bool
  }

  /// A message that is a command.
  struct Message {
    let name: String
    let template: UInt16
    /// The command's name, which its short form shares.
    let command: String
    var choices: [Choice] = []
  }

  private(set) var commands: [Message] = []
  /// The roles of which a sender needs one, by the command's name, separated by spaces.
  private(set) var roles: [String: String] = [:]
  private var sizes: [String: Int] = [:]
  private var kinds: [String: Bool] = [:]
  private var composite: String?
  private var message: Message?
  private var offset = 0

  /// Reads the schema of the working copy.
  static func read() throws -> CommandSchema {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    let schema = CommandSchema()
    let data = try Data(contentsOf: root.appendingPathComponent("proto/joulebook.xml"))
    let parser = XMLParser(data: data)
    parser.delegate = schema
    guard parser.parse() else { throw CocoaError(.fileReadCorruptFile) }
    return schema
  }

  private static func size(_ primitive: String) -> Int {
    switch primitive {
    case "uint64", "int64": 8
    case "uint32", "int32": 4
    case "uint16", "int16": 2
    default: 1
    }
  }

  func parser(
    _ parser: XMLParser, didStartElement element: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    let name = attributes["name"] ?? ""
    switch element {
    case "composite": (composite, sizes[name]) = (name, 0)
    case "type":
      let size =
        attributes["presence"] == "constant"
        ? 0 : Self.size(attributes["primitiveType"] ?? "") * (Int(attributes["length"] ?? "") ?? 1)
      sizes[composite ?? name, default: 0] += size
    case "enum", "set":
      sizes[name] = 1
      if name != "Roles" { kinds[name] = element == "set" }
    case "sbe:message":
      guard let command = attributes["jb:command"] else { return }
      if let needed = attributes["jb:role"] { roles[command] = needed }
      let template = UInt16(attributes["id"] ?? "") ?? 0
      (message, offset) = (Message(name: name, template: template, command: command), 12)
    case "field":
      let type = attributes["type"] ?? ""
      if let isSet = kinds[type] {
        message?.choices.append(Choice(name: name, offset: offset, isSet: isSet))
      }
      offset += sizes[type] ?? 0
    default: break
    }
  }

  func parser(
    _ parser: XMLParser, didEndElement element: String, namespaceURI: String?,
    qualifiedName: String?
  ) {
    if element == "composite" { composite = nil }
    if element == "sbe:message", let message {
      commands.append(message)
      self.message = nil
    }
  }
}

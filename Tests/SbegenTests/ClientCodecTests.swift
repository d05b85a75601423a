import Foundation
import Testing

@testable import sbegen

@Suite("Codecs of clients in other languages")
struct ClientCodecTests {
  /// The protocol's schema.
  private static func schema() throws -> Schema {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { root.deleteLastPathComponent() }
    return try SchemaReader.read(
      Data(contentsOf: root.appendingPathComponent("proto/joulebook.xml")))
  }

  @Test(
    "A new message has the schema's defaults, and an enum without a default has a value that the server refuses.",
    arguments: [
      ("NewOrder", "side", "255"), ("NewOrder", "timeInForce", "0"), ("MassCancel", "sides", "2"),
      ("NewOrderExtended", "expireTime", "18446744073709551615"), ("SetAgent", "target", "-1"),
      ("Establish", "cancelAfter", "4294967295"), ("SetBlock", "releases", "0"),
      ("ListRequest", "kind", "0"), ("Accepted", "side", "0"), ("NewOrder", "clientOrderId", "0"),
    ])
  func defaults(message: String, field: String, expected: String) throws {
    let model = ClientModel(try Self.schema())
    let found = model.messages.first { $0.name == message }?.fields.first { $0.name == field }
    #expect(found?.initial == expected)
  }

  @Test("What the session numbers are the messages to the server with a sequence number.")
  func requests() throws {
    let requests = ClientModel(try Self.schema()).messages.filter(\.isRequest).map(\.name)
    #expect(requests.contains("NewOrder") && requests.contains("ListRequest"))
    #expect(!requests.contains("Establish") && !requests.contains("Accepted"))
  }

  @Test("Each language's codec visits each field of each message once.")
  func fields() throws {
    let model = ClientModel(try Self.schema())
    let fields = model.messages.flatMap { $0.fields + ($0.group?.fields ?? []) }
    for file in [
      CppWriter.file(model), GoWriter.file(model), JavaWriter.file(model), RustWriter.file(model),
    ] {
      let visits = file.text.components(separatedBy: "v.").dropFirst().filter { call in
        ["number", "nullable", "integer", "text", "bytes", "choice", "flags"].contains {
          call.lowercased().hasPrefix("\($0)(\"")
        }
      }
      #expect(visits.count == fields.count, "\(file.path)")
      for message in model.messages { #expect(file.text.contains("\(message.name)")) }
    }
  }

  @Test(
    "A frame of an older schema ends with the first version's fields, one of a newer schema has more."
  )
  func versions() throws {
    let schema = try Self.schema()
    let golden = schema.messages.flatMap(GoldenVector.all)
    let vectors = ClientVector.all(golden, schema: schema)
    func frame(_ variant: String) -> [UInt8]? {
      vectors.first { $0.message.name == "NewOrderExtended" && $0.variant == variant }?.frame
    }
    let message = schema.messages.first { $0.name == "NewOrderExtended" }
    let (length, least) = (message?.frameLength ?? 0, message?.leastBlockLength ?? 0)
    #expect(frame("values")?.count == length)
    #expect(frame("newer")?.count == length + 8)
    #expect(frame("older")?.count == SchemaMessage.headerLength + least)
    #expect(frame("older").map { Int($0[4]) } == least)
  }
}
